"""Verdicts: the figures of a series are the standards' figures, and a bad series fails."""

import pytest
from sit_host._gen.enums import Phase
from sit_host.log_recording import Columns
from sit_host.qa import depth, dose
from sit_host.qa.rate import rate
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


@pytest.mark.parametrize(("ratio", "passes"), [(0.96, True), (1.049, True), (0.94, False), (1.06, False)])
def test_rate_verdict_has_two_sides(ratio, passes):
    """Numbers: a mean flow more than 5 % from the one asked for fails, however right the volume."""
    doses = [dose.Dose(10_000, 10_000 + n % 2, n / 6, ratio) for n in range(6)]
    (row,) = dose.verdict(doses)
    assert (row["rate"]["passes"], row["passes"]) == (passes, passes)
    (short,) = dose.verdict([dose.Dose(1_000, 1_000.0, 0.0)] * 2)
    assert short["rate"]["passes"] is None and short["passes"]


def recorded(nl_per_ms, volume_nl):
    """A recording of a delivery at a steady flow after a rise, one image each 4 ms, then a dwell."""
    passed = [min(volume_nl, max(0, round(nl_per_ms * (4 * n - 8)))) for n in range(60)]
    phases = [Phase.DISPENSE if nl < volume_nl else Phase.DWELL for nl in passed]
    ticks = [16 * n for n in range(60)]
    return Columns(250, 0, {"IN_TICK": ticks, "ST_PHASE": phases, "ST_NEEDLE_NL": passed}, {})


def test_the_rate_is_that_of_the_middle():
    """Numbers: the flow between a quarter and three quarters of the dose; none for a dose of less than 30 ms."""
    assert rate(recorded(57.0, 10_000), 10_000, 60_000) == pytest.approx(0.95, abs=0.002)
    assert rate(recorded(60.0, 1_000), 1_000, 60_000) is None


def test_depth_verdict_has_two_sides():
    """Numbers: |mean| + 3 s is at most 25 um, and no tip beyond 2000 um."""
    rows = depth.verdict(
        [(1000, 1005.0), (1000, 1010.0), (1500, 1480.0), (1500, 1510.0), (1999, 2000.5), (1999, 2000.0)]
    )
    assert [row["passes"] for row in rows] == [True, False, False]
    with pytest.raises(ValueError, match="two readings"):
        depth.verdict([(1000, 1000.0)])
