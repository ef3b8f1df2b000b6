# SPDX-License-Identifier: GPL-2.0-only
"""Checks that every domain runs on a pCPU of its own: only then is a vCPU's count that of a domain."""

from __future__ import annotations

from collections.abc import Collection

from .errors import InsnError


def domain_pcpus(vcpu_list: str, together: Collection[str] = ()) -> dict[str, int]:
    """Domain name -> pCPU, from the output of ``xl vcpu-list``.

    Domains named in `together` may share a pCPU: its count is then their sum. Raises InsnError when a domain may move,
    has several vCPUs on different pCPUs, or shares one with another domain.
    """
    found: dict[str, int] = {}
    for line in vcpu_list.splitlines():
        words = line.split()
        # Name ID VCPU CPU State Time(s) Affinity (Hard / Soft)
        if len(words) < 9 or not words[1].isdigit():
            continue
        name, hard = words[0], words[6]
        if not hard.isdigit():
            raise InsnError(f"domain {name} is not pinned to one pCPU (hard affinity {hard}): "
                            f"instructions cannot be told apart; run: xl vcpu-pin {name} all N")
        if found.setdefault(name, int(hard)) != int(hard):
            raise InsnError(f"domain {name} runs on more than one pCPU: give it one vCPU")
    if not found:
        raise InsnError("xl vcpu-list named no domain: is xenstored running in the driver domain?")
    owner: dict[int, str] = {}
    for name, pcpu in found.items():
        if pcpu in owner and not (name in together and owner[pcpu] in together):
            raise InsnError(f"domains {owner[pcpu]} and {name} share pCPU {pcpu}: instructions "
                            "cannot be told apart; pin them to different ones")
        owner[pcpu] = name
    return found
