"""The hazard file as a checked matrix: hazard, control, where it stands, and the tests that go red without it.

`docs/safety/hazards.toml` names hazards and their controls; `tools/bite_controls.toml` says where each control stands
and which tests fail when it is taken out (`make bite`); `sim/sit_sim/faults.py` is the closed list of faults. All are
read as text, never imported. Paths are relative to the project's folder.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sit_host.errors import SitError

HAZARDS = Path("docs/safety/hazards.toml")
CONTROLS = Path("tools/bite_controls.toml")
FAULTS = Path("sim/sit_sim/faults.py")
_INVARIANTS = range(1, 11)
_TEXTS = ("id", "hazard", "cause", "harm", "control", "list")
_HARDWARE = ("hardware", "self_test", "residual")
_LISTS = ("F1", "F2")


@dataclass(frozen=True)
class Control:
    """A control that can be taken out: its file and function, and the tests that miss it."""

    name: str
    file: str
    function: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Hazard:
    """One row. `tests` are those beside the controls' own; the last three are empty but for F2."""

    id: str
    hazard: str
    cause: str
    harm: str
    control: str
    list: str
    requirement: tuple[int, ...]
    faults: tuple[str, ...]
    controls: tuple[Control, ...]
    tests: tuple[str, ...]
    hardware: str
    self_test: str
    residual: str

    def proofs(self) -> tuple[str, ...]:
        """All tests of the row, each once."""
        return tuple(dict.fromkeys([t for c in self.controls for t in c.tests] + list(self.tests)))


@dataclass
class Matrix:
    """The rows, what is wrong with them, and the controls that no row names."""

    hazards: list[Hazard] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)


def project(start: Path) -> Path:
    """The project's folder at or above `start`; SitError when there is none."""
    for folder in (start, *start.parents):
        if (folder / HAZARDS).is_file():
            return folder
    raise SitError(f"{start} isn't inside OpenSIT's folder: {HAZARDS} isn't there.", "Run it there, or give --root.")


def read_matrix(root: Path) -> Matrix:
    """Read and check the hazard file of a project folder. Problems are told, never raised, so that all are seen."""
    matrix = Matrix()
    entries = _toml(root / CONTROLS)["control"]
    rows = _toml(root / HAZARDS)["hazard"]
    named: set[str] = set()
    ids: set[str] = set()
    tests = _Tests(root)
    struck: set[str] = set()
    lists = fault_lists(root)
    for row in rows:
        wrong = _row_problems(row, lists)
        if row.get("id") in ids:
            wrong.append("this id stands twice")
        ids.add(row.get("id", ""))
        chosen: dict[str, dict[str, Any]] = {}
        for pattern in row.get("bite", ()):
            hits = {e["name"]: e for e in entries if fnmatchcase(e["name"], pattern)}
            if not hits:
                wrong.append(f"no control of {CONTROLS} is called {pattern}")
            chosen.update(hits)
        if not chosen:
            wrong.append("no control: name at least one in `bite`")
        controls = tuple(_control(root, entry) for entry in chosen.values())
        named.update(chosen)
        struck.update(row.get("faults", ()))
        for control in controls:
            if not control.tests:
                wrong.append(f"the control {control.name} has no test")
            if not control.function:
                wrong.append(f"the control {control.name} doesn't stand in {control.file} as {CONTROLS} says")
        hazard = _hazard(row, controls)
        wrong += [f"there is no test {test}" for test in hazard.proofs() if not tests.has(test)]
        matrix.hazards.append(hazard)
        matrix.problems += [f"{hazard.id}: {text}." for text in wrong]
    missing = [fault for faults in lists.values() for fault in faults if fault not in struck]
    matrix.problems += [f"{FAULTS}: no hazard names the fault {fault}." for fault in missing]
    matrix.unnamed = [e["name"] for e in entries if e["name"] not in named]
    return matrix


def fault_lists(root: Path) -> dict[str, list[str]]:
    """The names of the closed lists, `{"F1": [...], "F2": [...]}`, as scenarios write them."""
    lists: dict[str, list[str]] = {}
    for node in ast.parse((root / FAULTS).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name in _LISTS:
            targets = [t for n in node.body if isinstance(n, ast.Assign) for t in n.targets]
            lists[node.name] = [t.id.lower() for t in targets if isinstance(t, ast.Name)]
    return lists


class _Tests:
    """Which tests there are: functions by file, read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, set[str]] = {}

    def has(self, test: str) -> bool:
        """Whether a file, or a test of it (`file::name[case]`), exists."""
        file, _, name = test.partition("::")
        if file not in self._files:
            path = self._root / file
            found = set(_test_names(path)) if path.is_file() else set()
            self._files[file] = found
        found = self._files[file]
        return bool(found) if not name else name.split("[")[0].split("::")[-1] in found


def _test_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name


def _row_problems(row: dict[str, Any], lists: dict[str, list[str]]) -> list[str]:
    """What is wrong with the row's own fields."""
    wrong = [f"`{key}` is missing or empty" for key in _TEXTS if not row.get(key)]
    if row.get("list") not in _LISTS:
        wrong.append(f"`list` is {row.get('list')!r}, it must be F1 or F2")
    numbers = row.get("requirement", [])
    if not numbers or any(n not in _INVARIANTS for n in numbers):
        wrong.append(f"`requirement` is {numbers}, it must name invariants from 1 to 10")
    for fault in row.get("faults", ()):
        if fault not in lists.get(row.get("list", ""), ()):
            wrong.append(f"the list {row.get('list')} of {FAULTS} has no fault {fault}")
    if row.get("list") == "F2":
        wrong += [f"`{key}` is missing: an F2 hazard needs it" for key in _HARDWARE if not row.get(key)]
    return wrong


def _hazard(row: dict[str, Any], controls: tuple[Control, ...]) -> Hazard:
    return Hazard(
        **{key: str(row.get(key, "")) for key in (*_TEXTS, *_HARDWARE)},
        requirement=tuple(row.get("requirement", ())),
        faults=tuple(row.get("faults", ())),
        controls=controls,
        tests=tuple(row.get("tests", ())),
    )


def _control(root: Path, entry: dict[str, Any]) -> Control:
    """The control with the function its text stands in; no function when the text isn't there once."""
    path = root / entry["file"]
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    original = entry["original"]
    function = ""
    if source.count(original) == 1:
        at = source.find(original) + len(original) - len(original.lstrip())
        function = _function_at(source, source.count("\n", 0, at) + 1) if path.suffix == ".py" else "file"
    return Control(entry["name"], entry["file"], function, tuple(entry.get("tests", ())))


def _function_at(source: str, line: int) -> str:
    """The innermost function around a line, or "module"."""
    inside = [
        (node.end_lineno - node.lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.lineno <= line <= node.end_lineno
    ]
    return min(inside)[1] if inside else "module"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SitError(f"{path} can't be read ({error.strerror}).", "Run this in OpenSIT's folder.") from None
    except tomllib.TOMLDecodeError as error:
        raise SitError(f"{path} isn't valid TOML: {error}.", "Mend that line.") from None
