"""Invariant 1 under single faults, on the bare loop with the mechanical stop away: the true tip and its margin.

Each run is another unit of the stated spread, with the fault at a seeded moment; half of the shots are the deepest that
can be set. The zero's stated uncertainty is taken off the limit, for it can hide in every one of them.
"""

import pytest
from sit_sim.campaign.depths import deepest
from sit_sim.plant import reference

ZERO_UM = reference()["zero"]["uncertainty_um"]

# fault and its arguments, number of seeds: many where the guard has to be quick
FAULTS = [
    ("drive_stuck_full", {}, 400),
    ("encoder_frozen", {}, 600),
    ("encoder_scaled", {"factor": 0.7}, 300),
    ("encoder_scaled", {"factor": 0.9}, 200),
    ("encoder_scaled", {"factor": 0.5}, 300),
    ("encoder_scaled", {"factor": 0.4}, 150),
    ("encoder_scaled", {"factor": 0.3}, 150),
    ("encoder_reversed", {}, 300),
    ("encoder_jump", {"jump_um": -100}, 200),
    ("encoder_jump", {"jump_um": -20}, 200),
    ("encoder_jump", {"jump_um": 100}, 100),
    ("tick_hung", {}, 300),
    ("flag_stuck_off", {}, 60),
    ("flag_stuck_on", {}, 60),
    ("comb_dead", {}, 60),
    ("bridge_stuck_on", {}, 60),
    ("switch_stuck_on", {}, 60),
    ("deadman_stuck_on", {}, 60),
    ("coil_weak", {}, 60),
    ("supply_drop", {}, 60),
    ("supply_high", {}, 60),
    ("driver_fault", {}, 60),
    ("estop", {}, 60),
    ("steps_lost", {}, 60),
    ("steps_extra", {}, 60),
    ("occlusion", {}, 60),
    ("contact_stuck_on", {}, 60),
    ("contact_stuck_off", {}, 60),
    ("contact_offset", {}, 60),
    ("load_offset", {}, 60),
    ("pressure_offset", {}, 60),
    ("trigger_stuck", {}, 60),
]


@pytest.mark.parametrize(("fault", "arguments", "seeds"), FAULTS)
def test_single_fault(fault, arguments, seeds, figure):
    """Invariant 1: no single fault of F1 takes the true tip past 2000 um less the zero's uncertainty."""
    depths = deepest(range(seeds), fault, **arguments)
    figure(
        f"{fault} {arguments}: margin {depths.margin_um(ZERO_UM):.1f} um, {dict(depths.latched())}",
        depths.margin_um(ZERO_UM),
    )
    assert depths.margin_um(ZERO_UM) >= 0, depths.runs[0]


def test_stuck_drive_without_skin(figure):
    """Invariant 1: the guard stops a stuck drive alone, with no skin to help."""
    depths = deepest(range(400), "drive_stuck_full", skin=False)
    figure(f"stuck drive, no skin: margin {depths.margin_um(ZERO_UM):.1f} um", depths.margin_um(ZERO_UM))
    assert depths.margin_um(ZERO_UM) >= 0, depths.runs[0]


def test_stuck_drive_with_the_guard_alone(figure):
    """Invariant 1: the envelope does it without the flag."""
    depths = deepest(range(200), "drive_stuck_full", flag=False)
    figure(f"stuck drive, no flag: margin {depths.margin_um(ZERO_UM):.1f} um", depths.margin_um(ZERO_UM))
    assert depths.margin_um(ZERO_UM) >= 0, depths.runs[0]


@pytest.mark.parametrize("fault", ["drive_stuck_full", "encoder_frozen"])
def test_the_same_faults_pass_the_limit_without_guard_and_flag(fault, figure):
    """Invariant 1: without guard and flag the same runs do pass 2000 um: the plant isn't kind, the controls work."""
    depths = deepest(range(40), fault, guard=False, flag=False)
    past = sum(run.tip_um > 2000 for run in depths.runs)
    figure(f"{fault} without guard and flag: {past} of {len(depths.runs)} past 2000 um, to {depths.deepest_um:.0f} um")
    assert depths.deepest_um > 2000
    if fault == "drive_stuck_full":
        assert past == len(depths.runs)


def test_frozen_encoder_needs_flag_and_guard(figure):
    """Invariant 1: for a frozen encoder neither flag nor guard is enough alone, so both are real controls."""
    without_flag = deepest(range(200), "encoder_frozen", flag=False)
    without_guard = deepest(range(200), "encoder_frozen", guard=False)
    figure(f"frozen: to {without_flag.deepest_um:.0f} um without flag, {without_guard.deepest_um:.0f} without guard")
    assert without_flag.margin_um(ZERO_UM) < 0
    assert without_guard.margin_um(ZERO_UM) < 0


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [
        (None, {}),
        ("drive_stuck_full", {}),
        ("encoder_frozen", {}),
        ("encoder_scaled", {"factor": 0.5}),
        ("encoder_reversed", {}),
        ("tick_hung", {}),
    ],
)
def test_a_board_whose_outputs_come_late(fault, arguments, figure):
    """Invariant 1: the RP2040's outputs come later than the reference's; with its own parameters the limit holds."""
    depths = deepest(range(200), fault, board="rp2040", **arguments)
    figure(f"rp2040, {fault} {arguments}: margin {depths.margin_um(ZERO_UM):.1f} um", depths.margin_um(ZERO_UM))
    assert depths.margin_um(ZERO_UM) >= 0, depths.runs[0]
    if fault is None:
        assert dict(depths.latched()) == {"none": 200}
