# SPDX-License-Identifier: GPL-2.0-only
"""The packet filter of a domain that routes: the treatment of forwarded packets by Qubes' firewall, in few rules.

A packet of no known connection passes if it comes from the inner domain or goes to the receiver's port. Packets that
leave by the outer interface get the domain's own address. With a flowtable, packets of known connections skip all
rules: they go from the ingress hook of one interface to the other interface.
"""

from __future__ import annotations


from .agent import Host
from .images import FILTER_MODULES

OUTER = "eth0"
_FLOWTABLE = " flowtable fast {{ hook ingress priority filter; devices = {{ {devices} }}; }}\n"
_OFFLOAD = "  ct state established,related ip protocol tcp flow add @fast counter\n"
_TABLE = """\
flush ruleset
table ip lab {{
{flowtable} chain forward {{
  type filter hook forward priority filter; policy drop;
  ct state invalid counter drop
{offload}  ct state established,related counter accept
  iifname "vif*" accept
  iifname "{outer}" ct state new accept
 }}
{translation}}}
"""
_TRANSLATION = """\
 chain postrouting {{
  type nat hook postrouting priority srcnat; policy accept;
  oifname "{outer}" masquerade
 }}
"""


def ruleset(inner: str, masquerade: bool = True, flowtable: bool = False) -> str:
    """The rules for nft; `inner` is the interface of the domain behind."""
    return _TABLE.format(outer=OUTER, flowtable=_FLOWTABLE.format(devices=f"{OUTER}, {inner}") if flowtable else "",
                         offload=_OFFLOAD if flowtable else "",
                         translation=_TRANSLATION.format(outer=OUTER) if masquerade else "")


def load(host: Host, masquerade: bool = True, flowtable: bool = False) -> None:
    """Put the rules into a domain with one vif, in place of those that it has."""
    inner = host.run("cd /sys/class/net && ls -d vif*").split()[0]
    host.run(f"for module in {' '.join(FILTER_MODULES)}; do "
             "! find /lib/modules -name $module.ko | grep -q . || modprobe $module || exit; done", timeout=60)
    host.put(ruleset(inner, masquerade, flowtable).encode(), "/tmp/rules.nft")
    host.run("nft -f /tmp/rules.nft", timeout=60)
