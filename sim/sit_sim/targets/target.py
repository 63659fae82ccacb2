"""A simulated target: bytes both ways, target time, and the control port's commands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sit_firmware import codes, image

from ..clock import TICKS_PER_S, s_of_ticks, tick_at_or_after, ticks_of_ms
from ..faults import arguments, find
from ..hand import Hand
from ..world import World
from . import commands
from .elsewhere import ELSEWHERE
from .errors import ControlError, LinkLost
from .fram import FramFile
from .link import LinkFault
from .lockstep import Machine, Process
from .trace import Trace

_FOR_EVER_MS = 1e12
_PACE_TICKS = 20
"""How far a paced target runs ahead of the wall clock at most."""
_MOST_LAG_S = 1.0
"""A paced target that falls behind further than this lets the rest go."""


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
        self._commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            name: getattr(self, f"_do_{name}") for name in commands.COMMANDS
        }

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
        return self._commands[name](values)

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

    def _do_truth(self, values: dict[str, Any]) -> dict[str, Any]:
        return self.truth()

    def _do_info(self, values: dict[str, Any]) -> dict[str, Any]:
        machine = self.machine
        return {
            "target": self.process.kind,
            "hand": self.hand.name,
            "now_s": self.now(),
            "repro": self.repro,
            "boots": machine.boots,
            "ticks_run": machine.ticks_run,
            "heap_free_bytes": self.process.heap_free() if machine.cable.powered else None,
        }

    def _do_set(self, values: dict[str, Any]) -> dict[str, Any]:
        with _as_control_error():
            self.plant.set(values["key"], values["value"])
        return {}

    def _do_fault(self, values: dict[str, Any]) -> dict[str, Any]:
        args = dict(values)
        name = args.pop("name")
        if name in ELSEWHERE:
            return self.control(ELSEWHERE[name].begin(arguments(find(name), args)))
        with _as_control_error():
            self.plant.fault(name, **args)
        return {}

    def _do_unfault(self, values: dict[str, Any]) -> dict[str, Any]:
        name = values["name"]
        if name in ELSEWHERE:
            end = ELSEWHERE[name].end
            return self.control(end) if end else {}
        with _as_control_error():
            self.plant.unfault(name)
        return {}

    def _do_power(self, values: dict[str, Any]) -> dict[str, Any]:
        self.machine.cut_off_ms = values["off_ms"]
        if values["at_write"]:
            self.machine.fram.cut_at_write(values["at_write"], values["kept_bytes"])
        else:
            self.machine.power_off(values["off_ms"])
        return {}

    def _do_cable(self, values: dict[str, Any]) -> dict[str, Any]:
        machine = self.machine
        machine.cable.plug(values["state"] == "in")
        if values["out_ms"] and values["state"] == "out":
            machine.events.at(machine.tick + ticks_of_ms(values["out_ms"]), lambda: machine.cable.plug(True))
        return {}

    def _do_link(self, values: dict[str, Any]) -> dict[str, Any]:
        fault = LinkFault(**values)
        self.machine.cable.set_faults([] if fault == LinkFault() else [fault])
        return {}

    def _do_store(self, values: dict[str, Any]) -> dict[str, Any]:
        kinds = {"read", "write"} if values["kind"] == "both" else {values["kind"]}
        self.machine.fram.fail(frozenset(kinds), values["count"])
        return {}

    def _do_hand(self, values: dict[str, Any]) -> dict[str, Any]:
        with _as_control_error():
            self.world.act(values["action"], values["value"])
        return {}

    def _do_stall(self, values: dict[str, Any]) -> dict[str, Any]:
        self.machine.stall.set(values["percent"], ticks_of_ms(values["longest_ms"]))
        return {}

    def _do_tick_exception(self, values: dict[str, Any]) -> dict[str, Any]:
        self.machine.fail_read = True
        return {}

    def _do_hang_background(self, values: dict[str, Any]) -> dict[str, Any]:
        machine = self.machine
        machine.hung_until = machine.tick + ticks_of_ms(values["ms"] or _FOR_EVER_MS)
        return {}

    def _do_hang_processor(self, values: dict[str, Any]) -> dict[str, Any]:
        self.machine.hang(ticks_of_ms(values["ms"] or _FOR_EVER_MS))
        return {}

    def _do_run(self, values: dict[str, Any]) -> dict[str, Any]:
        self._run_to(self.machine.tick + ticks_of_ms(values["ms"]))
        return {"now_s": self.now()}

    def _do_trace(self, values: dict[str, Any]) -> dict[str, Any]:
        self.trace(Path(values["path"]) if values["path"] else None)
        return {}

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


class Pace:
    """Ties target time to the wall clock, `speed` seconds of it in one of the wall's."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._wall0 = time.monotonic()
        self._tick0 = 0

    def anchor(self, tick: int) -> None:
        """Let `tick` be now."""
        self._tick0, self._wall0 = tick, time.monotonic()

    def due_tick(self) -> int:
        """The tick that the wall clock shows."""
        return self._tick0 + int((time.monotonic() - self._wall0) * self._speed * TICKS_PER_S)

    def slide(self, tick: int) -> None:
        """Let go of what a target at `tick` can't catch up with."""
        behind = self.due_tick() - tick - int(_MOST_LAG_S * self._speed * TICKS_PER_S)
        if behind > 0:
            self._tick0 -= behind

    def step(self, machine: Machine, until: int) -> None:
        """One step of the machine, once the wall clock has come near it."""
        ahead = machine.tick - self.due_tick()
        if ahead > _PACE_TICKS:
            time.sleep(ahead / (TICKS_PER_S * self._speed))
        self.slide(machine.tick)
        machine.step(min(until, machine.tick + _PACE_TICKS))


@contextlib.contextmanager
def _as_control_error():
    """The plant refuses what it doesn't know with ValueError, KeyError or TypeError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as exc:
        text = str(exc.args[0]) if exc.args else type(exc).__name__
        raise ControlError(text if text.endswith(".") else f"{text}.") from exc


def phase_number(name: str) -> int:
    """The number of a phase by its name, as in `DISPENSE`; ControlError when there is none."""
    number = getattr(codes, f"PHASE_{name}", None)
    if not isinstance(number, int):
        names = ", ".join(key.removeprefix("PHASE_") for key in vars(codes) if key.startswith("PHASE_"))
        raise ControlError(f"There is no phase {name!r}; the phases are {names}.")
    return number
