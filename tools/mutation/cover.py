"""Which lines of the sources each test runs, and how long it takes: what a mutant of a line is shown to.

Kept in build/ by test file, as long as neither the firmware nor the test file nor what the tests share has changed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mutation.graft import graft
from mutation.places import noting
from mutation.session import Copy, Tests, say

_LONGEST_S = 1800.0
_HIT = "_mutation_hit"
Covered = dict[str, dict[str, Any]]
"""Test -> {"s": seconds, "lines": {source file: [line, ..]}}."""


def text_hash(paths: Iterable[Path]) -> str:
    """Names what files hold."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _look(tests: Tests, sources: Mapping[str, tuple[str, ast.Module]], nodeids: list[str]) -> Covered:
    """In a copy: run tests on sources that note their lines. A red test is left out."""
    hits: dict[str, set[int]] = {file: set() for file in sources}
    for file, (module, tree) in sources.items():
        graft(module, noting(tree, _HIT), **{_HIT: hits[file].add})
    found: Covered = {}

    def note(nodeid: str, seconds: float) -> None:
        found[nodeid] = {"s": round(seconds, 3), "lines": {f: sorted(lines) for f, lines in hits.items() if lines}}
        for lines in hits.values():
            lines.clear()

    red = tests.run(nodeids, note)
    if red:
        found[red] = {"s": 0.0, "lines": {}, "red": True}
    return found


def covered(
    tests: Tests, sources: Mapping[str, tuple[str, ast.Module]], kept: Path, shared: str, root: Path
) -> Covered:
    """Every test's lines, from `kept` where they still hold. `shared` names the state of all that tests depend on."""
    before = json.loads(kept.read_text()) if kept.exists() else {}
    of_file: dict[str, list[str]] = defaultdict(list)
    for nodeid in tests.items:
        of_file[nodeid.split("::")[0]].append(nodeid)
    now: dict[str, Any] = {}
    for done, (file, nodeids) in enumerate(sorted(of_file.items()), 1):
        version = f"{shared} {text_hash([root / file])}"
        if before.get(file, {}).get("version") == version:
            now[file] = before[file]
            continue
        found = Copy(functools.partial(_look, tests, sources, nodeids), _LONGEST_S).result() or {}
        red = [nodeid for nodeid, entry in found.items() if "red" in entry]
        if red or len(found) < len(nodeids):
            say(f"{file}: not green on untouched sources, so left out: {', '.join(red) or 'it died'}")
            continue
        now[file] = {"version": version, "tests": found}
        kept.write_text(json.dumps({**before, **now}))
        say(f"lines of {done}/{len(of_file)} test files: {file}")
    return {nodeid: entry for file in now.values() for nodeid, entry in file["tests"].items()}


def meeting(covered: Covered, file: str, line: int, kills: Counter[str], budget_s: float) -> list[str]:
    """Tests that run a line (0: any of the file), `budget_s` seconds of them, in the order of what they promise.

    Whole test files at a time, the quick ones first, and those that killed other mutants of this source.
    `kills`: how many each test file has killed so far.
    """
    groups: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for nodeid, entry in covered.items():
        lines = entry["lines"].get(file, ())
        if line in lines or (not line and lines):
            groups[nodeid.split("::")[0]].append((entry["s"], nodeid))
    order = sorted(groups, key=lambda name: (sum(s for s, _ in groups[name]) + 0.05) / (1 + kills[name]))
    chosen, left_s = [], budget_s
    for name in order:
        for seconds, nodeid in sorted(groups[name]):
            if seconds <= left_s:
                left_s -= seconds
                chosen.append(nodeid)
    return chosen
