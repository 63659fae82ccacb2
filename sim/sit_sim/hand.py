"""The hand that holds the device. It reads lights, tones and its own feeling, and nothing else.

The automatic hand treats one point in two to three seconds of target time:

| it sees | it does |
| --- | --- |
| READY | presses on the next point; lifts and tries again when no contact shows |
| CONTACT | pulls the trigger; lifts and tries again when no shot begins |
| INJECT | keeps still |
| HOP | lifts and presses on the next point, the trigger held; twice as quick as otherwise |
| GLIDE | glides on, the trigger held, `GLIDE_PER_S` points a second |
| LIFT light, DONE or MISSED tone | lets go of the trigger, lifts |
| CHANGE_NEEDLE, CHANGE_SYRINGE | changes it within `CHANGE_S`, adjusts the nose-piece with the jig |
| ZERO | fits the zero tool within `TOOL_S`; takes it off when the light goes |
| a low alarm | goes on by touch and by the contact tone |
| anything else | lets go, lifts, waits |

Its delays are drawn from the seed, so the same lights at the same ticks give the same hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from sit_firmware import codes

from .clock import EventQueue, ticks_of_s
from .targets.errors import ControlError
from .world import World, check_action

CHANGE_S: Final = 2.2
"""A needle or syringe is changed and adjusted this long after its light has come at the latest."""
TOOL_S: Final = 0.5
"""The zero tool is on this long after its light has come at the latest."""

GLIDE_PER_S: Final = 9.0
"""Points that a gliding hand comes by in a second."""

_OVER_TONES = (codes.TONE_DONE, codes.TONE_MISSED)
_ASKS = (codes.LIGHT_CHANGE_NEEDLE, codes.LIGHT_CHANGE_SYRINGE, codes.LIGHT_ZERO)


class Hand(Protocol):
    """Somebody who holds the device."""

    name: str

    def see(self, light: int, tone: int) -> None:
        """The panel has changed."""


class NoHand:
    """Nobody: actions come from the control port alone."""

    name = "none"

    def see(self, light: int, tone: int) -> None:
        """Nobody looks."""


class AutoHand:
    """A therapist who does what the lights ask."""

    name = "auto"

    def __init__(self, world: World, events: EventQueue, now: Callable[[], int], seed: int) -> None:
        self._world = world
        self._events = events
        self._now = now
        self._random = random.Random(f"{seed} hand")
        self._light = codes.LIGHT_OFF
        self._tone = codes.TONE_OFF
        self._planned: list[int] = []
        self._moved = True
        self._plans: dict[int, Callable[[], None]] = {
            codes.LIGHT_READY: self._go_on,
            codes.LIGHT_CONTACT: self._pull,
            codes.LIGHT_INJECT: self._keep_still,
            codes.LIGHT_CHANGE_NEEDLE: self._change_needle,
            codes.LIGHT_CHANGE_SYRINGE: self._change_syringe,
            codes.LIGHT_ZERO: self._fit_tool,
            codes.LIGHT_ALARM_LOW: self._go_on,
            codes.LIGHT_HOP: self._hop,
            codes.LIGHT_GLIDE: self._glide,
        }

    def see(self, light: int, tone: int) -> None:
        """Look at the panel; drop what was planned and plan anew when it asks for something else."""
        light_before, self._light = self._light, light
        tone_before, self._tone = self._tone, tone
        if tone != tone_before and tone in _OVER_TONES:
            self._moved = False
            # the tone may come when the light asks for something else already
            self._plan(self._plans[light] if light in _ASKS else self._let_go)
        elif light != light_before:
            if light_before == codes.LIGHT_ZERO and self._world.tool_fitted:
                self._surely(0.3, "remove_zero_tool")
            self._plan(self._plans.get(light, self._let_go))
        elif tone != tone_before and tone == codes.TONE_CONTACT and light == codes.LIGHT_ALARM_LOW:
            self._plan(self._pull)

    # --- plans -------------------------------------------------------------------------------------

    def _plan(self, plan: Callable[[], None]) -> None:
        for handle in self._planned:
            self._events.drop(handle)
        self._planned.clear()
        plan()

    def _go_on(self) -> None:
        """Press on the next point; when pressing already and nothing shows, lift first."""
        if self._world.pulling or self._world.pressing:
            self._later(1.0, 1.2, self._then_let_go)
        else:
            self._later(0.9, 1.4, self._press)

    def _press(self) -> None:
        if not self._moved:
            self._world.act("next_site")
            self._moved = True
        self._world.act("press", 2.0 + self._random.uniform(-0.4, 0.4))
        self._later(1.5, 1.8, self._then_let_go)

    def _pull(self) -> None:
        """Pull the trigger when settled on the point; give up when no shot begins."""
        if not self._world.pressing:
            return
        self._later(0.2, 0.4, partial(self._world.act, "trigger"))
        self._later(2.0, 2.4, self._then_let_go)

    def _keep_still(self) -> None:
        self._moved = False

    def _hop(self) -> None:
        """Lift, press on the next point: the trigger stays pulled."""
        self._later(0.04, 0.06, partial(self._world.act, "lift"))
        self._later(0.1, 0.14, self._press_next)

    def _press_next(self) -> None:
        self._world.act("next_site")
        self._world.act("press", 2.0 + self._random.uniform(-0.4, 0.4))

    def _glide(self) -> None:
        """On to the next point, again and again: the next one comes whatever the device does meanwhile."""
        self._moved = False
        self._later(0.9 / GLIDE_PER_S, 1.1 / GLIDE_PER_S, self._glide_on)

    def _glide_on(self) -> None:
        self._world.act("next_site")
        self._glide()

    def _let_go(self) -> None:
        """Off the trigger, off the skin, then look again."""
        if self._world.pulling:
            self._later(0.08, 0.15, partial(self._world.act, "release"))
        if self._world.pressing:
            self._later(0.2, 0.4, partial(self._world.act, "lift"))
        if self._light in (codes.LIGHT_READY, codes.LIGHT_CONTACT, codes.LIGHT_ALARM_LOW):
            self._later(0.4, 0.5, lambda: self._plan(self._go_on))

    def _then_let_go(self) -> None:
        self._plan(self._let_go)

    def _change_needle(self) -> None:
        self._let_go()
        self._later(0.9, 1.2, partial(self._world.act, "change_needle"))
        self._later(1.4, 1.8, partial(self._world.act, "adjust"))

    def _change_syringe(self) -> None:
        """Once the old syringe is out the new one goes in, whatever the light does."""
        self._let_go()
        self._later(0.45, 0.6, self._swap_syringe)

    def _swap_syringe(self) -> None:
        self._world.act("cartridge_out")
        self._surely(1.0, "change_syringe")
        self._surely(1.0, "change_needle")
        self._surely(1.2, "cartridge_in")
        self._surely(1.5, "adjust")

    def _fit_tool(self) -> None:
        self._let_go()
        self._later(0.42, TOOL_S, partial(self._world.act, "fit_zero_tool"))

    # --- timing ------------------------------------------------------------------------------------

    def _later(self, least_s: float, most_s: float, call: Callable[[], object]) -> None:
        """Plan `call` between `least_s` and `most_s` from now."""
        wait = ticks_of_s(self._random.uniform(least_s, most_s))
        self._planned.append(self._events.at(self._now() + max(1, wait), call))

    def _surely(self, after_s: float, action: str) -> None:
        """An action that a changed light doesn't hold up."""
        self._events.at(self._now() + ticks_of_s(after_s), partial(self._world.act, action))


class ScriptHand:
    """Timed actions from a file: `SECONDS ACTION [NUMBER]` a line, # for comments."""

    def __init__(self, path: Path, world: World, events: EventQueue) -> None:
        self.name = str(path)
        for at_s, action, value in read_script(path):
            events.at(ticks_of_s(at_s), partial(world.act, action, value))

    def see(self, light: int, tone: int) -> None:
        """A script looks at nothing."""


def read_script(path: Path) -> list[tuple[float, str, float | None]]:
    """(seconds, action, number or None) of each line; ControlError naming file and line when one is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ControlError(f"{path}: the hand's script can't be read: {exc}.") from exc
    actions = []
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            if not 2 <= len(words) <= 3:
                raise ControlError("a line is SECONDS ACTION [NUMBER].")
            at_s = _number(words[0], "time")
            if not 0 <= at_s < 1e6:
                raise ControlError(f"the time {words[0]} must lie between 0 and 1000000 seconds.")
            value = _number(words[2], "number") if len(words) == 3 else None
            check_action(words[1], value)
        except ControlError as exc:
            raise ControlError(f"{path}:{number}: {exc}") from None
        actions.append((at_s, words[1], value))
    return actions


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ControlError(f"the {what} {text!r} isn't a number.") from None


def make_hand(spec: str, world: World, events: EventQueue, now: Callable[[], int], seed: int) -> Hand:
    """`auto`, `none`, or the path of a script."""
    if spec == "auto":
        return AutoHand(world, events, now, seed)
    if spec == "none":
        return NoHand()
    return ScriptHand(Path(spec), world, events)
