# SPDX-License-Identifier: GPL-2.0-only
"""NICs that QEMU emulates, behind a process that counts and captures frames outside of the machines.

    sender VM -- stream socket -- relay -- stream socket -- machine with QEMU's NIC
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

from . import proc, vm
from .nics import Model
from .paths import BUILD
from .steps import LabError

RELAY = BUILD / "lab" / "relay"
MAC = "52:54:00:81:69:01"
# QEMU's name of the NIC.
_DEVICE = "nic"


class QemuNic(vm.Nic):
    """A NIC that QEMU emulates, and the relay on its wire."""

    program = "relay"

    def __init__(self, run: Path, logs: Path, model: Model):
        self.model = model
        self.wire, self.end = run / "nic.wire", run / "nic.end"
        self._ctl, self._qmp = run / "nic.ctl", run / "nic.qmp"
        self.log = logs / "relay.log"
        self.log.unlink(missing_ok=True)
        if not RELAY.exists():
            raise LabError(f"{RELAY} is missing: run `make lab` or `python3 -m lab setup`")
        self.child = proc.Child([str(RELAY), "--wire", str(self.wire), "--nic", str(self.end), "--ctl",
                                 str(self._ctl)], log=self.log)
        self._await(self.wire, self.end, self._ctl)

    def plug(self) -> list[str]:
        return ["-netdev", f"stream,id=end,server=off,addr.type=unix,addr.path={vm.escaped(self.end)}",
                "-device", f"{self.model.emulated},id={_DEVICE},netdev=end,mac={MAC},romfile=",
                "-qmp", f"unix:{vm.escaped(self._qmp)},server=on,wait=off"]

    def ctl(self, command: str, **arguments: object) -> dict:
        """Send one command to the relay; "link" is for QEMU."""
        if command != "link":
            return super().ctl(command, **arguments)
        self.check()
        self._tell_qemu("set_link", {"name": _DEVICE, "up": arguments["state"] == "up"})
        return {"ok": True}

    def _tell_qemu(self, command: str, arguments: dict[str, object]) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(10)
                stream.connect(str(self._qmp))
                with stream.makefile("rwb", buffering=0) as lines:
                    json.loads(lines.readline())
                    for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                        lines.write(json.dumps(request).encode() + b"\n")
                        # Events may come before the answer.
                        while "event" in (answer := json.loads(lines.readline())):
                            pass
        except (OSError, ValueError) as error:
            raise LabError(f"QEMU does not answer on its control socket ({error})") from error
        if "error" in answer:
            raise LabError(f"QEMU refused {command}: {answer['error'].get('desc')}")


def start(model: Model, run: Path, logs: Path, options: tuple[str, ...] = ()) -> vm.Nic:
    """Start the process at the other end of the sender's wire; `options` are for rtl8169d."""
    if model.chip:
        return vm.Nic(run, logs, model.chip, options)
    if options:
        raise LabError(f"QEMU's {model.name} has no options of rtl8169d: {' '.join(options)}")
    return QemuNic(run, logs, model)
