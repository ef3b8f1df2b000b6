// SPDX-License-Identifier: GPL-2.0-only
/*
 * Begin and end of the tests.
 */
#include "fixture.h"

#define FIRST_SEQ	1000

int fixture_init(struct kunit *test)
{
	struct bed *bed = bed_create();
	unsigned int i;

	test->priv = bed;
	if (!bed)
		return -ENOMEM;
	for (i = 0; i < PACKET_FLOWS; i++)
		bed->flow[i] = (struct flow_state){ .seq = FIRST_SEQ };
	return 0;
}

void fixture_exit(struct kunit *test)
{
	bed_destroy(test->priv);
}

void fixture_add(struct kunit *test, const struct pkt *pkt, unsigned int count)
{
	KUNIT_ASSERT_EQ(test, bed_add(test->priv, pkt, count), 0);
}

void fixture_run(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, bed_run(test->priv), 0);
}

void fixture_feed(struct kunit *test, const struct pkt *pkt, unsigned int count)
{
	fixture_add(test, pkt, count);
	fixture_run(test);
}
