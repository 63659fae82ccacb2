"""Power cut at every store write and at every tick of a session of five shots, exhaustively, on the whole stack.

The session runs once in this process; at each place a copy of the process (fork) takes the cut, brings the device back,
gives the next point and is judged. Ticks that the device sleeps through are one state and count as one.
"""

from __future__ import annotations

import functools
import os
import pickle
from collections.abc import Callable, Iterable

from sit_host._gen.enums import Record as Kind
from sit_host.errors import LinkLost, SitError
from sit_host.outcome import Delivered, expect
from sit_sim.plant import nominal_unit

from attack import judge
from attack.results import Kept
from attack.session import Bench, acknowledge, back, begun, load, open_bench, prepare, records

SHOTS = 5
_POINTS = [(point, 1500, 5000) for point in range(1, SHOTS + 1)]
KEPT = (0, 1, 8, 31, 32, 33, 63, 64)
"""Bytes of a write that are on the store when power goes."""


class Flock:
    """Copies of this process that each take one case; `wrong` collects what they found, by case.

    Cases whose results are in `kept` are not taken again; `made` is called after each one that is.
    """

    def __init__(
        self, workers: int, kept: Kept | None = None, made: Callable[[int], None] = lambda count: None
    ) -> None:
        self.workers = workers
        self.cases = 0
        self.fresh = 0
        self.skipped = 0
        self.wrong: list[tuple[str, str]] = []
        self._kept = kept
        self._made = made
        self._busy: dict[int, tuple[int, str]] = {}

    def case(self, name: str, work: Callable[[], list[str]]) -> None:
        """Run `work` in a copy; waits while all workers are busy."""
        self.cases += 1
        if self._kept and name in self._kept.known:
            self.skipped += 1
            self.wrong += [(name, text) for text in self._kept.known[name]["wrong"]]
            return
        while len(self._busy) >= self.workers:
            self._reap()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                found = work()
            except BaseException as error:
                found = [f"{type(error).__name__}: {error}"]
            os.write(write, pickle.dumps(found[:5]))
            os._exit(0)
        os.close(write)
        self._busy[pid] = (read, name)

    def _reap(self) -> None:
        pid, status = os.wait()
        read, name = self._busy.pop(pid)
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
        found = pickle.loads(data) if data and not status else [f"the copy ended with {status}"]
        self.wrong += [(name, text) for text in found]
        if self._kept:
            self._kept.add({"seed": name, "wrong": found})
        self.fresh += 1
        self._made(self.fresh)

    def finish(self) -> None:
        """Wait for all copies."""
        while self._busy:
            self._reap()


def ready(seed: int = 1) -> Bench:
    """A device armed for five points."""
    bench = open_bench("sim:", seed, nominal_unit())
    prepare(bench)
    load(bench, _POINTS)
    expect(bench.arm(count=SHOTS))
    return bench


def session() -> tuple[int, int]:
    """Ticks that the firmware runs in an uncut session, from the first press to the last lift, and its store writes.

    Each is counted in a session paced as the one in which it is cut: a pause tick by tick ends a little later, which
    may make one checkpoint more.
    """
    ticks = 0

    def count() -> None:
        nonlocal ticks
        ticks += 1

    bench = ready()
    _give(bench, _POINTS, _each_tick(bench, count))
    bench.target.close()
    bench = ready()
    before = bench.target.machine.fram.writes
    _give(bench, _POINTS, bench.client.sleep)
    writes = bench.target.machine.fram.writes - before
    bench.target.close()
    return ticks, writes


def _each_tick(bench: Bench, act: Callable[[], None]) -> Callable[[float], None]:
    """A pause for `_give` that calls `act` after each tick which the firmware ran."""

    def pause(seconds: float) -> None:
        machine, end_s = bench.target.machine, bench.target.now() + seconds
        while bench.target.now() < end_s:
            ran = machine.ticks_run
            bench.client.wait(bench.target.now() + 0.00025)
            if machine.ticks_run != ran:
                act()

    return pause


def every_tick(flock: Flock, stride: int) -> None:
    """Cut at each `stride`-th tick that the firmware runs in the session."""
    bench = ready()
    before_nl = bench.truth()["tissue_nl"]
    ticks = 0

    def cut() -> None:
        nonlocal ticks
        if ticks % stride == 0:
            flock.case(f"tick {bench.target.machine.tick}", lambda: _cut_now(bench, before_nl))
        ticks += 1

    _give(bench, _POINTS, _each_tick(bench, cut))
    flock.finish()
    wrong = _judge(bench, before_nl, 0, [point[0] for point in _POINTS])
    flock.wrong += [("no cut", text) for text in wrong]
    bench.target.close()


def every_write(flock: Flock, writes: int) -> None:
    """Cut in each of the session's `writes` after each number of bytes of KEPT."""
    bench = ready()
    before_nl = bench.truth()["tissue_nl"]
    for number in range(1, writes + 1):
        for kept_bytes in KEPT:
            work = functools.partial(_cut_write, bench, before_nl, number, kept_bytes)
            flock.case(f"write {number} after {kept_bytes} bytes", work)
    flock.finish()
    bench.target.close()


def _give(bench: Bench, points: list[tuple[int, int, int]], pause: Callable[[float], None]) -> None:
    for _ in points:
        bench.hand("press")
        pause(0.05)
        bench.hand("trigger")
        pause(0.3)
        bench.hand("release")
        pause(0.02)
        bench.hand("lift")
        pause(0.11)


def _cut_now(bench: Bench, before_nl: float) -> list[str]:
    bench.target.control({"do": "power", "off_ms": 50})
    return _after(bench, before_nl)


def _cut_write(bench: Bench, before_nl: float, number: int, kept: int) -> list[str]:
    bench.target.control({"do": "power", "off_ms": 50, "at_write": number, "kept_bytes": kept})
    try:
        _give(bench, _POINTS, bench.client.sleep)
    except (LinkLost, SitError):
        return _after(bench, before_nl)
    return [f"write {number} never came"]


def _after(bench: Bench, before_nl: float) -> list[str]:
    """Power is back: what is uncertain is looked at, the next point is given, everything is judged."""
    bench.run_ms(60)
    back(bench)
    # nothing may be armed before the acknowledgement
    wrong = []
    if bench.status().uncertain_seq:
        if isinstance(bench.client.arm(2000, 0, 1), Delivered):
            wrong.append("armed with an uncertain shot")
        acknowledge(bench)
    uncertain = [record for record in records(bench) if record.kind == Kind.UNCERTAIN]
    given = begun(bench)
    rest = [point for point in _POINTS if point[0] not in given]
    if rest:
        prepare(bench)
        load(bench, rest)
        expect(bench.arm(count=len(rest)))
        _give(bench, rest[:1], bench.client.sleep)
    return wrong + _judge(bench, before_nl, len(uncertain), given | {point[0] for point in rest[:1]})


def _judge(bench: Bench, before_nl: float, uncertain: int, given: Iterable[int]) -> list[str]:
    found = records(bench)
    wrong = judge.once(found, bench.target.machine.shots_begun)
    ends = [record for record in found if record.kind in judge.ENDS]
    if sorted(end.point for end in ends) != sorted(given):
        wrong.append(f"ends of points {[end.point for end in ends]}")
    low, high = sum(end.tissue_min_nl for end in ends), sum(end.tissue_max_nl for end in ends)
    true_nl = bench.truth()["tissue_nl"] - before_nl
    if not low - 1 <= true_nl <= high + 1:
        wrong.append(f"tissue {low} to {high} nl, truly {true_nl:.0f}")
    if uncertain > 1:
        wrong.append(f"{uncertain} uncertain shots of one cut")
    if bench.truth()["tip_max_um"] > judge.LIMIT_UM:
        wrong.append("the tip passed 2000 um")
    return wrong
