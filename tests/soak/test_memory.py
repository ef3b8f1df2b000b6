# SPDX-License-Identifier: GPL-2.0-only
"""Reading a host's memory, and the differences that count as a leak."""

from __future__ import annotations

import unittest
from dataclasses import replace

from .memory import PAGES_SLACK, SKB_SLACK, SLAB_SLACK, Memory, parse

TEXT = """MemTotal:         250000 kB
MemFree:          143212 kB
Buffers:               0 kB
Cached:            40000 kB
AnonPages:          3000 kB
Slab:              20000 kB
SUnreclaim:        12004 kB
PageTables:          500 kB
VmallocUsed:        9000 kB
Percpu:              288 kB
              count:    100
              high:     500
              count: 25
skbuff_ext_cache       0      0    192   21    1 : tunables    0    0    0 : slabdata      0      0      0
skbuff_small_head    264    288    704   23    4 : tunables    0    0    0 : slabdata     12     12      0
skbuff_head_cache    300    336    256   16    1 : tunables    0    0    0 : slabdata     21     21      0
"""


class Reading(unittest.TestCase):
    def test_pages_without_an_owner_and_buffers_by_kind_are_counted(self):
        self.assertEqual(parse(TEXT), Memory(33500, 12004, {"skbuff_ext_cache": 0, "skbuff_small_head": 264,
                                                            "skbuff_head_cache": 300}))

    def test_leaks(self):
        before = parse(TEXT)
        for name, slack in (("pages", PAGES_SLACK), ("slab", SLAB_SLACK)):
            with self.subTest(name):
                allowed = replace(before, **{name: getattr(before, name) + slack})
                self.assertEqual(allowed.leaked(before), [])
                self.assertEqual(len(replace(before, **{name: getattr(allowed, name) + 1}).leaked(before)), 1)

    def test_leaks_of_each_kind_of_buffer(self):
        before = parse(TEXT)
        for kind, slack in (("skbuff_small_head", 0), ("skbuff_ext_cache", 0), *SKB_SLACK.items()):
            with self.subTest(kind):
                allowed = replace(before, skbs=before.skbs | {kind: before.skbs[kind] + slack})
                self.assertEqual(allowed.leaked(before), [])
                more = replace(before, skbs=before.skbs | {kind: before.skbs[kind] + slack + 1})
                self.assertEqual(more.leaked(before), [f"{slack + 1} {kind}"])

    def test_what_is_gained_is_no_leak(self):
        self.assertEqual(Memory(0, 0, {"skbuff_small_head": 0}).leaked(parse(TEXT)), [])


if __name__ == "__main__":
    unittest.main()
