# SPDX-License-Identifier: GPL-2.0-only
"""The NICs that a laboratory may have: rtl8169d's, a separate process, or those that QEMU emulates."""

from __future__ import annotations

from dataclasses import dataclass

from .steps import EXIT_USAGE, LabError


@dataclass(frozen=True)
class Model:
    """A NIC: the kernel's driver and this project's for it, its PCI device, and its name in QEMU if QEMU has it."""

    name: str
    about: str
    stock: str
    ours: str
    device: str
    emulated: str | None = None
    machine: str = "pc"  # of QEMU

    @property
    def chip(self) -> str | None:
        """Its name in rtl8169d, if rtl8169d has it."""
        return None if self.emulated else self.name


MODELS = {model.name: model for model in (
    Model("8169", "RTL8169sb (rtl8169d)", "r8169", "r8169_lro", "0x8169"),
    Model("8168", "RTL8168c (rtl8169d)", "r8169", "r8169_lro", "0x8168"),
    Model("e1000e", "82574L (QEMU's e1000e)", "e1000e", "e1000e_lro", "0x10d3", "e1000e"),
    # It sits on PCI Express.
    Model("igb", "82576 (QEMU's igb)", "igb", "igb_lro", "0x10c9", "igb", "q35"),
)}
DEFAULT = "8169"
STOCK = tuple(dict.fromkeys(model.stock for model in MODELS.values()))
OURS = tuple(dict.fromkeys(model.ours for model in MODELS.values()))


def driver_of(about: str) -> str:
    """This project's driver for the NIC that results tell of; hosts reached by ssh have Realtek's."""
    return next((model.ours for model in MODELS.values() if model.about == about), MODELS[DEFAULT].ours)


def select(name: str) -> Model:
    """The model of a name as in NIC=; raises LabError for an unknown one."""
    if name not in MODELS:
        raise LabError(f"NIC={name} is not one of {', '.join(MODELS)}", code=EXIT_USAGE)
    return MODELS[name]
