# SPDX-License-Identifier: GPL-2.0-only
"""Carrying a switch out: the process that works at it, one that watches over it, and the user who waits for both.

The session that ordered it may end at any moment, with all of its processes. The two processes belong to no session.
When the working one is killed, the other one restores the old state.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from . import order, switch
from .errors import EXIT_ENVIRONMENT, EXIT_FAILED, XenlroError
from .order import Order
from .system import System

STARTS_WITHIN = 30.0    # seconds for the processes to begin
LOOK = 0.1
SWITCHED_WITHIN = 900.0 # more than a switch and going back take
# Signals of a terminal, a session or a service that end or stop a process.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU,
           signal.SIGTTIN, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


def ordered(system: System, work: Order) -> Order:
    """Order a switch and wait until it is done, has gone back, or waits for the user; the order as it is then."""
    with _patient():
        with order.locked(system):
            _begin(system, work)
        return _watched(system)


def refuse_while_open(system: System, device: str) -> Order | None:
    """XenlroError while another switch is under way, or one of another device was cut off; the last one, if there was one.

    There is one order: that of another device would take the place of the configuration that is not back yet.
    """
    last = order.read(system)
    if last and last.busy:
        raise XenlroError(f"the switch of {last.interface or last.device} to {last.wanted} waits: run `xenlro confirm` to "
                          "keep it, or wait until it has gone back" if last.phase == "waiting" else
                          "another change of drivers is under way: run the same command when it has ended")
    if last and last.phase in ("switching", "waiting") and last.device != device and last.on_machine(system):
        raise XenlroError(f"a switch of {last.interface or last.device} was cut off, and its configuration would be lost: "
                          f"run `xenlro use {last.device} stock` first" + (", or `xenlro confirm`" if last.phase == "waiting" else ""))
    return last


def _begin(system: System, work: Order) -> None:
    last = refuse_while_open(system, work.device)
    if last and last.device == work.device and last.before and (last.phase == "switching" or
                                                                last.phase == "back" and not work.interface):
        # Its processes were killed, or it left no interface: the configuration that it saved is the valid one.
        work.before, work.answered, work.interface, work.owner = last.before, last.answered, last.interface, last.owner
    work.front = order.process(os.getpid())
    order.write(system, work)
    order.log(system).write_text("")
    system.detach(["guard"], order.log(system))


def see_through() -> None:
    """Let no signal end this process."""
    for number in SIGNALS:
        # A program inherits what is ignored, and no handler: a manager's daemons have to end by these signals.
        signal.signal(number, lambda number, frame: None)


def guard(system: System) -> None:
    """The command `xenlro guard`: carry the written order out, and keep it or take it back.

    It may be the second one, after the first was killed in the middle.
    """
    see_through()
    with order.locked(system, SWITCHED_WITHIN):
        work = order.read(system)
        if not work or not work.open or work.alive():
            return
        work.guard = order.process(os.getpid())
        order.write(system, work)
        if work.phase == "starting":
            _work(system, work)
            work = order.read(system) or work
        if work.phase == "starting":
            _end(system, work, EXIT_FAILED, "the process that changes the driver ended before it touched anything")
        elif work.phase == "switching":
            with _seconded(system):
                switch.go_back(system, work, "the process that changed the driver was killed")
    if work.phase == "waiting":
        work = _waited(system, work)
    if work.phase == "back":
        print(f"xenlro: {work.said}", flush=True)


def _waited(system: System, work: Order) -> Order:
    """Wait until the user confirms, or go back when the time is up; the order as it is then."""
    with _seconded(system) as see:
        while work.phase == "waiting" and time.monotonic() < work.deadline:
            see()
            time.sleep(LOOK)
            work = order.read(system) or work
        if work.phase != "waiting":
            return work
        with order.locked(system):
            work = order.read(system) or work
            # The user may have confirmed in the last moment.
            if work.phase == "waiting":
                switch.go_back(system, work, f"the switch to {work.wanted} was not confirmed within {switch.CONFIRM_WITHIN:.0f} s")
    return work


@contextmanager
def _seconded(system: System) -> Iterator[Callable[[], None]]:
    """A second process looks after this one: nothing would go back when it is killed. The function sees that it is there."""
    second = _second(system)

    def see() -> None:
        nonlocal second
        if os.waitpid(second, os.WNOHANG)[0]:
            second = _second(system)

    try:
        yield see
    finally:
        with suppress(OSError):
            os.kill(second, signal.SIGKILL)
            os.waitpid(second, 0)


def _second(system: System) -> int:
    """A process that begins the guard again when this one is killed; its number."""
    guarding = os.getpid()
    if child := os.fork():
        return child
    try:
        while os.getppid() == guarding:
            time.sleep(LOOK)
        work = order.read(system)
        if work and work.phase in ("switching", "waiting"):
            system.detach(["guard"], order.log(system))
    finally:
        os._exit(0)


def confirm(system: System) -> str:
    """Keep the switch that waits for it; return the message for the user."""
    with order.locked(system):
        work = order.read(system)
        if work and work.phase == "back":
            raise XenlroError(f"there is nothing to confirm any more: {work.said}")
        if not work or work.phase != "waiting":
            raise XenlroError("no switch waits for a confirmation: `xenlro use DEVICE lro` comes first")
        switch.keep(system, work)
        order.write(system, work)
        return work.said


def _work(system: System, work: Order) -> None:
    """Carry the order out in a process of its own, and wait for its end."""
    guarding = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            switch.carry_out(system, work)
            code = 0
        except XenlroError as error:
            # Nothing was touched: the reason for the refusal still holds.
            work = order.read(system) or work
            if work.phase == "starting":
                _end(system, work, error.code, str(error))
        except BaseException:  # noqa: B036 - the process that waits has to hear of any end
            traceback.print_exc()
        finally:
            if os.getppid() != guarding:
                system.detach(["guard"], order.log(system))
            sys.stdout.flush()
            os._exit(code)
    os.waitpid(child, 0)


def _end(system: System, work: Order, code: int, said: str) -> None:
    work.phase, work.code, work.said = "back", code, said
    order.write(system, work)


def _watched(system: System) -> Order:
    """Wait for the end of the switch."""
    deadline = time.monotonic() + STARTS_WITHIN
    again = False
    while True:
        work = order.read(system)
        if work is None:
            raise XenlroError("the switch's own file is gone: see `xenlro status`")
        if work.phase not in ("starting", "switching"):
            return work
        if work.alive() or again and order.worked_at(system):
            deadline = time.monotonic() + STARTS_WITHIN
        elif work.phase == "starting" and time.monotonic() > deadline:
            said = " ".join(order.log(system).read_text(errors="replace").split()[-40:])
            _end(system, work, EXIT_ENVIRONMENT,
                 f"the process that changes the driver could not be started, and nothing was touched: {said}")
        elif work.guard and not again:
            # Killed. A second one goes on when the process that worked has ended, too.
            again = True
            system.detach(["guard"], order.log(system))
        elif time.monotonic() > deadline:
            raise XenlroError(f"the processes that change the driver ended in the middle: `xenlro use {work.device} stock` puts "
                              "the configuration back", EXIT_ENVIRONMENT)
        time.sleep(LOOK)


@contextmanager
def _patient() -> Iterator[None]:
    """Signals wait during the switch: it would go on without this process, and its result would not be told."""
    def told(number: int, frame: object) -> None:
        with suppress(OSError):
            os.write(2, b"xenlro: the switch is under way and goes on by itself; wait for its end\n")
    former = {number: signal.signal(number, told if number == signal.SIGINT else signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def result(work: Order) -> str:
    """What to tell the user of a switch; XenlroError when it did not succeed."""
    if work.phase == "waiting":
        return (f"{work.interface or work.device} is served by {work.wanted}, and is not kept yet: run `xenlro confirm` "
                f"within {switch.CONFIRM_WITHIN:.0f} s, here or in a new session, or all goes back")
    if work.phase == "done":
        return work.said
    raise XenlroError(work.said, work.code or EXIT_FAILED)
