"""The hazard matrix is whole, and each way in which it could fail to be is told."""

import json
from pathlib import Path

import pytest
from sit_host.cli import run
from sit_host.qa.trace import HAZARDS, project, read_matrix
from sit_host.qa.trace_page import html, markdown
from sit_sim.faults import F1, F2

ROOT = Path(__file__).parents[2]

FAULTS = "class F1(Enum):\n    ESTOP = 1\n\n\nclass F2(Enum):\n    SPRING_BROKEN = 1\n"
CODE = "def check(depth):\n    if depth > 10:\n        return 1\n"
TESTS = "def test_depth():\n    pass\n"
CONTROLS = """
[[control]]
name = "limit-depth"
invariant = "1"
file = "firmware/limits.py"
original = "if depth > 10:"
replacement = "if False:"
tests = ["tests/test_limits.py::test_depth[deep]"]
"""
ROWS = """
[[hazard]]
id = "over-depth"
hazard = "over-depth"
cause = "a deep plan"
harm = "a vessel"
control = "A limit."
requirement = [1]
list = "F1"
faults = ["estop"]
bite = ["limit-*"]
tests = ["tests/test_limits.py"]

[[hazard]]
id = "spring"
hazard = "no way home"
cause = "the spring breaks"
harm = "the needle stays"
control = "Hardware."
requirement = [1]
list = "F2"
faults = ["spring_broken"]
bite = ["limit-depth"]
hardware = "A stop."
self_test = "A stroke."
residual = "In a shot."
"""


@pytest.fixture
def folder(tmp_path):
    """A small project with a whole matrix; `change(file, old, new)` spoils it."""
    files = {
        "docs/safety/hazards.toml": ROWS,
        "tools/bite_controls.toml": CONTROLS,
        "sim/sit_sim/faults.py": FAULTS,
        "firmware/limits.py": CODE,
        "tests/test_limits.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_matrix_of_the_project_is_whole():
    """Every hazard has a control, every control a test that is there, every fault of F1 and F2 a hazard."""
    matrix = read_matrix(ROOT)
    assert matrix.problems == []
    assert {fault for h in matrix.hazards for fault in h.faults} == {f.name.lower() for f in (*F1, *F2)}


def test_a_whole_matrix_has_no_problem(folder):
    """The matrix of the small project is whole, so that what is told below comes from the change alone."""
    matrix = read_matrix(folder)
    assert matrix.problems == [] and matrix.unnamed == []
    assert matrix.hazards[0].controls[0].function == "check"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("docs/safety/hazards.toml", 'bite = ["limit-*"]', "bite = []", "over-depth: no control"),
        (
            "docs/safety/hazards.toml",
            '"limit-*"',
            '"guard-*"',
            "no control of tools/bite_controls.toml is called guard-*",
        ),
        ("docs/safety/hazards.toml", 'harm = "a vessel"', "", "`harm` is missing"),
        ("docs/safety/hazards.toml", 'list = "F1"', 'list = "F3"', "`list` is 'F3'"),
        ("docs/safety/hazards.toml", "requirement = [1]", "requirement = [11]", "invariants from 1 to 10"),
        ("docs/safety/hazards.toml", 'residual = "In a shot."', "", "`residual` is missing"),
        ("docs/safety/hazards.toml", 'id = "spring"', 'id = "over-depth"', "stands twice"),
        ("docs/safety/hazards.toml", '["estop"]', '["esttop"]', "has no fault esttop"),
        ("docs/safety/hazards.toml", 'faults = ["estop"]', "", "no hazard names the fault estop"),
        ("docs/safety/hazards.toml", '"tests/test_limits.py"', '"tests/gone.py"', "there is no test tests/gone.py"),
        ("tests/test_limits.py", "test_depth", "test_deep", "there is no test tests/test_limits.py::test_depth[deep]"),
        ("tools/bite_controls.toml", '"tests/test_limits.py::test_depth[deep]"', "", "limit-depth has no test"),
        ("firmware/limits.py", "depth > 10", "depth > 11", "limit-depth doesn't stand in firmware/limits.py"),
    ],
)
def test_each_gap_is_told(folder, file, old, new, told):
    """No hazard without a control, no control without a test, no test that doesn't exist."""
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert [text for text in read_matrix(folder).problems if told in text] != []


def test_a_control_without_a_hazard_is_named(folder):
    """A control that no hazard names is shown, so that a row can be added."""
    path = folder / "tools/bite_controls.toml"
    path.write_text(path.read_text() + CONTROLS.replace("limit-depth", "guard-flag"))
    assert read_matrix(folder).unnamed == ["guard-flag"]


def test_pages_show_every_hazard(folder):
    """Both pages hold each hazard, control and test; the HTML needs nothing beside itself."""
    matrix = read_matrix(folder)
    for page in (html(matrix).replace("<wbr>", ""), markdown(matrix)):
        for text in ("over-depth", "no way home", "limit-depth", "test_depth", "A stop.", "In a shot."):
            assert text in page
    assert "src=" not in html(matrix) and "http" not in html(matrix)


def test_the_command(folder, capsys):
    """`sit qa trace`: 0 when whole, 1 with the problems told when not; --html writes the page, --json one value."""
    page = folder / "out" / "hazards.html"
    assert run(["qa", "trace", "--root", str(folder / "docs"), "--html", str(page)]) == 0
    assert "no way home" in page.read_text()
    assert "2 hazards" in capsys.readouterr().out
    (folder / "tests/test_limits.py").write_text("")
    assert run(["qa", "trace", "--root", str(folder), "--json"]) == 1
    assert "there is no test" in capsys.readouterr().err


def test_outside_the_project_it_says_so(tmp_path, capsys):
    """A folder without a hazard file is refused in one sentence."""
    assert run(["qa", "trace", "--root", str(tmp_path)]) == 1
    assert str(HAZARDS) in capsys.readouterr().err
    assert project(ROOT / "tests") == ROOT


def test_json_names_each_test(folder, capsys):
    """--json: one value with hazards, their controls and tests."""
    assert run(["qa", "trace", "--root", str(folder), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["problems"] == []
    assert value["hazards"][0]["tests"] == ["tests/test_limits.py::test_depth[deep]", "tests/test_limits.py"]
