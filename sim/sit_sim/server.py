"""Serves a simulated target to any serial or TCP client, paced to the wall clock.

    with open_target("sim:micropython", hand="auto") as target:
        serve(target, link=Path("/tmp/opensit"), announce=lambda server: print(server.describe()))

    serve(target, *, pty=True, link=None, tcp_port=0, control_port=0, speed=1.0, announce=None) -> None
        until Ctrl-C or SIGTERM. `link` is the symbolic link to the pseudo-terminal, by default one in a folder of
        its own; ports are chosen by the system when 0, left out when None; `speed` is target seconds in a wall second.
        `announce(server)` is called when clients may come.
    Server(target, same arguments)   .pty_path  .tcp_address  .control_address  .describe()  .run()  .stop()  .close()
    run_command (sit_sim.run_command) starts one, runs a command against it and ends it.

Raises TargetError with one sentence when a port or link can't be had. The clients' clock is the wall clock: at another
speed the device's times, the lease among them, pass faster or slower for them.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sit_firmware import codes

from .clock import s_of_ticks
from .control_port import ControlPort
from .ports import Port, PtyPort, TcpPort
from .targets.errors import LinkLost
from .targets.pace import Pace
from .targets.target import SimTarget

_IDLE_S = 0.005
"""How long the server waits for clients while nothing happens, and how much the world lags behind at most."""
_BUSY_S = 0.0005
_BUSY_FOR_S = 0.05
"""After bytes from a client it looks this much longer for the answer without waiting."""
_SAVE_S = 2.0
"""The store of a state folder is this old at most when the simulator itself is killed."""
_SLICE_TICKS = 200
_SLICE_S = 0.05


class Server:
    """One served target."""

    def __init__(
        self,
        target: SimTarget,
        *,
        pty: bool = True,
        link: Path | None = None,
        tcp_port: int | None = 0,
        control_port: int | None = 0,
        speed: float = 1.0,
    ) -> None:
        self._target = target
        self._pace = Pace(speed)
        self._pace.anchor(target.machine.tick)
        self._stopping = False
        self._busy_until = 0.0
        self._save_at = 0.0
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self.log: Callable[[str], None] = lambda line: None
        """Called with one line for what happens to the connection."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._wake.close)
            undo.callback(self._waker.close)
            self._pty = PtyPort(link) if pty else None
            if self._pty is not None:
                undo.callback(self._pty.close)
            self._tcp = None if tcp_port is None else TcpPort(tcp_port)
            if self._tcp is not None:
                undo.callback(self._tcp.close)
            self._control = None if control_port is None else ControlPort(control_port, self._command)
            if self._control is not None:
                undo.callback(self._control.close)
            self._undo = undo.pop_all()
        self._ports: list[Port] = [port for port in (self._tcp, self._pty) if port is not None]
        self._plugged = True

    @property
    def pty_path(self) -> Path | None:
        """The link to the pseudo-terminal."""
        return self._pty.path if self._pty else None

    @property
    def tcp_address(self) -> tuple[str, int] | None:
        """Host and port of the device."""
        return self._tcp.address if self._tcp else None

    @property
    def control_address(self) -> tuple[str, int] | None:
        """Host and port of the control port."""
        return self._control.address if self._control else None

    def describe(self) -> str:
        """A line for each way in, as a connection string where it is one."""
        lines = []
        if self._pty:
            lines.append(f"serial:{self._pty.path}")
        if self._tcp:
            lines.append("tcp:{}:{}".format(*self._tcp.address))
        if self._control:
            lines.append("control port {}:{} (JSON lines)".format(*self._control.address))
        lines.append(f"again: {self._target.repro}")
        return "\n".join(lines)

    def run(self) -> None:
        """Serve until `stop`."""
        caught_up = True
        while not self._stopping:
            self._wait(caught_up)
            caught_up = self._advance()
            self._look()
            if time.monotonic() > self._save_at and self._target.machine.phase == codes.PHASE_IDLE:
                self._target.save()
                self._save_at = time.monotonic() + _SAVE_S

    def stop(self) -> None:
        """End `run`; from any thread or signal handler."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def close(self) -> None:
        """Take the ports away. The target stays open."""
        self._undo.close()

    # --- one round ---------------------------------------------------------------------------------

    def _wait(self, caught_up: bool) -> None:
        fds = [self._wake.fileno()]
        for port in self._ports:
            fds += port.fds()
        if self._control:
            fds += self._control.fds()
        busy = time.monotonic() < self._busy_until
        select.select(fds, [], [], (_BUSY_S if busy else _IDLE_S) if caught_up else 0.0)
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(16)

    def _advance(self) -> bool:
        """Bring the world to where the wall clock was, or as far as a slice of time allows; True when it got there."""
        target, machine = self._target, self._target.machine
        self._pace.slide(machine.tick)
        end_s = time.monotonic() + _SLICE_S
        due = self._pace.due_tick()
        while machine.tick < due and time.monotonic() < end_s:
            until_s = s_of_ticks(min(due, machine.tick + _SLICE_TICKS))
            try:
                if not self._plugged:
                    target.reopen(until_s)
                    self._plug(True)
                data = target.wait(until_s)
            except LinkLost:
                self._plug(False)
                continue
            if data:
                for port in self._ports:
                    port.send(data)
        return machine.tick >= due

    def _look(self) -> None:
        for port in self._ports:
            was = port.occupied
            data = port.look(free=not any(other.occupied for other in self._ports if other is not port))
            if port.occupied != was:
                self.log("a client has connected" if port.occupied else "the client has gone")
            if data:
                self._busy_until = time.monotonic() + _BUSY_FOR_S
                with contextlib.suppress(LinkLost):  # noticed by the next `wait`
                    self._target.send(data)
        if self._control:
            self._control.look()

    def _plug(self, plugged: bool) -> None:
        if plugged != self._plugged:
            self._plugged = plugged
            self.log("the connection is back" if plugged else "the connection is lost")
            for port in self._ports:
                port.plug(plugged)

    def _command(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self.log(f"control: {dict(command) if isinstance(command, Mapping) else command}")
        result = self._target.control(command)
        if isinstance(command, Mapping) and command.get("do") == "run":
            self._pace.anchor(self._target.machine.tick)
        return result


def serve(
    target: SimTarget,
    *,
    pty: bool = True,
    link: Path | None = None,
    tcp_port: int | None = 0,
    control_port: int | None = 0,
    speed: float = 1.0,
    announce: Callable[[Server], None] | None = None,
) -> None:
    """Serve `target` until Ctrl-C or a termination signal, in the main thread; see the head of this file."""
    server = Server(target, pty=pty, link=link, tcp_port=tcp_port, control_port=control_port, speed=speed)
    before = signal.signal(signal.SIGTERM, lambda number, frame: server.stop())
    try:
        if announce:
            announce(server)
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        server.close()
