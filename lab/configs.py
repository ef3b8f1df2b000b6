# SPDX-License-Identifier: GPL-2.0-only
"""The configurations that are compared: the receiving driver in each machine, and the merging.

"1" stands for the driver domain, "2" for the guest. `guestN` aggregates with this project's drivers, `groN` with
the kernel's own drivers and GRO. Where nothing should aggregate GRO is off, so that each packet that arrives merged was
merged by what the configuration names. Our drivers merge only while GRO is on, but no TCP reaches it there. A mode of
br_linearize behind the name says how the driver domain rewrites aggregates before netback copies them; `napi` that the
back end is netback_lro, which copies in softirq; `coherent` that
the NIC's driver is this project's with the engine off, which leaves its receive buffers: the kernel's driver, but for the
syncs of DMA. `native-lro` has this project's driver without Xen; `unverified` says that the NIC checks no TCP checksums, so
that the machine has to, in relaxed mode where it is this project's driver. These configurations run only when they are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .nics import DEFAULT, MODELS, OURS, Model
from .steps import EXIT_USAGE, LabError

# With the default NIC; another one may be named.
STOCK_NIC, OUR_NIC = MODELS[DEFAULT].stock, MODELS[DEFAULT].ours
STOCK_GUEST, OUR_GUEST = "xen-netfront", "netfront_lro"
STOCK_BACK, OUR_BACK = "xen-netback", "netback_lro"


@dataclass(frozen=True)
class Config:
    """One configuration. Without Xen `guest_driver` is None and the NIC's machine is the receiver."""

    name: str
    nic_driver: str
    nic_gro: bool
    guest_driver: str | None
    guest_gro: bool
    about: str
    rewrite: str | None = None  # mode of br_linearize, None: not used
    merge: bool = True  # whether this project's drivers merge
    named: bool = False  # whether it runs only when it is named, though it measures no part
    back_end: str = STOCK_BACK
    verified: bool = True  # whether the NIC checks the checksums of TCP

    @property
    def xen(self) -> bool:
        """Whether the receiver is a Xen guest."""
        return self.guest_driver is not None

    @property
    def mode(self) -> int:
        """What the parameter lro of this project's driver for the NIC is to be: the kernel allows no strict mode where it is
        the machine that checks the checksums."""
        if not self.merge:
            return 0
        return 1 if self.verified else 2

    @property
    def nic_gro_feature(self) -> bool:
        """Whether ethtool switches GRO of the NIC on: for GRO, or for a driver of ours that merges."""
        return self.nic_gro or (self.our_nic and self.merge)

    @property
    def guest_gro_feature(self) -> bool:
        """The same of the guest's interface."""
        return self.guest_gro or self.guest_driver == OUR_GUEST

    @property
    def our_nic(self) -> bool:
        """Whether this project's driver serves the NIC."""
        return self.nic_driver in OURS

    def on(self, model: Model) -> Config:
        """The same configuration with another NIC."""
        driver = model.ours if self.our_nic else model.stock
        return replace(self, nic_driver=driver, about=self.about.replace(OUR_NIC, model.ours))

    @property
    def ours(self) -> bool:
        """Whether this project's modules take part."""
        return self.our_nic or OUR_GUEST == self.guest_driver or self.rewrite is not None or self.back_end == OUR_BACK

    @property
    def extra(self) -> bool:
        """Whether it runs only when it is named."""
        return self.named or self.rewrite is not None or not self.merge

    @property
    def aggregates(self) -> bool:
        """Whether packets are merged at any place."""
        return self.ours or self.nic_gro or self.guest_gro


ALL = {config.name: config for config in (
    Config("native", STOCK_NIC, False, None, False, "Linux on the NIC, nothing merges"),
    Config("native-gro", STOCK_NIC, True, None, False, "Linux on the NIC, GRO"),
    Config("guest0", STOCK_NIC, False, STOCK_GUEST, False, "nothing merges"),
    Config("guest1", OUR_NIC, False, STOCK_GUEST, False, "r8169_lro in the driver domain"),
    Config("guest2", STOCK_NIC, False, OUR_GUEST, False, "netfront_lro in the guest"),
    Config("guest12", OUR_NIC, False, OUR_GUEST, False, "both"),
    Config("gro1", STOCK_NIC, True, STOCK_GUEST, False, "GRO in the driver domain"),
    Config("gro2", STOCK_NIC, False, STOCK_GUEST, True, "GRO in the guest"),
    Config("gro12", STOCK_NIC, True, STOCK_GUEST, True, "GRO in both"),
    Config("gro1-inphase", STOCK_NIC, True, STOCK_GUEST, False, "GRO in the driver domain, all copied in phase",
           "inphase"),
    Config("gro1-auto", STOCK_NIC, True, STOCK_GUEST, False, "GRO in the driver domain, copied in phase where it pays",
           "auto"),
    Config("native-lro", OUR_NIC, False, None, False, "Linux on the NIC, r8169_lro", named=True),
    Config("native-gro-unverified", STOCK_NIC, True, None, False, "Linux on the NIC, GRO, no checksums by the NIC", named=True,
           verified=False),
    Config("native-lro-unverified", OUR_NIC, False, None, False, "Linux on the NIC, r8169_lro, no checksums by the NIC",
           named=True, verified=False),
    Config("gro1-coherent", OUR_NIC, True, STOCK_GUEST, False, "GRO in the driver domain, receive buffers of r8169_lro",
           merge=False),
    Config("guest1-napi", OUR_NIC, False, STOCK_GUEST, False, "r8169_lro and netback_lro in the driver domain", named=True,
           back_end=OUR_BACK),
    Config("guest12-napi", OUR_NIC, False, OUR_GUEST, False, "this project's drivers on both sides, and netback_lro",
           named=True, back_end=OUR_BACK),
    Config("gro1-napi", STOCK_NIC, True, STOCK_GUEST, False, "GRO and netback_lro in the driver domain", named=True,
           back_end=OUR_BACK),
    Config("gro12-napi", STOCK_NIC, True, STOCK_GUEST, True, "GRO in both, and netback_lro", named=True, back_end=OUR_BACK),
)}


def select(names: str, model: Model = MODELS[DEFAULT]) -> list[Config]:
    """The configurations of a list such as "native guest1" or "native,guest1"; empty means all that are not extra.

    model: the NIC that they are to have. Raises LabError for a name that does not exist.
    """
    wanted = names.replace(",", " ").split() or [name for name in ALL if not ALL[name].extra]
    for name in wanted:
        if name not in ALL:
            raise LabError(f"there is no configuration {name!r}; choose from {' '.join(ALL)}",
                           code=EXIT_USAGE)
    return [ALL[name].on(model) for name in dict.fromkeys(wanted)]


def in_order(configs: list[Config]) -> list[Config]:
    """The same configurations, ordered such that drivers change least often; native ones first.

    Changing the guest's driver or its back end means a new guest and costs most.
    """
    return sorted(configs, key=lambda c: (c.xen, c.guest_driver != STOCK_GUEST, c.back_end != STOCK_BACK, c.our_nic))
