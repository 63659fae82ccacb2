"""What people do to the device: the actions of a hand, put into the plant's inputs.

An action is a word, with a number where one makes sense (`press 1.5` = newtons). Hands, scenarios and the control
port all go through `act`; none of them sees the firmware's state.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from .targets.errors import ControlError

PRESS_N: Final = 2.0
"""A usual press of the nose-piece, N."""


class Settable(Protocol):
    """A plant whose inputs can be set."""

    def set(self, key: str, value: Any) -> None: ...


# action -> (what it sets, the value without a number, lowest and highest number or None when it takes none)
_ACTIONS: Final[dict[str, tuple[str, float, tuple[float, float] | None]]] = {
    "press": ("press_n", PRESS_N, (0.05, 20.0)),
    "lift": ("press_n", 0.0, None),
    "trigger": ("trigger", 1, None),
    "release": ("trigger", 0, None),
    "estop": ("estop", 1, None),
    "estop_release": ("estop", 0, None),
    "fit_zero_tool": ("zero_tool", 1, None),
    "remove_zero_tool": ("zero_tool", 0, None),
    "cartridge_out": ("cartridge", 0, None),
    "cartridge_in": ("cartridge", 1, None),
    "jumper_on": ("jumper", 1, None),
    "jumper_off": ("jumper", 0, None),
    "pair": ("pair", 1, None),
    "pair_release": ("pair", 0, None),
    "change_needle": ("needle", 0, (1, 255)),
    "change_syringe": ("syringe", 0, (1, 255)),
    "adjust": ("jig", 1, None),
    "next_site": ("site", 0, (0, 100_000)),
}
ACTIONS: Final = tuple(sorted(_ACTIONS))


def check_action(action: str, value: float | None) -> None:
    """ControlError with one sentence when there is no such action or the number doesn't fit it."""
    known = _ACTIONS.get(action)
    if known is None:
        raise ControlError(f"There is no action {action!r}; the actions are {', '.join(ACTIONS)}.")
    bounds = known[2]
    if value is None:
        return
    if bounds is None:
        raise ControlError(f"The action {action} takes no number.")
    if not bounds[0] <= value <= bounds[1]:
        raise ControlError(f"The action {action} {value:g} must lie between {bounds[0]:g} and {bounds[1]:g}.")


class World:
    """The hand's grip on the device. `pressing`, `pulling` and `tool_fitted` are what a hand feels."""

    def __init__(self, plant: Settable, needle_id: int = 1, syringe_id: int = 1) -> None:
        self._plant = plant
        self._fitted = {"needle": needle_id, "syringe": syringe_id, "site": 0}
        self.pressing = False
        self.pulling = False
        self.tool_fitted = False

    def act(self, action: str, value: float | None = None) -> None:
        """Do it now. A change without a number fits the same type again; the next site is one further."""
        check_action(action, value)
        key, usual, _ = _ACTIONS[action]
        amount = usual if value is None else value
        if key in self._fitted:
            if value is None:
                amount = self._fitted[key] + (1 if key == "site" else 0)
            self._fitted[key] = amount = int(amount)
        self._plant.set(key, amount)
        if key == "press_n":
            self.pressing = amount > 0
        elif key == "trigger":
            self.pulling = bool(amount)
        elif key == "zero_tool":
            self.tool_fitted = bool(amount)
