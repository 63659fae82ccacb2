"""Show that the tests bite: take each safety control out of a scratch copy in turn and see its tests go red.

    tools/bite.py [--only NAME ...] [--list]

The controls stand in tools/bite_controls.toml: name, file, the exact `original` text (found once), its `replacement`,
and the tests that must fail without it. First the tests run on the untouched copy and must pass; then each control is
removed alone. Exit code 0 only when every control was red. Nothing in the working tree is changed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTROLS = ROOT / "tools" / "bite_controls.toml"
COPIED = ("firmware", "host", "sim", "protocol", "hardware", "tests", "tools", "examples", "docs", "pyproject.toml")
_PYTEST_RED, _PYTEST_GREEN = 1, 0


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


def main(argv: list[str]) -> int:
    """Check the table, prove the baseline green, remove each control; 0 when all were red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these controls")
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
    with tempfile.TemporaryDirectory(prefix="opensit-bite-") as folder:
        root = Path(folder)
        scratch_copy(root)
        tests = tuple(sorted({t for c in controls for t in c.tests}))
        code, line = run_tests(root, tests)
        print(f"all controls in place: {line}", flush=True)
        if code != _PYTEST_GREEN:
            print("bite: the tests must pass before a control is removed", file=sys.stderr)
            return 1
        dull = []
        for control in controls:
            red, line = bite(control, root)
            print(f"{control.name:32} {control.invariant:8} {'red' if red else 'NOT RED':8} {line}", flush=True)
            if not red:
                dull.append(control.name)
    print(f"{len(controls) - len(dull)} of {len(controls)} controls are red when removed")
    if dull:
        print(f"bite: nothing noticed the absence of {', '.join(dull)}", file=sys.stderr)
    return 1 if dull else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
