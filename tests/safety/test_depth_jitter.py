"""Invariant 1 with ticks that come early or late as the RP2040's do: no false alarm, and a stuck drive is stopped."""

import pytest
from sit_sim.campaign.depths import deepest
from sit_sim.plant import reference

ZERO_UM = reference()["zero"]["uncertainty_um"]
JITTER_US = reference()["tick"]["jitter_us"]


@pytest.mark.parametrize(
    ("fault", "arguments", "seeds"),
    [
        (None, {}, 80),
        ("drive_stuck_full", {}, 40),
        ("drive_stuck_full", {"flag": False}, 40),
        ("drive_stuck_full", {"skin": False}, 40),
        ("encoder_frozen", {}, 40),
    ],
)
def test_ticks_that_come_early_or_late(fault, arguments, seeds, figure):
    """Invariant 1: with the RP2040's parameters, its late outputs and its jitter the limit holds; no false alarm."""
    depths = deepest(range(seeds), fault, board="rp2040", jitter_us=JITTER_US, **arguments)
    figure(f"jitter, {fault} {arguments}: margin {depths.margin_um(ZERO_UM):.1f} um", depths.margin_um(ZERO_UM))
    assert depths.margin_um(ZERO_UM) >= 0, depths.runs[0]
    if fault is None:
        assert dict(depths.latched()) == {"none": seeds}
