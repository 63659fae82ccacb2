"""Zero and scale of the depth from readings: the line, its uncertainty, the verdict at the highest depth."""

import random

import pytest
from sit_host.calibrate.depth import fit_depths
from sit_host.errors import WorkFailed

DEPTHS = (600, 1200, 1800) * 5


def readings(zero_um=0.0, scale=1.0, scatter_um=2.0):
    noise = random.Random(1)
    return [(asked, scale * asked + zero_um + noise.gauss(0, scatter_um)) for asked in DEPTHS]


@pytest.mark.parametrize(("zero_um", "scale"), [(0, 1), (8, 1), (-12, 1), (0, 1.004), (5, 0.996)])
def test_zero_and_scale_are_found_within_their_uncertainty(zero_um, scale):
    """Calibration: what was put into the readings is found."""
    found = fit_depths(readings(zero_um, scale), 1900)
    assert abs(found.zero_um - zero_um) <= found.zero_u_um * 1.5
    assert abs(found.scale_permille - 1000 * (scale - 1)) <= found.scale_u_permille * 1.5
    assert abs(found.worst_um - ((scale - 1) * 1900 + zero_um)) < 4


@pytest.mark.parametrize(
    ("made", "passes", "words"),
    [
        (readings(), True, "Nothing"),
        (readings(zero_um=24), False, "zero is off by"),
        (readings(scale=1.02), False, "scale is off by"),
        (readings(scatter_um=40), False, "scatter too much"),
    ],
)
def test_the_verdict_holds_at_the_highest_depth(made, passes, words):
    """Invariant 1: passes only when the error at the highest depth surely is within the guard band's 20 um."""
    found = fit_depths(made, 1900)
    assert found.passes is passes and words in found.advice


@pytest.mark.parametrize("few", [[(600, 600.0)] * 5, [(600, 600.0), (1200, 1200.0), (1800, 1800.0)]])
def test_too_few_readings_are_refused(few):
    """Calibration: one depth, or three readings, tell nothing."""
    with pytest.raises(WorkFailed):
        fit_depths(few, 1900)
