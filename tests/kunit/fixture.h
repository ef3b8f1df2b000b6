/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each suite of the engine begins and ends its tests with: a test bed in test->priv, and
 * packets that must get through it.
 */
#ifndef _LRO_KUNIT_FIXTURE_H
#define _LRO_KUNIT_FIXTURE_H

#include <kunit/test.h>

#include "bed.h"

/**
 * fixture_init() - init function of a suite: a test bed, the flows at their first byte
 * @test: test; its priv becomes the struct bed
 * Return: 0 or -ENOMEM.
 */
int fixture_init(struct kunit *test);

/**
 * fixture_exit() - exit function of a suite: destroys the test bed
 * @test: test
 */
void fixture_exit(struct kunit *test);

/**
 * fixture_add() - make the packets to feed; the test ends if there is no memory
 * @test: test with a bed
 * @pkt: first description
 * @count: descriptions
 */
void fixture_add(struct kunit *test, const struct pkt *pkt, unsigned int count);

/**
 * fixture_run() - feed all packets that were added; the test ends if they do not get through
 * @test: test with a bed
 */
void fixture_run(struct kunit *test);

/**
 * fixture_feed() - fixture_add(), then fixture_run()
 * @test: test with a bed
 * @pkt: first description
 * @count: descriptions
 */
void fixture_feed(struct kunit *test, const struct pkt *pkt, unsigned int count);

#endif /* _LRO_KUNIT_FIXTURE_H */
