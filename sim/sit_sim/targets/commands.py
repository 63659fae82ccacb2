"""The commands of the control port: one table of names and arguments, used by `control`, scenarios and the server.

A command is a mapping with `do` and its arguments, for example {"do": "power", "off_ms": 800}. A wrong one is refused
with one sentence before anything changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..faults import arguments, find
from ..plant.plant import KEYS
from ..world import ACTIONS, check_action
from .errors import ControlError


@dataclass(frozen=True)
class Arg:
    """An argument: its type, range (numbers) or choices (text), and the default; `...` when it must be given."""

    kind: type
    default: Any = ...
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    doc: str = ""

    def check(self, name: str, value: Any) -> Any:
        """The value in its type; ControlError when it doesn't fit."""
        if self.kind is object:
            return value
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, self.kind) or (self.kind in (int, float) and isinstance(value, bool)):
            raise ControlError(f"{name} is {value!r}; it must be {_KINDS[self.kind]}.")
        if self.choices and value not in self.choices:
            raise ControlError(f"{name} is {value!r}; it must be one of {', '.join(self.choices)}.")
        if isinstance(value, (int, float)) and not self.low <= value <= self.high:
            raise ControlError(f"{name} is {value}; it must lie between {self.low:g} and {self.high:g}.")
        return value


_KINDS: Final = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_MS: Final = 1e9
_ODDS: Final = Arg(float, 0.0, 0.0, 1.0, doc="odds for each frame")

# name -> (meaning, arguments); a command with `free` takes further arguments
COMMANDS: Final[dict[str, tuple[str, dict[str, Arg]]]] = {
    "truth": ("What is really there: tip, volumes, pressure; `shots` has one entry for each shot that ended.", {}),
    "balance": ("What the virtual balance under the skin shows: `mass_mg`.", {}),
    "info": ("Target, seed, time, repro line, boots.", {}),
    "set": (
        "Sets an input of the plant (docs/plant.md).",
        {"key": Arg(str, doc="a plant input"), "value": Arg(object, doc="its value in the unit of its name")},
    ),
    "fault": (
        "Brings about a fault of sit_sim.faults; further arguments are the fault's own.",
        {"name": Arg(str, doc="its name in small letters")},
    ),
    "unfault": ("Ends a fault.", {"name": Arg(str)}),
    "power": (
        "Cuts power, now or in a store operation; the device starts again by itself.",
        {
            "off_ms": Arg(float, 500.0, 0, _MS, doc="how long"),
            "at_write": Arg(int, 0, 0, 1_000_000, doc="in this write of the store from now on (1 = the next), 0 = now"),
            "kept_bytes": Arg(int, 0, 0, 1 << 18, doc="bytes of that write which still reach the store"),
        },
    ),
    "cable": (
        "Pulls the cable; it is put back by `in`, or after `out_ms`.",
        {"state": Arg(str, "out", choices=("in", "out")), "out_ms": Arg(float, 0.0, 0, _MS, doc="0: for good")},
    ),
    "link": (
        "Damages frames on the cable; replaces the damage in force, and without arguments ends it.",
        {
            "direction": Arg(str, "both", choices=("to_device", "to_host", "both")),
            "drop": _ODDS,
            "duplicate": _ODDS,
            "corrupt": _ODDS,
            "truncate": _ODDS,
            "delay_ms": Arg(float, 0.0, 0, 60_000, doc="frames come up to this much later"),
            "reorder": Arg(bool, False, doc="delayed frames may pass each other"),
            "skip": Arg(int, 0, 0, 1 << 30, doc="frames that pass unharmed first"),
            "count": Arg(int, -1, -1, 1 << 30, doc="frames harmed in all, -1 for no end"),
        },
    ),
    "store": (
        "Lets operations of the store fail.",
        {
            "kind": Arg(str, "both", choices=("read", "write", "both")),
            "count": Arg(int, -1, -1, 1 << 30, doc="operations that fail, -1 until told otherwise, 0 ends it"),
        },
    ),
    "hand": (
        "Does one action of a hand, with a number where it takes one.",
        {"action": Arg(str, choices=ACTIONS), "value": Arg(float, None)},
    ),
    "stall": (
        "How often and how long polls of the background are withheld.",
        {"percent": Arg(int, 25, 0, 100), "longest_ms": Arg(float, 3.0, 0.25, 128)},
    ),
    "tick_exception": ("Lets board.read raise in the next tick.", {}),
    "hang_background": ("The background stops running.", {"ms": Arg(float, 0.0, 0, _MS, doc="0: until a reset")}),
    "hang_processor": (
        "The processor stands still: no tick, no token.",
        {"ms": Arg(float, 0.0, 0, _MS, doc="0: until a reset")},
    ),
    "run": ("Lets target time pass.", {"ms": Arg(float, ..., 0, 3_600_000)}),
    "trace": ("Writes a trace of each tick to a file; without a path it ends.", {"path": Arg(str, "")}),
}
FREE: Final = frozenset({"fault"})
"""Commands that take arguments beyond those named."""


def check(command: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(name, arguments with their defaults); ControlError with one sentence when the command is wrong."""
    if not isinstance(command, Mapping):
        raise ControlError(f'A command is a mapping with "do", not {command!r}.')
    name = command.get("do")
    if name not in COMMANDS:
        raise ControlError(f"There is no command {name!r}; the commands are {', '.join(COMMANDS)}.")
    specs = COMMANDS[name][1]
    given = {key: value for key, value in command.items() if key != "do"}
    unknown = [key for key in given if key not in specs]
    if unknown and name not in FREE:
        takes = ", ".join(specs) or "none"
        raise ControlError(f"The command {name} doesn't take {unknown[0]!r}; its arguments are: {takes}.")
    missing = [key for key, spec in specs.items() if spec.default is ... and key not in given]
    if missing:
        raise ControlError(f"The command {name} needs {missing[0]!r}.")
    values = {key: spec.default for key, spec in specs.items()}
    try:
        for key, value in given.items():
            values[key] = specs[key].check(key, value) if key in specs else value
    except ControlError as exc:
        raise ControlError(f"{name}: {exc}") from None
    try:
        _CHECKS.get(name, lambda values: None)(values)
    except (ValueError, KeyError) as exc:
        raise ControlError(f"{name}: {exc.args[0]}") from None
    return name, values


def _check_fault(values: Mapping[str, Any]) -> None:
    arguments(find(values["name"]), {key: value for key, value in values.items() if key != "name"})


def _check_set(values: Mapping[str, Any]) -> None:
    if values["key"] not in KEYS:
        raise ControlError(f"there is no input {values['key']!r}; the inputs are {', '.join(KEYS)}.")


def _check_trace(values: Mapping[str, Any]) -> None:
    if values["path"] and not Path(values["path"]).parent.is_dir():
        raise ControlError(f"the folder of {values['path']} doesn't exist.")


_CHECKS: Final[dict[str, Callable[[Mapping[str, Any]], None]]] = {
    "fault": _check_fault,
    "unfault": lambda values: _check_fault({"name": values["name"]}),
    "set": _check_set,
    "hand": lambda values: check_action(values["action"], values["value"]),
    "trace": _check_trace,
}
