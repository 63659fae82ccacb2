"""A session on a simulated device: prepared, armed, shots given, and brought back after whatever came between.

Nothing here raises for what a fault does to a session: a refusal, a latched fault or a lost link ends it early.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sit_firmware.calibration import FIELDS, Calibration
from sit_firmware.store.values import STORED
from sit_host._gen import enums, messages
from sit_host.errors import LinkLost, SitError
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_sim.plant import nominal_unit
from sit_sim.targets import open_target

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "stack"))
from shotkit import Bench

POINTS_APART_MS = 70
_NL_PER_MPA = 1e18  # of m3/Pa
_MEASURED_WITHIN = 0.03
_COMPLIANCE = [field[0] for field in FIELDS].index("compliance_nl_per_mpa")
TREATMENT = b"ATTACK01"


class Ended(Exception):
    """The session can't go on; the text says what it met."""


def open_bench(spec: str, seed: int, unit: Any, stop_fitted: bool = False) -> Bench:
    """A calibrated device that nobody holds, and a host that is connected.

    The intervals of the ledger hold for a device whose compliance was measured within 5 % and whose bore is within its
    tolerance (docs/ledger.md), so each unit gets its own calibration before it first starts a session.
    """
    target = open_target(spec, seed=seed, hand="none", unit=unit, stop_fitted=stop_fitted)
    try:
        _calibrate(target, seed, unit)
        return Bench(target)
    except BaseException:
        target.close()
        raise


def _calibrate(target: Any, seed: int, unit: Any) -> None:
    """Measured compliance on the store, the nominal bore, and a new start that takes them."""
    calibration = Calibration(target.machine.fram)
    calibration.load()
    nominal_nl = nominal_unit().compliance_m3_per_pa * _NL_PER_MPA
    own_nl = unit.compliance_m3_per_pa * _NL_PER_MPA * (1 + _MEASURED_WITHIN * random.Random(seed).uniform(-1, 1))
    values = [getattr(calibration, field[0]) for field in FIELDS]
    values[_COMPLIANCE] += round(own_nl - nominal_nl)
    calibration.save(STORED, values)
    target.control({"do": "power", "off_ms": 0})
    target.reopen(target.now() + 2)


def work(bench: Bench, message: Any) -> None:
    """Have long work done; Ended when it isn't."""
    outcome = expect(bench.client.run(message, timeout_s=30))
    if outcome is None or not outcome.done:
        raise Ended(f"{message.NAME} ended with {outcome and outcome.result}")


def prepare(bench: Bench, before: Callable[[str], None] = lambda step: None) -> None:
    """Self-test, needle adjusted, zero, prime; `before` is called with the name of each step."""
    before("selftest")
    work(bench, messages.Selftest())
    bench.hand("adjust")
    bench.hand("fit_zero_tool")
    before("zero")
    work(bench, messages.Zero())
    bench.hand("remove_zero_tool")
    before("prime")
    work(bench, messages.Prime(40_000))


def load(bench: Bench, points: Sequence[tuple[int, ...]], treatment: bytes = TREATMENT) -> None:
    """Loads and seals (point, depth_um, volume_nl[, attempt]) rows."""
    expect(bench.load(list(points), treatment))


def shoot(bench: Bench, wait_s: float = 0.35) -> None:
    """On the skin, the trigger, what follows, off."""
    bench.hand("press")
    bench.client.sleep(0.05)
    bench.hand("trigger")
    bench.client.sleep(wait_s)
    bench.hand("release")
    bench.client.sleep(0.02)
    bench.hand("lift")
    bench.client.sleep(POINTS_APART_MS * 1e-3)


def back(bench: Bench) -> None:
    """Hands off, the link open anew, and the host knows the time; whatever fault is in force may go on."""
    for action in ("release", "lift", "remove_zero_tool"):
        bench.hand(action)
    for left in (2, 1, 0):
        try:
            bench.client.reconnect(10)
            bench.client.set_clock_if_needed()
            return
        except SitError:
            if not left:
                raise


def acknowledge(bench: Bench) -> None:
    """The operator has looked at what is uncertain."""
    uncertain = bench.status().uncertain_seq
    if uncertain:
        expect(bench.client.ack_uncertain(uncertain))


def clear(bench: Bench) -> None:
    """A latched fault is cleared, once its cause is gone."""
    fault = bench.status().header.fault
    if fault:
        with contextlib.suppress(SitError):
            expect(bench.client.clear_fault(fault))
    bench.client.sleep(0.6)


def records(bench: Bench) -> list[Any]:
    """All records of the ledger; Ended when one can't be read."""
    entries = list(read_records(bench.client))
    if not all(entry.whole for entry in entries):
        raise Ended("a ledger record can't be read")
    return [entry.record for entry in entries]


def begun(bench: Bench) -> set[int]:
    """Points that have an INTENT."""
    return {record.point for record in records(bench) if record.kind == enums.Record.INTENT}


def idle(bench: Bench, ms: float) -> None:
    """Time passes; the host listens as long as it is connected."""
    end_s = bench.target.now() + ms * 1e-3
    try:
        while bench.target.now() < end_s:
            bench.client.wait(end_s)
    except LinkLost:
        bench.run_ms(max(0.0, (end_s - bench.target.now()) * 1e3))
