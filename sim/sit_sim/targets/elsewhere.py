"""Faults of the closed lists that aren't the plant's: the command that brings each about, and the one that ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Command = dict[str, Any]


@dataclass(frozen=True)
class Elsewhere:
    """`begin` takes the fault's arguments; `end` is None where nothing is left to end."""

    begin: Callable[[Mapping[str, float]], Command]
    end: Command | None = None


def _always(command: Command, end: Command | None = None) -> Elsewhere:
    return Elsewhere(lambda args: command, end)


_LINK_WHOLE: Final = {"do": "link"}
ELSEWHERE: Final[dict[str, Elsewhere]] = {
    # a processor that stands still doesn't run its firmware either, so the target has it, not the plant alone
    "tick_hung": _always({"do": "hang_processor"}, {"do": "hang_processor", "ms": 0.25}),
    "tick_exception": _always({"do": "tick_exception"}),
    "background_hung": _always({"do": "hang_background"}, {"do": "hang_background", "ms": 0.25}),
    "reset": _always({"do": "power", "off_ms": 0}),
    "power_cut": _always({"do": "power"}),
    "link_lost": _always({"do": "cable", "state": "out"}, {"do": "cable", "state": "in"}),
    "link_noise": Elsewhere(lambda args: {"do": "link", "corrupt": args["share"]}, _LINK_WHOLE),
    "link_repeat": _always({"do": "link", "duplicate": 1.0}, _LINK_WHOLE),
    "host_silent": _always({"do": "link", "direction": "to_device", "drop": 1.0}, _LINK_WHOLE),
    "store_error": _always({"do": "store"}, {"do": "store", "count": 0}),
    "early_lift": _always({"do": "hand", "action": "lift"}),
    # something presses the contact, and the needle meets air all the way
    "no_skin": _always({"do": "set", "key": "skin", "value": {"surface_m": 0.05}}),
    "wrong_syringe": Elsewhere(
        lambda args: {"do": "hand", "action": "change_syringe", "value": args["syringe_id"]},
        {"do": "hand", "action": "change_syringe", "value": 1},
    ),
}
