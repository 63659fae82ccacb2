"""Endurance: a device that is connected, armed, used and left alone again, over hours of its own time.

    tools/soak.py                                      24 hours on sim:, 1 hour on sim:micropython
    tools/soak.py --target sim: --hours 2

A round: connect anew, get ready when needed, load, arm, give some points, disarm, save and release the ledger, wait.
Now and then the cable is pulled, the host falls silent while armed, or power goes. At the end the free heap must not be
lower than when the device started, and the ledger must agree with the plant. Exit code 1 when it doesn't.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack import judge
from attack.session import Bench, Ended, acknowledge, back, clear, load, open_bench, prepare, records, shoot
from fuzz import heap
from sit_host._gen import enums
from sit_host.errors import SitError
from sit_host.outcome import expect
from sit_sim.plant import nominal_unit

_HOURS = {"sim:": 24.0, "sim:micropython": 1.0}
_POINTS = 3
_LONGEST_PAUSE_S = 600
_CHANGE_AFTER_NL = 600_000
_GROWN = {"sim:": 20_000, "sim:micropython": 2048}
"""Blocks under CPython, where this program's own records count too; bytes of the firmware's heap on MicroPython."""


class Soak:
    """Rounds on one device; `seen` keeps every ledger record that was released, `shots` the plant's truth of each."""

    def __init__(self, spec: str, seed: int) -> None:
        self.spec = spec
        self.draw = random.Random(f"{seed} soak")
        self.bench: Bench = open_bench(spec, seed, nominal_unit())
        self.rounds = 0
        self.seen: dict[int, Any] = {}
        self.mishaps = 0
        self.syringes = 1  # each belongs to one treatment
        self.given_nl = 0
        self.heaps: dict[int, list[int]] = {}
        """Free heap by boot: after its first round, and now."""

    def round(self) -> None:
        """One round; what a mishap breaks off is picked up in the next."""
        self.rounds += 1
        bench = self.bench
        back(bench)
        acknowledge(bench)
        clear(bench)
        if self.given_nl > _CHANGE_AFTER_NL:
            bench.new_syringe()
            self.given_nl = 0
            self.syringes += 1
        if (
            bench.status().header.ready & enums.READY_NEED & ~enums.Ready.LOADED
            != enums.READY_NEED & ~enums.Ready.LOADED
        ):
            prepare(bench)
        volume_nl = self.draw.randrange(1000, 6000)
        treatment = struct.pack("<4sI", b"SOAK", self.syringes)
        first = self.rounds * _POINTS
        load(bench, [(first + point, 1500, volume_nl) for point in range(_POINTS)], treatment)
        expect(bench.arm(count=_POINTS))
        self._mishap()
        for _ in range(_POINTS):
            shoot(bench)
            bench.hand("next_site")
            self.given_nl += volume_nl
        expect(bench.client.disarm())
        self._save()

    def _mishap(self) -> None:
        what = self.draw.choice(("none",) * 40 + ("cable",) * 8 + ("silent",) * 8 + ("power",))
        bench = self.bench
        if what == "none":
            return
        self.mishaps += 1
        when_ms = self.draw.uniform(10, 900)
        machine = bench.target.machine
        at = machine.tick + round(when_ms * 4)
        if what == "cable":
            machine.events.at(at, lambda: bench.target.control({"do": "cable", "state": "out", "out_ms": 3000}))
        elif what == "power":
            machine.events.at(at, lambda: bench.target.control({"do": "power", "off_ms": 500}))
        else:
            bench.run_ms(2500)  # the lease runs out

    def _save(self) -> None:
        """The host keeps the records and frees their room on the device."""
        bench = self.bench
        for record in records(bench):
            self.seen[record.seq] = record
        expect(bench.client.ledger_release(bench.status().ledger_head))

    def pause(self) -> None:
        """Nobody is there for a while."""
        self.bench.hand("lift")
        self.bench.run_ms(1000 * self.draw.uniform(1, _LONGEST_PAUSE_S))

    def weigh(self) -> None:
        """Look at the heap."""
        boot = self.bench.target.machine.boots
        now = heap(self.bench.target)
        self.heaps[boot] = [self.heaps.get(boot, [now])[0], now]

    def lost(self) -> int:
        """The most that free memory fell in the life of one start."""
        return max((first - last for first, last in self.heaps.values()), default=0)

    def wrong(self) -> list[str]:
        """What doesn't hold at the end."""
        bench = self.bench
        back(bench)
        acknowledge(bench)
        for record in records(bench):
            self.seen[record.seq] = record
        found = [self.seen[seq] for seq in sorted(self.seen)]
        wrong = judge.once(found, bench.target.machine.shots_begun)
        wrong += judge.accounting(found, bench.truth()["shots"])
        if [record.seq for record in found] != list(range(1, len(found) + 1)):
            wrong.append("ledger records are missing")
        if bench.truth()["tip_max_um"] > judge.LIMIT_UM:
            wrong.append("the tip passed 2000 um")
        if self.lost() > _GROWN[self.spec]:
            wrong.append(f"free memory fell by {self.lost()}")
        return wrong


def soak(spec: str, hours: float, seed: int) -> list[str]:
    """Run, print progress and outcome; the sentences of what was wrong."""
    started = shown = time.monotonic()
    here = Soak(spec, seed)
    bench = here.bench
    ended = 0
    while bench.target.now() < hours * 3600:
        try:
            here.round()
        except (SitError, Ended, AssertionError):
            ended += 1
        here.pause()
        if bench.truth()["powered"]:
            here.weigh()
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            share = bench.target.now() / hours / 3600
            print(f"{share:.0%}, {(shown - started) / share * (1 - share) / 60:.1f} min left", file=sys.stderr)
    wrong = here.wrong()
    machine = bench.target.machine
    hours_run, took_s = bench.target.now() / 3600, time.monotonic() - started
    unit = "bytes" if spec == "sim:micropython" else "blocks, this program's own records included"
    print(
        f"{spec} {hours_run:.2f} h of target time in {took_s:.0f} s: {here.rounds} rounds,",
        f"{machine.shots_begun} shots, {here.mishaps} mishaps, {ended} rounds broken off, {machine.boots} boots,",
        f"{len(here.seen)} ledger records; free memory fell by {here.lost()} {unit}: {len(wrong)} violations",
        flush=True,
    )
    bench.target.close()
    return wrong


def main(argv: list[str]) -> int:
    """0 when everything held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", choices=tuple(_HOURS), help="default: both")
    parser.add_argument("--hours", type=float, help="target time (default 24 on sim:, 1 on sim:micropython)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.hours is not None and args.hours <= 0:
        parser.error("--hours must be more than 0")
    wrong = []
    for spec in args.target or list(_HOURS):
        wrong += soak(spec, args.hours or _HOURS[spec], args.seed)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
