"""Scenarios: what a run begins with and what happens in it, in a TOML file.

    doc = "The cable is pulled in the middle of the third point and put back."
    [unit]                     # factors on the nominal unit
    bore = 1.02
    [device]                   # seed of the unit-to-unit spread; whether the 2.0 mm stop is fitted; type of the syringe
    spread_seed = 7
    stop_fitted = false
    syringe_id = 1
    [world]                    # plant inputs at the start
    supply_mv = 11000
    [[event]]
    at_point = 3               # when: `at_s` target time, or the beginning of `phase` (of the shot `at_point`)
    phase = "DISPENSE"
    after_ms = 20              # and this much later
    do = "cable"               # what: a command of the control port with its arguments
    out_ms = 1500

An event happens once. A wrong file is refused before anything runs, with file and key.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sit_firmware import codes

from .clock import ticks_of_ms, ticks_of_s
from .targets import commands
from .targets.errors import ControlError
from .targets.target import SimTarget

_WHEN = ("at_s", "at_point", "phase", "after_ms")
_TABLES = ("doc", "unit", "device", "world", "event")


@dataclass(frozen=True)
class Event:
    """One command and when it happens: at `at_s`, or at the beginning of `phase` in shot `at_point`."""

    command: dict[str, Any]
    at_s: float | None = None
    at_point: int | None = None
    """Number of the shot, from 1; None for the first that has the phase."""
    phase: str = "APPROACH"
    after_ms: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """What a scenario file says."""

    doc: str = ""
    unit: dict[str, float] = field(default_factory=dict)
    spread_seed: int | None = None
    stop_fitted: bool | None = None
    syringe_id: int = 1
    world: dict[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file; ControlError naming file and key when it is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ControlError(f"{path}: the scenario can't be read: {exc}.") from exc
    try:
        return _scenario(data)
    except ControlError as exc:
        raise ControlError(f"{path}: {exc}") from None


def _scenario(data: dict[str, Any]) -> Scenario:
    _known("the scenario", data, _TABLES)
    device = _table(data, "device")
    _known("[device]", device, ("spread_seed", "stop_fitted", "syringe_id"))
    unit = _table(data, "unit")
    for key, value in unit.items():
        commands.Arg(float, low=0.01, high=100.0).check(f"[unit] {key}", value)
    seed, stop = device.get("spread_seed"), device.get("stop_fitted")
    events = data.get("event", [])
    if not isinstance(events, list):
        raise ControlError("event is a single table; write [[event]].")
    return Scenario(
        doc=commands.Arg(str).check("doc", data.get("doc", "")),
        unit=unit,
        spread_seed=None if seed is None else commands.Arg(int, low=0, high=2**31).check("[device] spread_seed", seed),
        stop_fitted=None if stop is None else commands.Arg(bool).check("[device] stop_fitted", stop),
        syringe_id=commands.Arg(int, low=1, high=255).check("[device] syringe_id", device.get("syringe_id", 1)),
        world=_table(data, "world"),
        events=tuple(_event(number, entry) for number, entry in enumerate(events, 1)),
    )


def _event(number: int, entry: dict[str, Any]) -> Event:
    try:
        command = {key: value for key, value in entry.items() if key not in _WHEN}
        commands.check(command)
        if "at_s" in entry:
            _known("an event with at_s", {key: 0 for key in entry if key in _WHEN}, ("at_s",))
            return Event(command, at_s=commands.Arg(float, low=0, high=1e6).check("at_s", entry["at_s"]))
        if "at_point" not in entry and "phase" not in entry:
            raise ControlError("it needs a time: at_s, at_point or phase.")
        phase = commands.Arg(str).check("phase", entry.get("phase", "APPROACH"))
        phase_number(phase)
        point = entry.get("at_point")
        return Event(
            command,
            at_point=None if point is None else commands.Arg(int, low=1, high=10_000).check("at_point", point),
            phase=phase,
            after_ms=commands.Arg(float, low=0, high=1e9).check("after_ms", entry.get("after_ms", 0.0)),
        )
    except ControlError as exc:
        raise ControlError(f"event {number}: {exc}") from None


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise ControlError(f"{key} must be a table, written [{key}].")
    return table


def _known(where: str, table: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise ControlError(f"{where} doesn't know the key {key!r}; it knows {', '.join(keys)}.")


def phase_number(name: str) -> int:
    """The number of a phase by its name, as in `DISPENSE`; ControlError when there is none."""
    number = getattr(codes, f"PHASE_{name}", None)
    if not isinstance(number, int):
        names = ", ".join(key.removeprefix("PHASE_") for key in vars(codes) if key.startswith("PHASE_"))
        raise ControlError(f"There is no phase {name!r}; the phases are {names}.")
    return number


def play(scenario: Scenario, target: SimTarget) -> None:
    """Let the scenario's events happen in `target`, which stands at its beginning."""
    for key, value in scenario.world.items():
        target.control({"do": "set", "key": key, "value": value})
    machine = target.machine
    waiting: list[Event] = []
    for event in scenario.events:
        if event.at_s is None:
            waiting.append(event)
        else:
            machine.events.at(ticks_of_s(event.at_s), partial(target.control, event.command))

    def on_phase(phase: int) -> None:
        for event in list(waiting):
            if phase == phase_number(event.phase) and event.at_point in (None, machine.shots_begun):
                waiting.remove(event)
                tick = machine.tick + 1 + ticks_of_ms(event.after_ms)
                machine.events.at(tick, partial(target.control, event.command))

    if waiting:
        machine.on_phase = on_phase
