"""A simulated target: bytes both ways, target time, and the control port's commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sit_firmware import image

from ..clock import s_of_ticks, tick_at_or_after, ticks_of_ms
from ..hand import Hand
from ..world import World
from . import commands
from .control import DO
from .errors import LinkLost
from .fram import FramFile
from .lockstep import Machine, Process
from .pace import Pace
from .trace import Trace


class SimTarget:
    """One simulated device with its world. Not for use by several threads at once."""

    def __init__(
        self, machine: Machine, process: Process, world: World, hand: Hand, plant: Any, repro: str, realtime: bool
    ) -> None:
        self.machine = machine
        self.process = process
        self.world = world
        self.hand = hand
        self.plant = plant
        self.repro = repro
        """One line that runs this again."""
        self.store_file: FramFile | None = None
        self._pace = Pace(1.0) if realtime else None
        self._losses = 0

    # --- bytes and time ----------------------------------------------------------------------------

    def now(self) -> float:
        """Target time in seconds since the target was opened."""
        return s_of_ticks(self.machine.tick)

    @property
    def link_up(self) -> bool:
        """False from a loss of the connection until `reopen`."""
        return self.machine.cable.up and self.machine.cable.losses == self._losses

    def send(self, data: bytes) -> None:
        """Send to the device; LinkLost when the connection is gone."""
        self._connected()
        self.machine.cable.to_device.put(self.machine.tick, bytes(data))

    def wait(self, deadline_s: float) -> bytes:
        """Run the world until the device has sent something or target time is `deadline_s`.

        Returns the bytes, b"" at the deadline. LinkLost when the connection is gone.
        """
        machine = self.machine
        lane = machine.cable.to_host
        deadline = tick_at_or_after(deadline_s)
        self._connected()
        while lane.due_tick > machine.tick < deadline:
            if self._pace is None:
                machine.step(min(deadline, lane.due_tick))
            else:
                self._pace.step(machine, min(deadline, lane.due_tick))
            if not self.link_up:
                self._connected()
        return lane.take(machine.tick, 1 << 20)

    def reopen(self, deadline_s: float) -> None:
        """Connect again after a loss, running the world until the device is there; LinkLost at the deadline."""
        self._run_to(tick_at_or_after(deadline_s), lambda: self.machine.cable.up)
        if not self.machine.cable.up:
            raise LinkLost("The simulated cable is out, or the device has no power.")
        self._losses = self.machine.cable.losses

    def run_for(self, ms: float) -> None:
        """Let target time pass, whatever the device sends."""
        self._run_to(self.machine.tick + ticks_of_ms(ms))

    def _connected(self) -> None:
        if not self.link_up:
            raise LinkLost("The connection to the simulated device was lost.")

    def _run_to(self, tick: int, until: Callable[[], bool] = lambda: False) -> None:
        machine = self.machine
        while machine.tick < tick and not until():
            if self._pace is None:
                machine.step(tick)
            else:
                self._pace.step(machine, tick)

    # --- the control port --------------------------------------------------------------------------

    def control(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a command of `commands.COMMANDS`; ControlError with one sentence when it is wrong."""
        name, values = commands.check(command)
        return DO[name](self, values)

    def truth(self) -> dict[str, Any]:
        """The plant's truth now, with that of each shot that ended in `shots`."""
        machine = self.machine
        now = machine.plant.truth()
        now.update(
            tick=machine.tick,
            powered=machine.cable.powered,
            connected=machine.cable.up,
            light=machine.outputs[image.OUT_LIGHT],
            tone=machine.outputs[image.OUT_TONE],
            shots=machine.shots(),
        )
        return now

    # --- the rest ----------------------------------------------------------------------------------

    def trace(self, to: Path | Trace | None) -> None:
        """Record each tick from now on in a file or a Trace; None ends it."""
        if self.machine.trace is not None:
            self.machine.trace.close()
        self.machine.trace = Trace(to) if isinstance(to, Path) else to

    def save(self) -> None:
        """Write the store to the state folder, when there is one and it has changed."""
        if self.store_file is not None:
            self.store_file.save()

    def close(self) -> None:
        """End the firmware, keep the store. May be called twice."""
        self.trace(None)
        self.process.close()
        if self.store_file is not None:
            self.store_file.close()
            self.store_file = None

    def __enter__(self) -> SimTarget:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
