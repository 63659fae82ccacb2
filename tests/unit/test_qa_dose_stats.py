"""Verdicts: the figures of a series are the standards' figures, and a bad series fails."""

import pytest
from sit_host.qa import depth, dose
from sit_host.qa.stats import spread, tolerance_factor, trumpet


def test_tolerance_factor_is_that_of_the_standard():
    """Numbers: k of a two-sided 97.5 % / 95 % tolerance interval; 2.67 at n = 60 (ISO 11608-1), falling to 2.24."""
    assert tolerance_factor(60) == pytest.approx(2.67, abs=0.005)
    factors = [tolerance_factor(n) for n in (2, 5, 10, 60, 1000, 10**7)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(2.2414, abs=0.002)


def test_systematic_and_random_error():
    """Numbers: mean and standard deviation of the errors in percent of the nominal volume."""
    found = spread([990.0, 1010.0, 1030.0], 1000)
    assert (found.n, found.systematic, found.random) == (3, pytest.approx(1.0), pytest.approx(2.0))
    with pytest.raises(ValueError, match="two values"):
        spread([1000.0], 1000)


def test_trumpet_narrows_and_keeps_the_worst_window():
    """Numbers: a window's error is the mean over shots in a row, the curve its lowest and highest."""
    curve = trumpet([900.0, 1100.0, 900.0, 1100.0, 1000.0], 1000)
    assert [n for n, _, _ in curve] == [1, 2, 5]
    assert curve[0][1:] == (pytest.approx(-10), pytest.approx(10))
    assert curve[1][1:] == (pytest.approx(0), pytest.approx(5))
    assert curve[2][1:] == (pytest.approx(0), pytest.approx(0))


@pytest.mark.parametrize(
    ("volume_nl", "limits"), [(1000, (5, 5)), (500, (10, 10)), (8000, (1.5, 1)), (200_000, (0.8, 0.3))]
)
def test_limits_between_the_stated_volumes(volume_nl, limits):
    """Numbers: the absolute limit of the next larger stated volume holds."""
    assert dose.limits_percent(volume_nl) == pytest.approx(limits)


@pytest.mark.parametrize(
    ("low_nl", "high_nl", "passes", "pen"),
    [(9_950, 10_050, True, True), (10_100, 10_200, False, True), (9_800, 10_200, False, False)],
)
def test_dose_verdict_has_two_sides(low_nl, high_nl, passes, pen):
    """Numbers: a bias or a scatter beyond the limits fails, by the pipette's limits and by the pen's."""
    doses = [dose.Dose(10_000, low_nl if n % 2 else high_nl, n / 60) for n in range(60)]
    (row,) = dose.verdict(doses)
    assert (row["passes"], row["pen_passes"]) == (passes, pen)
    assert [part["n"] for part in row["by_position"].values()] == [20, 20, 20]


def test_depth_verdict_has_two_sides():
    """Numbers: |mean| + 3 s is at most 25 um, and no tip beyond 2000 um."""
    rows = depth.verdict(
        [(1000, 1005.0), (1000, 1010.0), (1500, 1480.0), (1500, 1510.0), (1999, 2000.5), (1999, 2000.0)]
    )
    assert [row["passes"] for row in rows] == [True, False, False]
    with pytest.raises(ValueError, match="two readings"):
        depth.verdict([(1000, 1000.0)])
