"""The plan check is the first of three layers that refuse: limits, slips, expiry, each one sentence with the line."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sit_host.plan_check import check_plan
from sit_host.plan_forecast import forecast
from sit_host.plan_limits import reference_equipment, reference_limits
from sit_host.plan_new import NewPlan, render_plan
from sit_host.plan_read import parse_plan, read_plan
from test_plan_read import GOOD

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "plans").glob("*.toml"))
TODAY = date(2026, 11, 22)
LIMITS = reference_limits()
HIGHEST_MM = LIMITS.max_depth_um / 1000


def problems_of(text, limits=LIMITS, today=TODAY):
    plan, found = parse_plan(text, "p.toml")
    assert plan is not None, found
    return check_plan(plan, limits, reference_equipment(), today, found)


def sentences(text, **other):
    return [problem.at("p.toml") for problem in problems_of(text, **other).problems]


def test_the_highest_depth_passes_and_one_micrometre_more_does_not():
    """Invariant 1: one micrometre over the highest settable depth is refused at plan check."""
    assert problems_of(GOOD.replace("depth_mm = 1.5", f"depth_mm = {HIGHEST_MM}")).ok
    checked = problems_of(GOOD.replace("depth_mm = 1.5", f"depth_mm = {HIGHEST_MM + 0.001:.3f}"))
    assert not checked.ok
    [problem] = [problem for problem in checked.problems if not problem.warning]
    assert problem.at("p.toml").startswith("p.toml:22: Point 7: depth")
    assert "is too deep" in problem.sentence


# change to GOOD -> words of the one sentence
SLIPS = [
    ("volume_ul = 5.0", "volume_ul = 100.001", "is too much, at most 100 uL"),
    ("volume_ul = 5.0", "volume_ul = 0.9", "less than the device can meter"),
    ("volume_ul = 5.0", "volume_ul = 2000.0", "was 2 meant?"),
    ("depth_mm = 1.5", "depth_mm = 15.0", "was 1.5 meant?"),
    ("depth_mm = 1.5", "depth_mm = 1200.0", "was 1.2 meant?"),
    ("depth_mm = 1.5", "depth_mm = 0.3", "less than the bevel of 30G4"),
    ("volume_ul = 5.0", "volume_ul = 100.0", "like a slipped decimal point"),
    ("total_ul = 25.0", "total_ul = 250.0", "ten times apart"),
    ("total_ul = 25.0", "total_ul = 0.025", "a thousand times apart"),
    ("total_ul = 25.0", "total_ul = 26.0", "but the points add up to 25 uL"),
    ("points = 3", "points = 4", "`points` says 4 but the plan has 3"),
    ("expiry = 2031-03-31", "expiry = 2026-11-21", "expired on 2026-11-21"),
    ('syringe = "bd_1ml"', 'syringe = "bd1ml"', 'did you mean "bd_1ml"?'),
    ('needle = "30G4"', 'needle = "29G4"', "Unknown needle"),
    ('name = "cheek"\n[[grid]]', 'name = "cheek"\nmax_ul = 20.0\n[[grid]]', "over its own `max_ul`"),
    ("viscosity_mpa_s = 1.0", "viscosity_mpa_s = 1500.0", "highest flow allowed"),
]


@pytest.mark.parametrize(("old", "new", "words"), SLIPS, ids=[slip[1] for slip in SLIPS])
def test_a_slip_is_refused(old, new, words):
    """Plans: impossible amounts, 10x slips, an expired product and limits are refused in one sentence each."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    found = [problem for problem in problems_of(text).problems if words in problem.sentence]
    assert len(found) == 1, sentences(text)
    assert not found[0].warning


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_session_nl": 24_999}, "a session may give 24.999 uL"),
        ({"max_site_nl": 24_999}, "a site may get 24.999 uL"),
        ({"max_shot_nl": 9_999}, "at most 9.999 uL goes into one point"),
        ({"max_points": 2}, "the device holds 2"),
        ({"syringe_id": 2}, 'calibrated for "bd_3ml", not "bd_1ml"'),
    ],
)
def test_a_devices_limit_is_kept(change, words):
    """Invariant 2: a plan is weighed against the limits of the device that will give it."""
    assert problems_of(GOOD).ok
    checked = problems_of(GOOD, limits=replace(LIMITS, **change))
    assert not checked.ok
    assert any(words in problem.sentence for problem in checked.problems)


@pytest.mark.parametrize(("least_ul", "warned"), [(9.999, True), (10.0, False)])
def test_a_soft_syringe_is_warned_of(least_ul, warned):
    """Metering: a plastic syringe can't be vouched for below 10 uL; the plant's border is that of `region`."""
    text = GOOD.replace('"bd_1ml"', '"plastic_1ml"').replace("volume_ul = 5.0", f"volume_ul = {least_ul}")
    found = [problem for problem in problems_of(text).problems if "too soft" in problem.sentence]
    assert [problem.warning for problem in found] == [True] * warned


def test_a_deliberate_outlier_passes():
    """Plans: a dose far from the plan's usual one is refused unless its author says that it is meant."""
    text = GOOD.replace("volume_ul = 5.0", "volume_ul = 100.0").replace("total_ul = 25.0", "total_ul = 120.0")
    assert not problems_of(text).ok
    assert problems_of(text + "deliberate = true\n").ok


def test_a_product_that_expires_today_is_still_good():
    """Plans: a product may be used up to its expiry date, and not a day longer."""
    assert problems_of(GOOD, today=date(2031, 3, 31)).ok
    assert not problems_of(GOOD, today=date(2031, 4, 1)).ok


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_pass(file):
    """Plans: every example passes its own check and says what it needs."""
    plan, found = read_plan(file)
    checked = check_plan(plan, LIMITS, reference_equipment(), TODAY, found)
    assert checked.ok, [problem.at(file.name) for problem in checked.problems]
    need = forecast(checked)
    assert need.points == plan.totals.points
    assert need.residual_nl >= 0
    assert need.syringes == (2 if "two-syringes" in file.stem else 1)


def test_there_are_three_examples_and_one_is_the_30_point_run():
    """Plans: `make run` gives 30 points of 5 to 20 uL at 1.2 to 1.8 mm, 300 uL in all, from one syringe."""
    assert len(EXAMPLES) >= 3
    plan, _ = read_plan(next(file for file in EXAMPLES if file.stem == "face-30-points"))
    assert len(plan.points) == 30
    assert plan.sum_nl == 300_000
    assert {point.volume_nl for point in plan.points} == {5_000, 10_000, 20_000}
    assert {point.depth_um for point in plan.points} == {1200, 1500, 1800}


@pytest.mark.parametrize("name", ["Face", 'A "quoted" \\ name', "Gesicht, 30 Punkte µ"])
def test_a_new_plan_passes_its_own_check(name):
    """Plans: what `sit plan new` writes is commented and passes the check, whatever text is typed."""
    new = NewPlan(
        name=name,
        area="face",
        site="cheek",
        product="Saline",
        lot="A1",
        expiry=date(2031, 3, 31),
        viscosity_mpa_s=1.0,
        syringe="bd_1ml",
        needle="30G4",
        rows=3,
        cols=7,
        spacing_mm=10.0,
        depth_mm=1.2,
        volume_ul=7.3,
    )
    text = render_plan(new, reference_equipment(), LIMITS, "p.toml")
    checked = problems_of(text)
    assert checked.problems == ()
    assert checked.plan.head.name == name
    assert checked.plan.sum_nl == 21 * 7_300
    assert text.count("#") > 10


SMALL = GOOD.replace("volume_ul = 10.0", "volume_ul = 5.0").replace("total_ul = 25.0", "total_ul = 15.0")
RUN = '\n[run]\nhow = "glide"\nrate_per_s = 9.0\nplace_max_ul = 60.0\n'
RUN_SLIPS = [
    ('"glide"', '"jump"', "`how` must be 'glide' or 'hop'"),
    ("rate_per_s = 9.0", "rate_per_s = 12.0", "allows 10 at most"),
    ("rate_per_s = 9.0", "rate_per_s = 0.5", "can't be less than 1"),
    ("place_max_ul = 60.0", "place_max_ul = 101.0", "one place may get what one point may"),
    ("place_max_ul = 60.0", "place_max_ul = 2.0", "less than the largest point"),
    ("place_max_ul = 60.0", "place_nl = 60000", "Unknown key `place_nl` in [run]"),
]


def test_a_run_is_planned():
    """Repetitive mode: a plan with a [run] that goes has its flow and times; one without has none."""
    checked = problems_of(SMALL + RUN)
    assert checked.ok, checked.problems
    assert checked.run.glides and checked.run.period_ms == 111 and checked.run.place_nl == 60_000
    assert forecast(checked).run_per_s == pytest.approx(9.0, rel=0.01)
    assert problems_of(SMALL).run is None


@pytest.mark.parametrize(("text", "wrong", "words"), RUN_SLIPS)
def test_a_slip_in_a_run_is_told(text, wrong, words):
    """Bad input: each slip in a [run] is one sentence."""
    found = sentences(SMALL + RUN.replace(text, wrong))
    assert sum(words in sentence for sentence in found) == 1, found


def test_a_run_that_cannot_be_is_refused_with_the_nearest():
    """Flow planner: a dose too large for the rate is refused at plan check, with what would go."""
    text = SMALL.replace("volume_ul = 5.0", "volume_ul = 20.0").replace("total_ul = 15.0", "total_ul = 60.0")
    [sentence] = [s for s in sentences(text + RUN) if "isn't possible" in s]
    assert "uL per point is the most that does" in sentence and "a second is the most for this dose" in sentence
