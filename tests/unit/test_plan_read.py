"""Plans are read whole or refused: every slip is one sentence that names the line."""

import pytest
from sit_host.plan import PlanUnreadable
from sit_host.plan_read import parse_plan, read_plan

GOOD = """name = "Test"
area = "face"
syringe = "bd_1ml"
needle = "30G4"
[product]
name = "Saline"
lot = "A1"
expiry = 2031-03-31
viscosity_mpa_s = 1.0
[totals]
points = 3
total_ul = 25.0
[[site]]
name = "cheek"
[[grid]]
site = "cheek"
rows = 1
cols = 2
spacing_mm = 10.0
depth_mm = 1.2
volume_ul = 10.0
[[point]]
id = 7
site = "cheek"
depth_mm = 1.5
volume_ul = 5.0
"""

# change to GOOD -> (line, words that the one sentence must hold)
SLIPS = [
    ('name = "Test"\n', "", 1, "`name` is missing"),
    ('area = "face"', 'aera = "face"', 2, "did you mean `area`?"),
    ('area = "face"', "area = 5", 2, "must be text in quotes"),
    ("[totals]", "[total]", 10, "did you mean `totals`?"),
    ("viscosity_mpa_s = 1.0", "viscosity = 1.0", 9, "Unknown key `viscosity`"),
    ("viscosity_mpa_s = 1.0", "viscosity_mpa_s = -1.0", 9, "can't be less than 0.3"),
    ("viscosity_mpa_s = 1.0", "viscosity_mpa_s = nan", 9, "ordinary number"),
    ("expiry = 2031-03-31", 'expiry = "soon"', 8, "must be a date like 2027-06-30"),
    ("expiry = 2031-03-31", "expiry = 2031-03-31T10:00:00", 8, "date"),
    ("points = 3", "points = 3.5", 11, "whole number"),
    ("points = 3", "points = true", 11, "whole number"),
    ("depth_mm = 1.5", "depth_mm = -1.5", 25, "must be more than 0"),
    ("depth_mm = 1.5", 'depth_mm = "1.5"', 25, "number without quotes"),
    ("volume_ul = 5.0", "volume_ul = 0.0", 26, "must be more than 0"),
    ("volume_ul = 5.0", "volume_ul = inf", 26, "ordinary number"),
    ("volume_ul = 5.0", "volume_ul = 5.00001", 26, "finer than 0.001 uL"),
    ("depth_mm = 1.5", "depth_mm = 1.50001", 25, "finer than 0.001 mm"),
    ("volume_ul = 5.0", "volume = 5.0", 26, "did you mean `volume_ul`?"),
    ("id = 7", "id = 2", 22, "used twice, first in line 15"),
    ("id = 7", "id = 0", 23, "can't be less than 1"),
    ("id = 7", "id = 70000", 23, "can't be more than 65535"),
    ('id = 7\nsite = "cheek"', 'id = 7\nsite = "chek"', 24, 'did you mean "cheek"?'),
    ('[[site]]\nname = "cheek"\n', "", 1, "names no site"),
    ('[[site]]\nname = "cheek"', '[[site]]\nname = "cheek"\n[[site]]\nname = "cheek"', 15, "Two sites"),
    ("rows = 1", "rows = 0", 17, "can't be less than 1"),
    ("spacing_mm = 10.0", "", 15, "`spacing_mm` is missing"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), SLIPS, ids=[slip[1] or f"no {slip[0]}" for slip in SLIPS])
def test_a_slip_is_named_with_its_line(old, new, line, words):
    """Plans: a wrong, missing or misspelt value is one sentence with file and line."""
    assert old in GOOD
    _, problems = parse_plan(GOOD.replace(old, new, 1), "p.toml")
    found = [problem.at("p.toml") for problem in problems]
    assert any(text.startswith(f"p.toml:{line}: ") and words in text for text in found), found


def test_a_good_plan_is_read_whole():
    """Plans: millimetres and microlitres become whole micrometres and nanolitres, points come in order of their ids."""
    plan, problems = parse_plan(GOOD)
    assert not problems
    assert [(p.id, p.depth_um, p.volume_nl, p.row, p.col) for p in plan.points] == [
        (1, 1200, 10_000, 0, 0),
        (2, 1200, 10_000, 0, 1),
        (7, 1500, 5_000, None, None),
    ]
    assert plan.sum_nl == 25_000
    assert plan.site_name(plan.points[0].site) == "cheek"


def test_every_problem_is_told_at_once():
    """Plans: a reader mends a plan in one go, so all problems are told, in the order of the lines."""
    text = GOOD.replace("depth_mm = 1.5", "depth_mm = -1.5").replace("points = 3", "points = -3")
    _, problems = parse_plan(text)
    assert [problem.line for problem in problems] == [11, 25]


@pytest.mark.parametrize(
    ("text", "words"),
    [("name = ", ":1: isn't TOML"), ("a = 1\na = 2\n", "isn't TOML"), ("[x\n", ":1: isn't TOML")],
)
def test_text_that_is_no_toml(text, words):
    """Plans: a file that isn't TOML is refused with the line."""
    with pytest.raises(PlanUnreadable, match=words):
        parse_plan(text, "p.toml")


def test_a_file_that_cannot_be_read(tmp_path):
    """Plans: no file, a folder and bytes that aren't text are each one sentence."""
    with pytest.raises(PlanUnreadable, match=r"can't be read .*check the path"):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(PlanUnreadable, match="can't be read"):
        read_plan(tmp_path)
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"name = 'x'\n# \xff\n")
    with pytest.raises(PlanUnreadable, match=r"odd.toml:2: isn't UTF-8"):
        read_plan(odd)
