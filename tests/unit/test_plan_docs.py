"""The pages for users know every key, light, alarm and fault there is, and their example works."""

import re
from datetime import date
from pathlib import Path

import pytest
from sit_host._gen import enums
from sit_host._gen.statuses import ALARMS, STATUSES
from sit_host.plan import GridEntry, Head, PointEntry, Product, Site, Totals
from sit_host.plan_check import check_plan
from sit_host.plan_limits import reference_equipment, reference_limits
from sit_host.plan_read import parse_plan

DOCS = Path(__file__).parents[2] / "docs"
PLANS = (DOCS / "plans.md").read_text(encoding="utf-8")
THERAPIST = (DOCS / "therapist.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [Head, Product, Totals, Site, PointEntry, GridEntry])
def test_every_key_is_explained(table):
    """docs/plans.md: every key that a plan may have."""
    rows = [line for line in PLANS.splitlines() if line.startswith("|")]
    assert [key for key in table.model_fields if not any(f"`{key}`" in row for row in rows)] == []


def test_the_example_is_a_good_plan():
    """docs/plans.md: its example passes the check."""
    text = re.search(r"```toml\n(.*?)```", PLANS, re.DOTALL).group(1)
    plan, found = parse_plan(text)
    checked = check_plan(plan, reference_limits(), reference_equipment(), date(2026, 11, 22), found)
    assert checked.problems == ()


def test_the_sentence_shown_is_the_one_that_comes():
    """docs/plans.md: the error it shows is what `sit check` says."""
    text = re.search(r"```toml\n(.*?)```", PLANS, re.DOTALL).group(1).replace("depth_mm = 1.2", "depth_mm = 12.0")
    plan, found = parse_plan(text)
    problems = check_plan(plan, reference_limits(), reference_equipment(), date(2026, 11, 22), found).problems
    highest = f"{reference_limits().max_depth_um / 1000:g} mm"
    told = [problem.at("cheek.toml").replace(highest, "1.9 mm") for problem in problems]
    assert any(sentence in PLANS for sentence in told), told


def test_every_light_and_alarm_is_told():
    """docs/therapist.md: each light and each alarm, with what to do."""
    rows = [line for line in THERAPIST.splitlines() if line.startswith("|")]
    names = [light.name for light in enums.Light] + [alarm.name for alarm in ALARMS.values()]
    assert [name for name in names if not any(re.search(rf"\b{name}\b", row) for row in rows)] == []


def test_every_fault_is_told_as_the_device_tells_it():
    """docs/therapist.md: each fault with the sentences of the schema."""
    faults = [info for info in STATUSES.values() if info.kind == "fault"]
    assert [info.name for info in faults if f"| {info.name} | {info.doc} | {info.hint} |" not in THERAPIST] == []
