"""What each command of the control port does to a target: a function each, by the names of `commands.COMMANDS`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..balance import reading_mg
from ..clock import ticks_of_ms
from ..faults import arguments, find
from .elsewhere import ELSEWHERE
from .errors import ControlError
from .link import LinkFault

if TYPE_CHECKING:
    from .target import SimTarget

Values = dict[str, Any]
_FOR_EVER_MS: Final = 1e12


def _truth(target: SimTarget, values: Values) -> Values:
    return target.truth()


def _balance(target: SimTarget, values: Values) -> Values:
    return {"mass_mg": reading_mg(target.plant.truth()["tissue_nl"], target.machine.tick)}


def _info(target: SimTarget, values: Values) -> Values:
    machine = target.machine
    return {
        "target": target.process.kind,
        "hand": target.hand.name,
        "now_s": target.now(),
        "repro": target.repro,
        "boots": machine.boots,
        "ticks_run": machine.ticks_run,
        "heap_free_bytes": target.process.heap_free() if machine.cable.powered else None,
    }


def _set(target: SimTarget, values: Values) -> Values:
    with _as_control_error():
        target.plant.set(values["key"], values["value"])
    return {}


def _fault(target: SimTarget, values: Values) -> Values:
    args = dict(values)
    name = args.pop("name")
    if name in ELSEWHERE:
        return target.control(ELSEWHERE[name].begin(arguments(find(name), args)))
    with _as_control_error():
        target.plant.fault(name, **args)
    return {}


def _unfault(target: SimTarget, values: Values) -> Values:
    name = values["name"]
    if name in ELSEWHERE:
        end = ELSEWHERE[name].end
        return target.control(end) if end else {}
    with _as_control_error():
        target.plant.unfault(name)
    return {}


def _power(target: SimTarget, values: Values) -> Values:
    target.machine.cut_off_ms = values["off_ms"]
    if values["at_write"]:
        target.machine.fram.cut_at_write(values["at_write"], values["kept_bytes"])
    else:
        target.machine.power_off(values["off_ms"])
    return {}


def _cable(target: SimTarget, values: Values) -> Values:
    machine = target.machine
    machine.cable.plug(values["state"] == "in")
    if values["out_ms"] and values["state"] == "out":
        machine.events.at(machine.tick + ticks_of_ms(values["out_ms"]), lambda: machine.cable.plug(True))
    return {}


def _link(target: SimTarget, values: Values) -> Values:
    fault = LinkFault(**values)
    target.machine.cable.set_faults([] if fault == LinkFault() else [fault])
    return {}


def _store(target: SimTarget, values: Values) -> Values:
    kinds = {"read", "write"} if values["kind"] == "both" else {values["kind"]}
    target.machine.fram.fail(frozenset(kinds), values["count"])
    return {}


def _hand(target: SimTarget, values: Values) -> Values:
    with _as_control_error():
        target.world.act(values["action"], values["value"])
    return {}


def _stall(target: SimTarget, values: Values) -> Values:
    target.machine.stall.set(values["percent"], ticks_of_ms(values["longest_ms"]))
    return {}


def _tick_exception(target: SimTarget, values: Values) -> Values:
    target.machine.fail_read = True
    return {}


def _hang_background(target: SimTarget, values: Values) -> Values:
    machine = target.machine
    machine.hung_until = machine.tick + ticks_of_ms(values["ms"] or _FOR_EVER_MS)
    return {}


def _hang_processor(target: SimTarget, values: Values) -> Values:
    target.machine.hang(ticks_of_ms(values["ms"] or _FOR_EVER_MS))
    return {}


def _run(target: SimTarget, values: Values) -> Values:
    target.run_for(values["ms"])
    return {"now_s": target.now()}


def _trace(target: SimTarget, values: Values) -> Values:
    target.trace(Path(values["path"]) if values["path"] else None)
    return {}


@contextlib.contextmanager
def _as_control_error() -> Iterator[None]:
    """The plant refuses what it doesn't know with ValueError, KeyError or TypeError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as exc:
        text = str(exc.args[0]) if exc.args else type(exc).__name__
        raise ControlError(text if text.endswith(".") else f"{text}.") from exc


DO: Final[dict[str, Callable[[SimTarget, Values], Values]]] = {
    "truth": _truth,
    "balance": _balance,
    "info": _info,
    "set": _set,
    "fault": _fault,
    "unfault": _unfault,
    "power": _power,
    "cable": _cable,
    "link": _link,
    "store": _store,
    "hand": _hand,
    "stall": _stall,
    "tick_exception": _tick_exception,
    "hang_background": _hang_background,
    "hang_processor": _hang_processor,
    "run": _run,
    "trace": _trace,
}
