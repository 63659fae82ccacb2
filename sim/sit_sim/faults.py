"""The closed lists of faults: F1, that the true depth limit must outlive one at a time, and F2, that only hardware
can cover. Moving one to F2 takes a decision record.

Each says what happens, its arguments with their usual values, and where it is brought about: `plant` by
`Plant.fault`, `target` by the simulated target (firmware, link, store), `hand` by who holds the device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


@dataclass(frozen=True)
class FaultKind:
    """What a fault does, where, and its arguments (unit in the name) with their usual values."""

    doc: str
    where: Literal["plant", "target", "hand"] = "plant"
    args: dict[str, float] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.doc)


class F1(Enum):
    """Single faults: true tip <= 2000 um with no mechanical stop."""

    # position sensors
    ENCODER_FROZEN = FaultKind("The encoder stays at its count.")
    ENCODER_SCALED = FaultKind("The encoder counts only a part of the motion.", args={"factor": 0.7})
    ENCODER_REVERSED = FaultKind("The encoder counts backwards.")
    ENCODER_JUMP = FaultKind("The encoder jumps once and goes on from there.", args={"jump_um": -100})
    FLAG_STUCK_OFF = FaultKind("The flag is never set; it opens nothing.")
    FLAG_STUCK_ON = FaultKind("The flag is always set and holds the drive off.")
    COMB_DEAD = FaultKind("The comb gives no more edges.")
    GATE_STUCK_OFF = FaultKind("The light gate never breaks.")
    GATE_STUCK_ON = FaultKind("The light gate is always broken.")
    WRONG_ZERO = FaultKind("The gate breaks too late, within the stated uncertainty.", args={"error_um": 20})
    # other sensors
    CONTACT_STUCK_ON = FaultKind("The contact switch stays closed.")
    CONTACT_STUCK_OFF = FaultKind("The contact switch stays open.")
    CONTACT_OFFSET = FaultKind("The contact force reads too much.", args={"offset_mn": 1000})
    LOAD_OFFSET = FaultKind("The plunger load cell reads too much.", args={"offset_mn": 5000})
    PRESSURE_OFFSET = FaultKind("The in-line pressure reads too much.", args={"offset_pa": 100_000})
    # drive
    DRIVE_STUCK_FULL = FaultKind("The bridge drives at full supply whatever is asked; the high-side switch works.")
    BRIDGE_STUCK_ON = FaultKind("The bridge enable won't open; the duty is obeyed.")
    SWITCH_STUCK_ON = FaultKind("The high-side switch won't open.")
    DEADMAN_STUCK_ON = FaultKind("The dead-man never lets go.")
    COIL_WEAK = FaultKind("The coil has lost part of its force.", args={"lost_fraction": 0.5})
    DRIVER_FAULT = FaultKind("A motor driver reports a fault.")
    SUPPLY_DROP = FaultKind("The supply falls.", args={"supply_mv": 7000})
    SUPPLY_HIGH = FaultKind("The supply rises.", args={"supply_mv": 15000})
    # plunger and fluid
    STEPS_LOST = FaultKind("The plunger motor loses a part of its steps.", args={"lost_fraction": 0.5})
    STEPS_EXTRA = FaultKind("The step generator runs by itself.", args={"steps_per_tick": 2.0})
    OCCLUSION = FaultKind("The line is nearly blocked.", args={"factor": 1000.0})
    # people
    TRIGGER_STUCK = FaultKind("The trigger stays pressed.")
    ESTOP = FaultKind("The e-stop is pressed.")
    EARLY_LIFT = FaultKind("The device is lifted in the middle of a shot.", "hand")
    NO_SKIN = FaultKind("The shot is given with the contact switch pressed by something else than skin.", "hand")
    WRONG_SYRINGE = FaultKind("Another syringe is fitted than the one asked for.", "hand", {"syringe_id": 2})
    # processor: what the plant sees of it is TICK_HUNG; the target brings about the others in the firmware
    TICK_HUNG = FaultKind("The processor stands still: outputs stay as they are, no token, no more steps.")
    TICK_EXCEPTION = FaultKind("An exception is raised inside the tick.", "target")
    BACKGROUND_HUNG = FaultKind("The background loop stands still; the tick goes on.", "target")
    RESET = FaultKind("The processor resets.", "target")
    POWER_CUT = FaultKind("The power goes and comes back.", "target")
    # link and store
    LINK_LOST = FaultKind("The cable is pulled.", "target")
    LINK_NOISE = FaultKind("Bytes on the link are changed.", "target", {"share": 0.01})
    LINK_REPEAT = FaultKind("Frames on the link come twice.", "target")
    HOST_SILENT = FaultKind("The host stops talking.", "target")
    STORE_ERROR = FaultKind("The store answers with an error.", "target")


class F2(Enum):
    """Faults that only hardware covers; campaigns run them with the mechanical stop fitted."""

    BOTH_CUTOFFS = FaultKind("Bridge and high-side switch are both stuck on, the bridge at full supply.")
    SPRING_BROKEN = FaultKind("The return spring is gone.", args={"lost_fraction": 1.0})
    COUPLING_SLIPPED = FaultKind("The needle slips on the carriage, forward.", args={"slip_um": 200})
    NEEDLE_RESEATED = FaultKind("The needle is seated anew after zeroing.", args={"shift_um": 150})


BY_NAME: dict[str, F1 | F2] = {member.name.lower(): member for kind in (F1, F2) for member in kind}
"""Every fault by the name that scenarios use."""


def find(name: str) -> F1 | F2:
    """The fault called `name`; ValueError that lists the names otherwise."""
    if name not in BY_NAME:
        raise ValueError(f"there is no fault {name!r}: use one of {', '.join(sorted(BY_NAME))}.")
    return BY_NAME[name]


def arguments(fault: F1 | F2, given: dict[str, float]) -> dict[str, float]:
    """The fault's usual arguments with the `given` ones over them; ValueError for one that it hasn't."""
    usual = fault.value.args
    for name in given:
        if name not in usual:
            known = ", ".join(usual) or "none"
            raise ValueError(f"the fault {fault.name.lower()} has no argument {name!r}: it takes {known}.")
    return {**usual, **given}
