"""The bring-up checklist of docs/bringup.md as data: what the operator does, and how each step is proved."""

from __future__ import annotations

from dataclasses import dataclass

from sit_host._gen.messages import Prime, Selftest, Zero
from sit_host.wire import Message

PRIME_NL = 100000
_HAND = "trigger", "contact", "syringe present", "service jumper", "pairing button"


@dataclass(frozen=True)
class Step:
    """One step. `shows`: the device must answer; `inputs`: bits of STATUS that the operator must bring to life.

    `boots`: how often the supply is taken away. `work`: what the device then does; with it something moves or is
    driven. `ask`: what only a person can prove.
    """

    number: int
    do: str
    ask: str = ""
    shows: bool = False
    inputs: tuple[str, ...] = ()
    boots: int = 0
    work: Message | None = None

    @property
    def device(self) -> bool:
        """Whether this program talks to the device; otherwise its port is free for other commands."""
        return bool(self.shows or self.inputs or self.boots or self.work)


STEPS = (
    Step(1, "Board alone on USB, its firmware written by `sit flash`.", shows=True),
    Step(2, "Resistors to the safe levels, no actuator; hold the chip in reset.", "Is every output at its level?"),
    Step(3, "FRAM fitted. Take the supply away and give it back, five times.", boots=5),
    Step(4, "Panel chain, lights and buzzer fitted.", "Did the lights show and the tones sound when it started?"),
    Step(5, "Trigger, contact, syringe, jumper, pairing button: each by hand.", inputs=_HAND),
    Step(6, "Supply at 8.5, 9.5, 12 and 13 V, the drive not connected.", "Is it read within 1 %?", shows=True),
    Step(
        7,
        "Interlock, 100 ohm in place of the coil; scope on the cut-offs.",
        "Is it off within 76 us?",
        inputs=("e-stop",),
    ),
    Step(8, "Current limit, 8 ohm in place of the coil.", "Is it 0.76 A +- 10 %?"),
    Step(9, "Dead-man: scope on the monostable, stop the processor.", "Is the pulse 275 to 500 us?"),
    Step(
        10,
        "Coil, spring, carriage; 2.0 mm stop fitted, no needle. Push it by hand.",
        "Does depth follow the gauge?",
    ),
    Step(11, "Flag: push by hand until it sets.", "Do both cut-offs open 2.735 mm from park, +- 0.015?"),
    Step(12, "First drive: the bench is clear, a hand on the e-stop.", work=Selftest()),
    Step(13, "Needle, jig and zero tool fitted.", work=Zero()),
    Step(14, "Load cell with known weights, pressure sensor against a gauge.", "Do both read within 2 %?"),
    Step(15, "Syringe and water, needle up over a swab.", "Is the air out?", work=Prime(PRIME_NL)),
    Step(16, "Limits and calibration: read `sit settings`.", "Are they the ones of this unit?"),
    Step(17, "One point of 10 uL into a phantom on a balance: `sit treat plan.toml`.", "Does the record hold it?"),
    Step(18, "E-stop, `sit stop`, cable out and supply off, each in a shot.", "Has each left a record, nothing twice?"),
    Step(19, "15 min of repetitive rows.", "Is the coil below 110 degC, the housing below 43?"),
)
