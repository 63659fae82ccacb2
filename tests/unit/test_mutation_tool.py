"""The mutation tool itself: what it changes, where, and that a change gets to whoever holds the function."""

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from mutation.cover import meeting
from mutation.graft import graft
from mutation.places import lines_of, mutated, noting, places, statements
from sit_firmware import limits

SOURCE = """def least(a, b):
    '''The smaller one.'''
    if a < b:
        return a
    return b + 0
"""
LIMITS = Path(limits.__file__).read_text()


def test_every_place_is_changed_alone():
    """Proof: a mutant differs from the source in one place, and says which."""
    tree = ast.parse(SOURCE)
    made = {mutated(tree, number, what)[1] for number, what in places(tree)}
    assert made == {
        "line 3: if a < b:  ->  if not a < b:",
        "line 3: a < b  ->  a <= b",
        "line 3: a < b  ->  a >= b",
        "line 5: b + 0  ->  b - 0",
        "line 5: 0  ->  1",
    }
    assert ast.unparse(tree) == ast.unparse(ast.parse(SOURCE))
    line_of = lines_of(tree)
    assert {line_of[number] for number, _ in places(tree)} == {3, 5}


def test_lines_are_noted_as_they_run():
    """Proof: which tests a mutant is shown to follows from the lines that they run."""
    seen, space = [], {}
    exec(compile(noting(ast.parse(SOURCE), "hit"), "<source>", "exec"), {"hit": seen.append}, space)
    space["least"].__globals__["hit"] = seen.append
    assert space["least"](1, 2) == 1
    assert seen == [2, 3, 4]
    assert statements(ast.parse(SOURCE)) == [2, 3, 4, 5]


def test_a_change_reaches_who_holds_the_function():
    """Proof: a grafted change is in force wherever the function was imported to, and the own source undoes it."""
    held = limits.room_refusal
    assert held(5, 5, 10) == 0
    try:
        graft("sit_firmware.limits", ast.parse(LIMITS.replace("used_steps + steps >", "used_steps + steps >=")))
        assert held(5, 5, 10) != 0
    finally:
        graft("sit_firmware.limits", ast.parse(LIMITS))
    assert held is limits.room_refusal and held(5, 5, 10) == 0


def test_likely_and_quick_tests_come_first():
    """Proof: tests of a line, quick files first, those that killed before them sooner, no more than the budget."""
    covered = {
        "slow.py::a": {"s": 5.0, "lines": {"x.py": [3]}},
        "quick.py::b": {"s": 1.0, "lines": {"x.py": [3, 4]}},
        "other.py::c": {"s": 0.1, "lines": {"x.py": [9]}},
    }
    assert meeting(covered, "x.py", 3, {"slow.py": 0, "quick.py": 0}, 60) == ["quick.py::b", "slow.py::a"]
    assert meeting(covered, "x.py", 3, {"slow.py": 9, "quick.py": 0}, 60) == ["slow.py::a", "quick.py::b"]
    assert meeting(covered, "x.py", 3, {"slow.py": 0, "quick.py": 0}, 2) == ["quick.py::b"]
