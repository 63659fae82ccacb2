"""The cases of the fault campaign: a seed is a unit, a shot, a fault of the closed lists and its moment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sit_firmware import codes
from sit_sim.faults import F1, F2

# where a fault strikes: before a step of the preparation, at a time of the session, or in a phase of a shot
PREPARING = ("selftest", "zero", "prime", "arm")
WAITING = ("armed", "contact", "trigger", "between")
PHASES = {
    "approach": (codes.PHASE_APPROACH, 4.0),
    "insert": (codes.PHASE_INSERT, 12.0),
    "settle": (codes.PHASE_SETTLE, 30.0),
    "dispense": (codes.PHASE_DISPENSE, 150.0),
    "dwell": (codes.PHASE_DWELL, 20.0),
    "retract": (codes.PHASE_RETRACT, 12.0),
}
MOMENTS = (*PREPARING, *WAITING, *PHASES)
"""Phases have (number, about how long they last in ms): the fault comes at a random time of it."""
_WEIGHTS = (1,) * len(PREPARING) + (2,) * len(WAITING) + (5,) * len(PHASES)
SHOTS = 2
_SHALLOWEST_UM, _LEAST_NL, _MOST_NL = 400, 1000, 20_000


@dataclass(frozen=True)
class Case:
    """One run: everything about it follows from `seed` and `faults`, the list it is drawn from."""

    seed: int
    faults: str
    fault: str
    args: dict[str, float]
    moment: str
    after_ms: float
    depth_share: float
    """Depth between the shallowest and the highest that the device allows, as a share."""
    volume_nl: int
    shot: int
    """The fault strikes in this shot, from 1, when its moment lies in one."""

    def depth_um(self, most_um: int) -> int:
        """The depth of the shots on a device that allows `most_um`."""
        return round(_SHALLOWEST_UM + self.depth_share * (most_um - _SHALLOWEST_UM))


def names(faults: str) -> list[str]:
    """The faults of a list, `f1` or `f2`, and `none` for a run without one."""
    return ["none", *(member.name.lower() for member in (F1 if faults == "f1" else F2))]


def _args(draw: random.Random, fault: str) -> dict[str, float]:
    """The fault's arguments: its usual ones, or others as likely."""
    choices: dict[str, dict[str, tuple[float, ...]]] = {
        "encoder_scaled": {"factor": (0.5, 0.7, 0.9)},
        "encoder_jump": {"jump_um": (-100, -20, 100)},
        "coil_weak": {"lost_fraction": (0.2, 0.5, 0.9)},
        "steps_lost": {"lost_fraction": (0.1, 0.5, 1.0)},
        "steps_extra": {"steps_per_tick": (0.1, 0.5, 2.0)},
        "occlusion": {"factor": (10.0, 100.0, 1000.0)},
        "supply_drop": {"supply_mv": (4000, 7000, 10_000)},
        "wrong_zero": {"error_um": (-20, 20)},
        "link_noise": {"share": (0.01, 0.1, 0.5)},
    }
    return {name: draw.choice(values) for name, values in choices.get(fault, {}).items()}


def case_of(seed: int, faults: str) -> Case:
    """The case of a seed. Faults come in turn, so that each has its share of any number of runs."""
    draw = random.Random(f"{seed} campaign {faults}")
    known = names(faults)
    fault = known[seed % len(known)]
    args = _args(draw, fault)
    moment = draw.choices(MOMENTS, _WEIGHTS)[0]
    if fault == "wrong_zero":
        moment = "zero"  # it acts when the gate is looked at
    elif fault == "needle_reseated":
        moment = draw.choice(WAITING)  # its name says when
    after_ms = draw.uniform(0, PHASES[moment][1]) if moment in PHASES else draw.uniform(0, 40)
    return Case(
        seed,
        faults,
        fault,
        args,
        moment,
        after_ms,
        1.0 if draw.random() < 0.5 else draw.random(),
        draw.randrange(_LEAST_NL, _MOST_NL),
        draw.randrange(1, SHOTS + 1),
    )


def commands(case: Case) -> list[tuple[float, dict[str, Any]]]:
    """(ms from the moment, command of the control port) that bring the fault about."""
    if case.fault == "none":
        return []
    begin = {"do": "fault", "name": case.fault, **case.args}
    if case.fault != "wrong_syringe":
        return [(0, begin)]
    # nobody can change a syringe without taking the old one out
    out, back = ({"do": "hand", "action": action} for action in ("cartridge_out", "cartridge_in"))
    return [(0, out), (300, begin), (600, back)]
