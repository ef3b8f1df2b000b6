# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory made of hosts that the user named.

    sender == network == native                                           or
    sender == network == driver [ r8169(_lro), bridge, netback ] = guest [ xen-netfront or netfront_lro ]
"""

from __future__ import annotations

import contextlib
import signal
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from .. import configs, experiments, latency, steps, traffic, vm
from ..agent import CommandFailed
from ..configs import Config
from ..steps import EXIT_ENVIRONMENT, LabError
from .inventory import HostEntry
from .session import Session
from .ssh import SshHost

# Seconds for a link to come up and the receiver to answer.
LINK_LIMIT = 60
# Name of the kernel's own front end on xenbus.
_BUS_NAMES = {configs.STOCK_GUEST: "vif"}
# Drivers between which the lab changes, by role.
_DRIVERS = {"native": (configs.STOCK_NIC, configs.OUR_NIC), "driver": (configs.STOCK_NIC, configs.OUR_NIC),
            "guest": (configs.STOCK_GUEST, configs.OUR_GUEST)}


class HostsLab:
    """A context manager: on entry hosts are recorded, on exit all of them are restored, also after a failure."""

    def __init__(self, entries: dict[str, HostEntry], logs: Path = vm.LOGS):
        self._entries = entries
        self._logs = logs
        self._folder: Path | None = None
        self.sessions: dict[str, Session] = {}

    def __enter__(self) -> HostsLab:
        self._logs.mkdir(parents=True, exist_ok=True)
        # Not below build/: the path of a socket holds 107 bytes, of which ssh wants 17 for a suffix.
        self._folder = Path(tempfile.mkdtemp(prefix="xenlro-"))
        for role, entry in self._entries.items():
            self.sessions[role] = Session(SshHost(entry, self._folder, self._logs / f"{role}.ssh.log"))
        try:
            with steps.step(f"Recording the hosts {', '.join(self._entries)}"):
                steps.parallel(*(session.begin for session in self.sessions.values()))
                self._check_drivers()
            self.sessions["sender"].change(f"ethtool -K {self._entries['sender'].interface} tso off gso off && "
                                           "echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save")
        except BaseException as error:
            self._end(error)
            raise
        return self

    def __exit__(self, kind, error, _) -> None:
        self._end(error)

    def _end(self, failure: BaseException | None) -> None:
        """Restore all hosts, even if some fail; the first fault is raised unless there was an earlier one."""
        troubles: list[LabError] = []

        def end(session: Session) -> Callable[[], None]:
            def task() -> None:
                try:
                    session.end()
                except LabError as trouble:
                    troubles.append(trouble)
            return task

        with _uninterrupted(), steps.step("Putting the hosts back"):
            steps.parallel(*(end(session) for session in self.sessions.values()))
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
        if troubles and failure is None:
            raise troubles[0]
        for trouble in troubles:
            steps.say(f"lab: {trouble.sentence()}")

    def _check_drivers(self) -> None:
        for role, allowed in _DRIVERS.items():
            if role not in self.sessions:
                continue
            session = self.sessions[role]
            found = session.recorded("driver")
            if found not in [_BUS_NAMES.get(name, name) for name in allowed]:
                raise LabError(f"{role}: {session.interface} on {session.host.entry.ssh} is served by "
                               f"{found or 'no driver'}; the lab compares {' with '.join(allowed)}",
                               code=EXIT_ENVIRONMENT)

    def nic(self, config: Config) -> Session:
        """The host that owns the NIC in a configuration."""
        return self.sessions["driver" if config.xen else "native"]

    def receiver(self, config: Config) -> Session:
        """The host at which traffic ends."""
        return self.sessions["guest" if config.xen else "native"]

    def apply(self, config: Config) -> None:
        """Bring the hosts into a configuration; return when the receiver answers."""
        self._use(self.nic(config), config.nic_driver, config.nic_gro_feature)
        if config.guest_driver:
            self._use(self.sessions["guest"], config.guest_driver, config.guest_gro_feature)
        address = self.receiver(config).host.entry.address
        try:
            self.sessions["sender"].host.run(f"until ping -c 1 -W 1 {address} >/dev/null; do sleep 0.2; done",
                                             timeout=LINK_LIMIT)
        except CommandFailed as error:
            raise LabError(f"{config.name}: the sender gets no answer from {address} within {LINK_LIMIT} s; does it "
                           "without the lab?") from error

    def _use(self, session: Session, driver: str, gro: bool) -> None:
        session.load(driver)
        session.bind(_BUS_NAMES.get(driver, driver))
        # If the NIC verifies no checksums, the kernel switches strict merging off.
        session.change(f"ethtool -K {session.interface} rx on gro {'on' if gro else 'off'}")
        if driver in (configs.OUR_NIC, configs.OUR_GUEST):
            session.change(f"echo 1 >/sys/module/{driver}/parameters/lro")

    def check(self) -> None:
        """Raise LabError when a host is lost or its kernel complained."""
        for session in self.sessions.values():
            session.check()

    def transfer(self, config: Config, count: int, around: AbstractContextManager[object] | None) -> traffic.Transfer:
        """Send `count` bytes by iperf to the receiver, and check all hosts after."""
        sink = self.receiver(config).host
        assert sink.entry.address
        done = traffic.stream(self.sessions["sender"].host, sink, sink.entry.address, count, around)
        self.check()
        return done


    def latency(self, config: Config) -> dict:
        """The fields of request/response latency between sender and receiver."""
        sink = self.receiver(config).host
        assert sink.entry.address
        found = latency.bounce(self.sessions["sender"].host, sink, sink.entry.address, experiments.LATENCY_SECONDS)
        self.check()
        return {"latency_us": latency.fields(found), "latency_count": found.count}


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Within this context Ctrl-C and other signals wait: all is restored here or, after a KILL, by the watchdogs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, signal.SIG_IGN)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
