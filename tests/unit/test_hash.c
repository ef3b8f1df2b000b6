// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a table's seed a sender cannot choose flows that share a set. Keys that are chosen
 * against the multipliers of hashes, and keys in order, spread over the sets like random ones, for
 * each of many seeds.
 */
#include "flows.h"
#include "tests.h"

#define LIMIT		1024	/* as by default */
#define SETS		256	/* that such a table has */
#define KEYS		254
#define SEEDS		4000

/*
 * 254 random keys are in 161 of 256 sets, with a deviation of 5. Seven times that deviation does
 * not happen by chance in a million tables, nor does this number of keys in one set.
 */
#define USED_MIN	126
#define USED_MEAN	158
#define SHARED_MAX	13

static struct lro_flows flows;
static struct lro_flow_set memory[SETS];

/* The only place that knows how a table gets its seed. */
static void seed_table(unsigned int number)
{
	struct lro_hash_key key;
	u64 seed = number;

	for (unsigned int i = 0; i < 4; i++) {
		/* splitmix64 */
		u64 z = seed = seed * 4 + 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		key.word[i] = z ^ z >> 31;
	}
	lro_flows_setup(&flows, memory, LIMIT, &key);
}

static unsigned int set_of(const struct lro_key *key)
{
	const struct lro_flow *place = lro_flows_place(&flows, key);

	return ((const char *)place - (const char *)memory) / sizeof(*memory);
}

/* Over all seeds: how evenly the keys spread. */
static void assert_spread(const struct lro_key *key)
{
	unsigned long all = 0;

	assert_int_equal(lro_flows_sets(LIMIT), SETS);
	for (unsigned int number = 0; number < SEEDS; number++) {
		unsigned int in_set[SETS] = {}, used = 0, most = 0;

		seed_table(number);
		for (unsigned int n = 0; n < KEYS; n++) {
			unsigned int there = ++in_set[set_of(&key[n])];

			used += there == 1;
			most = there > most ? there : most;
		}
		assert_in_range(used, USED_MIN, KEYS);
		assert_in_range(most, 1, SHARED_MAX);
		all += used;
	}
	assert_in_range(all / SEEDS, USED_MEAN, KEYS);
}

static struct lro_key from_port(u16 port, bool v6)
{
	struct lro_key key = { .addr = { 0x0100000a, 0x0200000a }, .ports = 0x89130000 };

	/* As the packet has them: the source first, its upper byte first. */
	key.ports |= port >> 8 | (port & 0xff) << 8;
	if (v6) {
		key.addr[6] = 0x01000000;
		key.link = LRO_KEY_IPV6;
	}
	return key;
}

/* Source ports whose product with a multiplier begins with the same bits. */
static void choose_ports(struct lro_key *key, u32 multiplier, bool v6)
{
	unsigned int found = 0;

	for (unsigned int upper = 0; found < KEYS; upper++) {
		found = 0;
		for (unsigned int port = 1; port < 65536 && found < KEYS; port++) {
			key[found] = from_port(port, v6);
			found += key[found].ports * multiplier >> 24 == upper;
		}
		/* Some beginnings are those of a port or two too few. */
		assert_in_range(upper, 0, 255);
	}
}

/* The multipliers of hashes that many programs have, this one among them, and halves of such. */
static void ports_chosen_against_a_multiplier(void **ctx)
{
	static const u32 multipliers[] = {
		0x27d4eb4f, 0xc2b2ae3d, 0x7f4a7c15, 0x9e3779b9,
		0x9e3779b1, 0x85ebca6b, 0xcc9e2d51, 1,
	};
	struct lro_key key[KEYS];

	(void)ctx;
	for (unsigned int n = 0; n < sizeof(multipliers) / sizeof(multipliers[0]); n++) {
		choose_ports(key, multipliers[n], false);
		assert_spread(key);
		choose_ports(key, multipliers[n], true);
		assert_spread(key);
	}
}

static void ports_in_order(void **ctx)
{
	struct lro_key key[KEYS];

	(void)ctx;
	for (unsigned int step = 1; step <= 256; step *= 4) {
		for (unsigned int n = 0; n < KEYS; n++)
			key[n] = from_port(1024 + n * step, false);
		assert_spread(key);
	}
}

/* Each word of addresses, and the tag. */
static void other_parts_in_order(void **ctx)
{
	struct lro_key key[KEYS];

	(void)ctx;
	for (unsigned int word = 0; word < 9; word++) {
		for (unsigned int n = 0; n < KEYS; n++) {
			key[n] = from_port(1024, word >= 2);
			if (word < 8)
				key[n].addr[word] += (n + 1) << 24;
			else
				key[n].link += n;
		}
		assert_spread(key);
	}
}

struct result run_hash_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_chosen_against_a_multiplier),
		cmocka_unit_test(ports_in_order),
		cmocka_unit_test(other_parts_in_order),
	};

	return RUN_GROUP("hash", tests);
}
