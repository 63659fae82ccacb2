"""Soft limits: what passes one is given only after somebody has agreed, and the agreement is kept."""

from dataclasses import replace

import pytest
from sit_host._gen.enums import Record as Kind
from sit_host.errors import SitError
from sit_host.plan import Problem
from sit_host.plan_limits import SOFT, reference_limits
from sit_host.treatment.agree import FLAG, Agreed, agree, window_passed
from test_plan_check import GOOD, problems_of
from treat_records import Ledger, Person

NOW_S = 1_795_000_000.0


def _points(count, volume_ul):
    """GOOD with so many points of this volume at its site."""
    head = GOOD[: GOOD.index("[[grid]]")] if "[[grid]]" in GOOD else GOOD[: GOOD.index("[[point]]")]
    sites = [GOOD.split('[[site]]\nname = "')[1].split('"')[0]]
    if count * volume_ul > 2000:  # more than the device gives to one site
        head += '[[site]]\nname = "other"\n'
        sites.append("other")
    lines = []
    for line in head.splitlines():
        if line.startswith("points = "):
            line = f"points = {count}"
        if line.startswith("total_ul = "):
            line = f"total_ul = {float(count * volume_ul)}"
        lines.append(line)
    given = f"depth_mm = 1.2\nvolume_ul = {float(volume_ul)}\n"
    return (
        "\n".join(lines) + "\n" + "".join(f'[[point]]\nsite = "{sites[n % len(sites)]}"\n{given}' for n in range(count))
    )


@pytest.mark.parametrize(
    ("count", "volume_ul", "words"),
    [
        (1, 50, None),
        (1, 51, "Point 1 gets more than 50 uL"),
        (20, 50, None),
        (21, 50, "gets 1050 uL, more than 1000 uL"),
        (51, 50, "The plan gives 2550 uL, more than 2500 uL"),
        (200, 2, None),
        (201, 2, "One needle is used for 201 points"),
    ],
)
def test_a_plan_over_a_soft_limit_says_so(count, volume_ul, words):
    """Limits: at each soft limit nothing is asked, one step beyond it is; it is no problem of the plan's."""
    checked = problems_of(_points(count, volume_ul))
    assert checked.ok
    soft = [problem.sentence for problem in checked.problems if problem.soft]
    assert (words is None and not soft) or any(words in sentence for sentence in soft)


def test_soft_limits_lie_under_the_hard_ones():
    """Limits: nobody can agree away what the device refuses."""
    hard = reference_limits()
    assert hard.max_shot_nl > SOFT.shot_nl and hard.max_site_nl > SOFT.site_nl
    assert hard.max_session_nl > SOFT.session_nl and hard.max_window_nl > SOFT.window_nl


def test_the_window_counts_what_was_given_before():
    """Limits: what the device gave in the window and this plan's share of it count together, by their upper bounds."""
    before = Ledger().shot(1, Kind.DONE, high_nl=900_000).records
    recent = [replace(record, unix_s=int(NOW_S) - 60) for record in before]
    old = [replace(record, unix_s=int(NOW_S) - 700) for record in before]
    assert window_passed(recent, 600_000, 60, 600, NOW_S) == []
    (sentence,) = window_passed(recent, 600_001, 60, 600, NOW_S)
    assert "900 uL of it before this plan" in sentence
    assert window_passed(before, 600_001, 60, 600, NOW_S), "without a time it counts"
    assert window_passed(old, 600_001, 60, 600, NOW_S) == []
    assert window_passed([], 3_000_000, 1200, 600, NOW_S) == [], "half of it in each window"
    assert window_passed([], 3_000_003, 1200, 600, NOW_S)


def test_somebody_has_to_agree():
    """Limits: without a person and without the flag nothing is given; an agreement says how and when."""
    found = ["Point 1 gets more than 50 uL."]
    assert agree([], Person(attended=False), False, NOW_S) == ()
    with pytest.raises(SitError, match=r"Nothing was given.*Point 1") as refused:
        agree(found, Person(attended=False), False, NOW_S)
    assert FLAG in refused.value.do
    with pytest.raises(SitError, match="Nothing was given"):
        agree(found, Person(attended=True, answer=False), False, NOW_S)
    person = Person(attended=True)
    assert agree(found, person, False, NOW_S) == (Agreed(found[0], "asked", round(NOW_S)),)
    assert person.said == [f"Soft limit: {found[0]}"]
    assert agree(found, Person(attended=False), True, NOW_S)[0].how == FLAG


def test_a_soft_limit_is_shown_as_one():
    """Limits: `sit check` shows it with file and line, told apart from a warning."""
    assert Problem(3, "Too much.", warning=True, soft=True).at("a.toml") == "a.toml:3: soft limit: Too much."
