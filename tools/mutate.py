"""Mutation testing of the parts that keep a patient safe: one small change at a time, and its quick tests must go red.

    tools/mutate.py                       300 mutants, seeded, over all the files below; at most 20 minutes
    tools/mutate.py --sample 40 --file limits
    tools/mutate.py --show 17             the change that mutant 17 is

A mutant lives in a copy of this process (fork) whose imports find the changed source; nothing is written to the tree.
Results are kept in build/, by the state of sources and tests, and a stopped run goes on. The survivors are
printed. Exit code 1 under a kill rate of 90 %.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_FIRMWARE = ROOT / "firmware" / "sit_firmware"
_CONTROL = ("tests/unit/test_control_shot.py", "tests/unit/test_control_requests.py", "tests/stack/test_shot_whole.py")
_GUARD = ("tests/unit/test_guard_checks.py", "tests/unit/test_app_tick.py")
_LEDGER = (
    "tests/unit/test_ledger_records.py",
    "tests/unit/test_store_ring.py",
    "tests/unit/test_interval_booking.py",
    "tests/safety/test_power_cut_ledger.py",
)
TESTS = {
    **{f"control/{path.name}": _CONTROL for path in sorted((_FIRMWARE / "control").glob("[a-z]*.py"))},
    **{path.name: _GUARD for path in sorted(_FIRMWARE.glob("guard*.py"))},
    "limits.py": ("tests/unit/test_treatment_table.py", "tests/unit/test_session_start.py"),
    "ledger.py": _LEDGER,
    "store/ring.py": _LEDGER,
    "store/tally.py": _LEDGER,
}
"""The files, below firmware/sit_firmware, and the quick tests of each."""
_KILLED_SHARE = 0.9
_MINUTES = 20.0
_LONGEST_S = 60

_SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Mult,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.And: (ast.Or,),
    ast.Or: (ast.And,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.USub: (ast.UAdd,),
}  # fmt: skip


def places(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(number of a node in walking order, what is done to it) for each mutant of a file."""
    for number, node in enumerate(ast.walk(tree)):
        operator = _operator(node)
        if operator is not None:
            for other in _SWAPS.get(type(operator), ()):
                yield number, other.__name__
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
            yield number, "+1"
        if isinstance(node, (ast.If, ast.While)):
            yield number, "not"
        if isinstance(node, (ast.Assign, ast.AugAssign)) and isinstance(_target(node), (ast.Subscript, ast.Attribute)):
            yield number, "drop"


def _operator(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Compare):
        return node.ops[0]
    return getattr(node, "op", None)


def _target(node: ast.AST) -> ast.AST:
    return node.targets[0] if isinstance(node, ast.Assign) else node.target  # type: ignore[attr-defined]


def mutated(tree: ast.Module, number: int, what: str) -> tuple[ast.Module, str]:
    """The tree with one change, and the change in words."""
    tree = copy.deepcopy(tree)
    nodes = list(ast.walk(tree))
    node: Any = nodes[number]
    before = ast.unparse(node).splitlines()[0]
    if what == "+1":
        node.value += 1
    elif what == "not":
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif what == "drop":
        _replace(nodes, node, ast.copy_location(ast.Pass(), node))
    elif isinstance(node, ast.Compare):
        node.ops[0] = getattr(ast, what)()
    else:
        node.op = getattr(ast, what)()
    ast.fix_missing_locations(tree)
    after = "pass" if what == "drop" else ast.unparse(node).splitlines()[0]
    return tree, f"line {node.lineno}: {before}  ->  {after}"


def _replace(nodes: Sequence[ast.AST], old: ast.AST, new: ast.AST) -> None:
    for parent in nodes:
        for _, block in ast.iter_fields(parent):
            if isinstance(block, list) and old in block:
                block[block.index(old)] = new


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module in a changed form."""

    def __init__(self, name: str, tree: ast.Module, path: Path) -> None:
        self.name = name
        self.tree = tree
        self.path = path

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """The changed module's spec."""
        if fullname != self.name:
            return None
        package = self.path.name == "__init__.py"
        return importlib.util.spec_from_file_location(
            fullname, self.path, loader=self, submodule_search_locations=[str(self.path.parent)] if package else None
        )

    def exec_module(self, module: Any) -> None:
        """Run the changed source."""
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def _module_name(file: str) -> str:
    return "sit_firmware." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _warm() -> None:
    """What every copy needs, loaded once; nothing of the firmware that may be mutated."""
    os.environ["SIT_PLANT"] = "compiled"
    import hypothesis  # noqa: F401
    import numba  # noqa: F401
    import pytest  # noqa: F401
    import sit_sim.plant
    import sit_sim.targets  # noqa: F401


def survives(file: str, tree: ast.Module | None) -> bool:
    """Run the file's tests in a copy of this process with its source changed; True when they stay green."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            signal.alarm(_LONGEST_S)  # a mutant that loops for ever is killed
            _run_in_copy(file, tree)
            import pytest

            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--target", "sim:", "--no-header"]
            code = int(pytest.main([*options, *TESTS[file]]))
        os._exit(min(code, 100))
    return os.waitpid(pid, 0)[1] == 0


def _run_in_copy(file: str, tree: ast.Module | None) -> None:
    if tree is None:
        return
    loaded = [name for name in sys.modules if name.startswith(("sit_firmware.control", _module_name(file)))]
    for name in loaded:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(_module_name(file), tree, _FIRMWARE / file))


def mutants(only: str) -> list[tuple[str, int, str]]:
    """Every mutant there is, in the order of files and nodes."""
    return [
        (file, number, what)
        for file in TESTS
        if only in file
        for number, what in places(ast.parse((_FIRMWARE / file).read_text()))
    ]


def _version() -> str:
    digest = hashlib.sha256()
    for path in [*(_FIRMWARE / file for file in TESTS), *sorted({ROOT / t for tests in TESTS.values() for t in tests})]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _kept(path: Path, version: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        entry = json.loads(line)
        if entry["version"] == version:
            found[entry["mutant"]] = entry["lives"]
    return found


def main(argv: list[str]) -> int:
    """Run a seeded sample; 0 when enough mutants are killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", metavar="TEXT", help="only files whose path holds this text")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="begin no mutant after this long")
    parser.add_argument("--show", type=int, metavar="N", help="show the N-th mutant of the sample and stop")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    every = mutants(args.file)
    chosen = random.Random(f"{args.seed} mutants").sample(every, min(args.sample, len(every)))
    trees = {file: ast.parse((_FIRMWARE / file).read_text()) for file in {mutant[0] for mutant in chosen}}
    if args.show is not None:
        file, number, what = chosen[args.show]
        print(file, mutated(trees[file], number, what)[1])
        return 0
    _warm()
    for file in sorted(trees):
        if not survives(file, None):
            print(
                f"{file}: its tests must be green before anything is changed: {', '.join(TESTS[file])}", file=sys.stderr
            )
            return 1
    results = ROOT / "build" / "mutants.jsonl"
    results.parent.mkdir(exist_ok=True)
    version = _version()
    known = _kept(results, version)
    lives: list[str] = []
    done, ends = 0, time.monotonic() + args.minutes * 60
    with results.open("a") as out:
        for file, number, what in chosen:
            name = f"{file}:{number}:{what}"
            if name not in known:
                if time.monotonic() > ends:
                    continue
                tree, _ = mutated(trees[file], number, what)
                known[name] = survives(file, tree)
                out.write(json.dumps({"mutant": name, "lives": known[name], "version": version}) + "\n")
                out.flush()
            done += 1
            if known[name]:
                lives.append(f"{file} {mutated(trees[file], number, what)[1]}")
            if done % 10 == 0:
                print(f"{done}/{len(chosen)} mutants, {len(lives)} live", file=sys.stderr)
    print("\n".join(sorted(lives)))
    share = 1 - len(lives) / done if done else 0.0
    print(f"{done} of {len(every)} mutants tried, seed {args.seed}: {share:.1%} killed, {len(lives)} live")
    return 0 if share >= _KILLED_SHARE else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
