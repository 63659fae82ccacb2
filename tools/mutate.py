"""Mutation testing of the parts that keep a patient safe: one small change at a time, and a test must go red.

    tools/mutate.py                       300 mutants, seeded, over all the files below; at most 40 minutes
    tools/mutate.py --sample 40 --file limits
    tools/mutate.py --show 17             the change that mutant 17 is

First each test is run on sources that note their lines; then each mutant meets the tests that run its line, quick ones
first, up to --budget seconds of them. A mutant lives in a copy of this process (fork); nothing is written to the tree.
Results are kept in build/ as long as the source and the test that killed it, or for a survivor all tests, stay as they
are; a stopped run goes on. The survivors are printed. Exit code 1 under a kill rate of 90 %.
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from mutation.cover import Covered, covered, meeting, text_hash
from mutation.graft import graft
from mutation.places import lines_of, mutated, places
from mutation.session import Copy, Tests, say

ROOT = Path(__file__).resolve().parent.parent
_FIRMWARE = ROOT / "firmware" / "sit_firmware"
FILES = (
    *(f"control/{path.name}" for path in sorted((_FIRMWARE / "control").glob("[a-z]*.py"))),
    *(path.name for path in sorted(_FIRMWARE.glob("guard*.py"))),
    "limits.py",
    "ledger.py",
    "store/ring.py",
    "store/tally.py",
)
"""The files, below firmware/sit_firmware, that are changed."""
TESTS = ("tests/unit", "tests/protocol", "tests/safety", "tests/stack")
_FORMS = "it compares with other forms of the same source, which aren't changed"
_COMPILED = "it runs the compiled loop, which isn't changed"
_SLOW = "slow, or in processes of its own, and nothing in it is told apart by these files alone"
LEFT_OUT = {
    "tests/unit/test_control_forms.py": _FORMS,
    "tests/unit/test_chip_forms.py": _FORMS,
    "tests/unit/test_thumb.py": _FORMS,
    "tests/unit/test_campaign_metering.py": _FORMS,
    "tests/safety/test_depth_faults.py": _COMPILED,
    "tests/safety/test_depth_normal.py": _COMPILED,
    "tests/protocol/test_generated.py": "it reads the tree",
    "tests/stack/test_figures.py": "it measures speed",
    **{f"tests/stack/test_{name}.py": _SLOW for name in (
        "resume", "resume_random", "share_stack", "server", "treat_whole", "cli_stack", "flash_pty", "calibrate_qa",
        "calibrate_dose", "lockstep", "lockstep_scenarios", "lockstep_faults", "targets_open", "targets_scenario")},
    **{f"tests/unit/test_{name}.py": _SLOW for name in ("host_cli", "host_share", "host_transport", "qa_trace")},
}  # fmt: skip
_KILLED_SHARE = 0.9
_SLOWER = 4
"""A mutant may take so many times as long as the untouched sources, and a little more."""
_LITTLE_S = 20.0


@dataclass
class Result:
    """What became of a mutant. `killer`: the test that went red, "time" when it took too long, "" when it lives."""

    mutant: str
    killer: str
    source: str
    tests: str
    """The state of the killer's file; for a survivor, of all tests and the firmware."""
    tried: int
    s: float


def _module_name(file: str) -> str:
    return "sit_firmware." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def mutants(only: str) -> list[tuple[str, int, str]]:
    """Every mutant there is, in the order of files and nodes."""
    return [
        (file, number, what)
        for file in FILES
        if only in file
        for number, what in places(ast.parse((_FIRMWARE / file).read_text()))
    ]


class Trial:
    """A sample of mutants against all tests; `results` by name, those that were kept among them."""

    def __init__(self, args: argparse.Namespace, chosen: list[tuple[str, int, str]]) -> None:
        self.args = args
        self.chosen = chosen
        self.tests = Tests()
        self.trees = {file: ast.parse((_FIRMWARE / file).read_text()) for file in FILES}
        self.lines = {file: lines_of(tree) for file, tree in self.trees.items()}
        self.kept = ROOT / "build" / "mutants.jsonl"
        shared = [*sorted(_FIRMWARE.rglob("*.py")), *sorted((ROOT / "sim").rglob("*.py"))]
        kits = [path for path in sorted((ROOT / "tests").rglob("*.py")) if not path.name.startswith("test_")]
        kits += sorted((ROOT / "tests" / "golden").iterdir())
        self.shared = text_hash([*shared, *kits])
        self.version = text_hash([*shared, *sorted((ROOT / "tests").rglob("*.py"))])
        self.results: dict[str, Result] = {}
        self.kills: dict[str, Counter[str]] = {file: Counter() for file in FILES}
        self.covered: Covered = {}

    def run(self) -> None:
        """The work, within pytest's session: look at the lines, then try what is missing."""
        sources = {file: (_module_name(file), tree) for file, tree in self.trees.items()}
        lines = ROOT / "build" / "mutants-lines.json"
        self.covered = covered(self.tests, sources, lines, self.shared, ROOT)
        self._load()
        missing = [mutant for mutant in self.chosen if _name(mutant) not in self.results]
        say(f"{len(self.covered)} tests, {len(missing)} mutants to try, {len(self.chosen) - len(missing)} known")
        started, ends = time.monotonic(), time.monotonic() + self.args.minutes * 60
        busy: list[tuple[Copy, tuple[str, int, str], int, float]] = []
        with self.kept.open("a") as out:
            while busy or (missing and time.monotonic() < ends):
                while missing and len(busy) < self.args.workers and time.monotonic() < ends:
                    busy.append(self._begin(missing.pop(0)))
                time.sleep(0.01)
                for entry in [entry for entry in busy if entry[0].over()]:
                    busy.remove(entry)
                    self._end(*entry)
                    out.write(json.dumps(asdict(self.results[_name(entry[1])])) + "\n")
                    out.flush()
                    self._tell(started, len(missing) + len(busy))

    def _load(self) -> None:
        wanted = {_name(mutant): mutant[0] for mutant in self.chosen}
        for line in self.kept.read_text().splitlines() if self.kept.exists() else []:
            result = Result(**json.loads(line))
            file = wanted.get(result.mutant)
            if file and result.source == text_hash([_FIRMWARE / file]) and result.tests == self._state(result.killer):
                self.results[result.mutant] = result

    def _state(self, killer: str) -> str:
        path = ROOT / killer.split("::")[0]
        return text_hash([path]) if killer and path.is_file() else self.version

    def _begin(self, mutant: tuple[str, int, str]) -> tuple[Copy, tuple[str, int, str], int, float]:
        file, number, what = mutant
        line = self.lines[file].get(number, 0)
        wanted = meeting(self.covered, file, line, self.kills[file], self.args.budget)
        tree, _ = mutated(self.trees[file], number, what)
        longest_s = _LITTLE_S + _SLOWER * sum(self.covered[nodeid]["s"] for nodeid in wanted)
        copy = Copy(functools.partial(self._meet, _module_name(file), tree, wanted), longest_s)
        return copy, mutant, len(wanted), time.monotonic()

    def _meet(self, module: str, tree: ast.Module, wanted: list[str]) -> str:
        """In a copy: the test that goes red, or ""."""
        try:
            graft(module, tree)
        except Exception:
            return "import"
        return self.tests.run(wanted)

    def _end(self, copy: Copy, mutant: tuple[str, int, str], tried: int, began: float) -> None:
        answer = copy.answer()
        killer = "time" if answer is None else str(answer)
        if killer:
            self.kills[mutant[0]][killer.split("::")[0]] += 1
        self.results[_name(mutant)] = Result(
            _name(mutant), killer, text_hash([_FIRMWARE / mutant[0]]), self._state(killer), tried,
            round(time.monotonic() - began, 1),
        )  # fmt: skip

    def _tell(self, started: float, left: int) -> None:
        done = len(self.chosen) - left
        lives = sum(not result.killer for result in self.results.values())
        if done % 10 == 0 or not left:
            each_s = (time.monotonic() - started) / max(done, 1)
            say(f"{done}/{len(self.chosen)} mutants, {lives} live, about {left * each_s / 60:.0f} min left")

    def suspicious(self) -> list[str]:
        """Killers that are red on the untouched sources when they run alone: what they killed doesn't count."""
        killers = {result.killer for result in self.results.values()} & set(self.covered)
        return [k for k in sorted(killers) if Copy(functools.partial(self.tests.run, [k]), 120).result() != ""]


def _name(mutant: tuple[str, int, str]) -> str:
    return ":".join(map(str, mutant))


def main(argv: list[str]) -> int:
    """Run a seeded sample; 0 when enough mutants are killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", metavar="TEXT", help="only files whose path holds this text")
    parser.add_argument("--minutes", type=float, default=40, help="begin no mutant after this long (default 40)")
    parser.add_argument("--budget", type=float, default=20, metavar="S", help="seconds of tests for each (default 20)")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--show", type=int, metavar="N", help="show the N-th mutant of the sample and stop")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    every = mutants(args.file)
    chosen = random.Random(f"{args.seed} mutants").sample(every, min(args.sample, len(every)))
    if args.show is not None and not 0 <= args.show < len(chosen):
        parser.error(f"--show takes 0 to {len(chosen) - 1}")
    if args.show is not None:
        file, number, what = chosen[args.show]
        print(file, mutated(ast.parse((_FIRMWARE / file).read_text()), number, what)[1])
        return 0
    (ROOT / "build").mkdir(exist_ok=True)
    trial = Trial(args, chosen)
    red: list[str] = []

    def work() -> None:
        trial.run()
        red.extend(trial.suspicious())

    code = trial.tests.collect([*TESTS, *(f"--ignore={path}" for path in LEFT_OUT)], work)
    if code not in (0, 5):
        print(f"mutate: pytest ended with {code}; run the tests themselves first", file=sys.stderr)
        return 1
    return _report(trial, every, red)


def _report(trial: Trial, every: list[tuple[str, int, str]], red: list[str]) -> int:
    done = [mutant for mutant in trial.chosen if _name(mutant) in trial.results]
    lives = [m for m in done if trial.results[_name(m)].killer in ("", *red)]
    for file, number, what in sorted(lives):
        print(f"{file} {mutated(trial.trees[file], number, what)[1]}")
    share = 1 - len(lives) / len(done) if done else 0.0
    print(f"{len(done)} of {len(every)} mutants tried, seed {trial.args.seed}: {share:.1%} killed, {len(lives)} live")
    if red:
        print(f"mutate: red when run alone, so what they killed counts as alive: {', '.join(red)}", file=sys.stderr)
    return 0 if share >= _KILLED_SHARE else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
