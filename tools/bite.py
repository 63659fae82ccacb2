"""Show that the tests bite: take each safety control out of a scratch copy in turn and see its tests go red.

    tools/bite.py [--only NAME ...] [--workers N] [--list]

The controls stand in tools/bite_controls.toml: name, file, the exact `original` text (found once), its `replacement`,
and the tests that must fail without it. First the tests run untouched and must pass; then each control is removed
alone, quickly in a copy of this process (tools/mutation/), and where that shows nothing, as it can't in what other
processes or compilers read from files, in a copy of the tree. Exit code 0 only when every control was red. Nothing in
the working tree is changed.
"""

import argparse
import ast
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mutation.graft import graft
from mutation.session import Copy, Tests, say

ROOT = Path(__file__).resolve().parent.parent
CONTROLS = ROOT / "tools" / "bite_controls.toml"
COPIED = ("firmware", "host", "sim", "protocol", "hardware", "tests", "tools", "examples", "docs", "pyproject.toml")
_PYTEST_RED, _PYTEST_GREEN = 1, 0
_LONGEST_S = 600
_FORMS = ("test_control_forms", "test_chip_forms", "test_thumb", "test_campaign_metering", "test_boards_compile")
"""Tests that compare with a form made of the file, which a change in this process doesn't reach."""


@dataclass(frozen=True)
class Control:
    """One safety control and the tests that must notice its absence."""

    name: str
    invariant: str
    file: str
    original: str
    replacement: str
    tests: tuple[str, ...]

    def fault(self, root: Path) -> str | None:
        """Return what is wrong with this entry, or None."""
        path = root / self.file
        if not path.is_file():
            return f"{self.name}: {self.file} doesn't exist"
        count = path.read_text().count(self.original)
        if count != 1:
            return f"{self.name}: its original text stands {count} times in {self.file}, it must stand once"
        if not self.tests:
            return f"{self.name}: no test is named"
        missing = [t for t in self.tests if not (root / t.split("::")[0]).is_file()]
        return f"{self.name}: no such test file: {', '.join(missing)}" if missing else None


def load(path: Path = CONTROLS) -> list[Control]:
    """Read the control table; a KeyError or TOML error ends the tool with its own sentence."""
    entries = tomllib.loads(path.read_text())["control"]
    return [
        Control(e["name"], e["invariant"], e["file"], e["original"], e["replacement"], tuple(e["tests"]))
        for e in entries
    ]


def scratch_copy(into: Path) -> None:
    """Copy what the tests need, byte code and compiled caches included, keeping the times they are keyed by."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, copy_function=shutil.copy2)
        elif source.exists():
            shutil.copy2(source, into / name)


def run_tests(root: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run the named tests in the copy, stopping at the first failure; return pytest's exit code and its last line."""
    paths = os.pathsep.join(str(root / p) for p in ("firmware", "host", "sim"))
    # interpreted, else each change of the guard compiles the plant's loop anew
    env = {"SIT_PLANT": "python", **os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode, lines[-1] if lines else done.stderr.strip()[-200:]


def bite(control: Control, root: Path) -> tuple[bool, str]:
    """Remove one control, run its tests, put it back; (was it red, the runner's last line)."""
    path = root / control.file
    text = path.read_text()
    path.write_text(text.replace(control.original, control.replacement))
    try:
        code, line = run_tests(root, control.tests)
    finally:
        path.write_text(text)
    return code == _PYTEST_RED, line


def module_of(file: str) -> str | None:
    """The name under which a file is imported, None for one that isn't."""
    top, _, rest = file.partition("/")
    if top not in ("firmware", "host", "sim") or not rest.endswith(".py") or "/" not in rest:
        return None
    return rest.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


class Quick:
    """Controls taken out in copies of this process. `red`: by name the test that went red; `broken`: red untouched."""

    def __init__(self, controls: list[Control], workers: int) -> None:
        self.controls = [c for c in controls if module_of(c.file) and not any(f in t for t in c.tests for f in _FORMS)]
        self.workers = workers
        self.tests = Tests()
        self.red: dict[str, str] = {}
        self.broken = ""

    def run(self) -> None:
        """Collect their tests once, see that they pass, then take out one control after the other."""
        named = sorted({test for control in self.controls for test in control.tests})
        code = self.tests.collect(named, self._work) if named else _PYTEST_GREEN
        self.broken = self.broken or ("" if code in (0, 5) else f"pytest ended with {code}")

    def _work(self) -> None:
        every = sorted({nodeid for control in self.controls for nodeid in self._items(control)})
        answer = Copy(functools.partial(self.tests.run, every), 3 * _LONGEST_S).result()
        self.broken = "the tests took too long or died" if answer is None else answer
        say(f"all controls in place: {len(every)} tests, {self.broken or 'all green'}")
        waiting, busy = list(self.controls), list[tuple[Copy, Control]]()
        while not self.broken and (waiting or busy):
            while waiting and len(busy) < self.workers:
                control = waiting.pop(0)
                busy.append((Copy(functools.partial(self._without, control), _LONGEST_S), control))
            time.sleep(0.01)
            for entry in [entry for entry in busy if entry[0].over()]:
                busy.remove(entry)
                killer = entry[0].answer()
                if killer:
                    self.red[entry[1].name] = killer
                    _tell(entry[1], True, killer)

    def _items(self, control: Control) -> list[str]:
        return [
            nodeid
            for nodeid in self.tests.items
            if any(nodeid == test or nodeid.startswith((f"{test}[", f"{test}::")) for test in control.tests)
        ]

    def _without(self, control: Control) -> str:
        """In a copy: the test that goes red without the control."""
        text = (ROOT / control.file).read_text()
        module = module_of(control.file)
        assert module is not None
        try:
            graft(module, ast.parse(text.replace(control.original, control.replacement)))
        except Exception:
            return ""  # it doesn't fit into what is loaded
        return self.tests.run(self._items(control))


def _tell(control: Control, red: bool, line: str) -> None:
    print(f"{control.name:32} {control.invariant:8} {'red' if red else 'NOT RED':8} {line}", flush=True)


def main(argv: list[str]) -> int:
    """Check the table, prove the baseline green, remove each control; 0 when all were red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these controls")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--list", action="store_true", help="list the controls and stop")
    args = parser.parse_args(argv)
    controls = [c for c in load() if not args.only or c.name in args.only]
    if not controls:
        print(f"bite: no control is named {' or '.join(args.only or [])}; `--list` shows them", file=sys.stderr)
        return 2
    if args.list:
        for control in controls:
            print(f"{control.name:32} {control.invariant:8} {control.file}")
        return 0
    faults = [fault for c in controls if (fault := c.fault(ROOT))]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    os.chdir(ROOT)
    quick = Quick(controls, args.workers)
    quick.run()
    if quick.broken:
        print(f"bite: the tests must pass before a control is removed: {quick.broken}", file=sys.stderr)
        return 1
    rest = [control for control in controls if control.name not in quick.red]
    dull = _slowly(rest)
    print(f"{len(controls) - len(dull)} of {len(controls)} controls are red when removed")
    if dull:
        print(f"bite: nothing noticed the absence of {', '.join(dull)}", file=sys.stderr)
    return 1 if dull else 0


def _slowly(controls: list[Control]) -> list[str]:
    """Take out controls in a copy of the tree; the names of those that nothing noticed."""
    dull: list[str] = []
    if not controls:
        return dull
    with tempfile.TemporaryDirectory(prefix="opensit-bite-") as folder:
        root = Path(folder)
        scratch_copy(root)
        code, line = run_tests(root, tuple(sorted({t for c in controls for t in c.tests})))
        print(f"controls left for a copy of the tree, {len(controls)}, in place: {line}", flush=True)
        if code != _PYTEST_GREEN:
            print("bite: the tests must pass before a control is removed", file=sys.stderr)
            return [control.name for control in controls]
        for control in controls:
            red, line = bite(control, root)
            _tell(control, red, line)
            if not red:
                dull.append(control.name)
    return dull


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
