"""Performs one case of the fault campaign on the whole stack and judges it."""

from __future__ import annotations

import functools
import traceback
from dataclasses import asdict, dataclass, field
from typing import Any

from sit_firmware import codes, image
from sit_host._gen.enums import Event
from sit_host._gen.enums import Record as Kind
from sit_host.errors import SitError
from sit_host.outcome import Delivered, Refused, expect
from sit_sim.clock import ticks_of_ms
from sit_sim.plant import nominal_unit, spread_unit
from sit_sim.targets import FirmwareDied

from attack import judge
from attack.cases import PHASES, SHOTS, Case, case_of, commands
from attack.session import (
    TREATMENT,
    Bench,
    Ended,
    acknowledge,
    back,
    begun,
    clear,
    idle,
    load,
    open_bench,
    prepare,
    records,
    shoot,
)
from attack.watch import Watch

_SPREAD_SEEDS = 1_000_000
_SLIPPED = ("coupling_slipped", "needle_reseated")


@dataclass
class Verdict:
    """What a run came to. `wrong` is empty when every invariant held."""

    seed: int
    fault: str
    args: dict[str, float]
    moment: str
    came: str = ""
    """detected (latched, refused or told as a miss), harmless (all that is told as done was given: judge.done_right),
    residual (F2: the needle slipped and nobody can know), or not struck."""
    why: str = ""
    tip_um: float = -1000.0
    reaction_ticks: int | None = None
    volume_error: float = 0.0
    """Largest |true tissue volume / asked - 1| of a shot that is told as DONE."""
    wrong: list[str] = field(default_factory=list)


def run_seed(spec: str, faults: str, seed: int, watch_images: bool = False) -> tuple[dict[str, Any], Watch | None]:
    """The verdict of a seed as a mapping, with the watch of its ticks. What the tool itself can't do is wrong, too."""
    case = case_of(seed, faults)
    unit = spread_unit(seed % _SPREAD_SEEDS) if seed else nominal_unit()
    verdict = Verdict(seed, case.fault, case.args, case.moment)
    bench = open_bench(spec, seed, unit, stop_fitted=faults == "f2")
    watch = Watch(bench.target.machine, watch_images)
    bench.target.trace(watch)
    try:
        _perform(bench, case, watch, verdict)
    except FirmwareDied as died:
        verdict.wrong.append(f"the firmware died: {died}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        verdict.wrong.append(f"{type(error).__name__}: {error} ({where.name}:{where.lineno})")
    finally:
        verdict.reaction_ticks = watch.reaction_ticks if verdict.why.startswith("fault") else None
        verdict.tip_um = round(bench.truth()["tip_max_um"], 1)
        bench.target.close()
    if verdict.tip_um > judge.deepest_um(faults, case.fault, case.args):
        verdict.wrong.append(f"the true tip was at {verdict.tip_um:.1f} um")
    return asdict(verdict), watch


def _perform(bench: Bench, case: Case, watch: Watch, verdict: Verdict) -> None:
    strike = _Strike(bench, case, watch)
    met = ""
    try:
        prepare(bench, strike.before)
        _treat(bench, case, strike)
    except (SitError, Ended) as ended:
        met = str(ended)
    except AssertionError as refused:
        met = f"refused: {refused}"
    idle(bench, 1500)
    latched = _latched(bench)
    strike.undo()
    back(bench)
    acknowledge(bench)
    clear(bench)
    _try_again(bench, case)
    found = records(bench)
    machine = bench.target.machine
    verdict.wrong += judge.once(found, machine.shots_begun)
    verdict.wrong += judge.accounting(found, bench.truth()["shots"], case.fault == "steps_extra")
    verdict.wrong += judge.done_right(found, bench.truth()["shots"], case.fault not in _SLIPPED)
    ends = [record for record in found if record.kind in judge.ENDS]
    missed = [record for record in ends if record.kind != Kind.DONE]
    verdict.volume_error = _worst_volume(ends, bench.truth()["shots"])
    faulted = [record.cause for record in found if record.kind == Kind.FAULT]
    if not strike.struck:
        verdict.came = "not struck"
    elif latched or faulted or met or missed:
        verdict.came = "detected"
        verdict.why = f"fault {faulted[0] if faulted else latched}" if faulted or latched else met or "told as a miss"
    else:
        verdict.came = "residual" if case.fault in _SLIPPED else "harmless"
    verdict.why = verdict.why[:100]


class _Strike:
    """Brings the fault about at its moment."""

    def __init__(self, bench: Bench, case: Case, watch: Watch) -> None:
        self.bench = bench
        self.case = case
        self.watch = watch
        self.struck = False
        machine = bench.target.machine
        if case.moment in PHASES:
            machine.on_phase = self._phase

    def before(self, moment: str) -> None:
        """The session has come to a moment."""
        if moment == self.case.moment and not self.struck:
            machine = self.bench.target.machine
            machine.events.at(machine.tick + 1 + ticks_of_ms(self.case.after_ms), self._now)

    def _phase(self, phase: int) -> None:
        machine = self.bench.target.machine
        if phase == PHASES[self.case.moment][0] and machine.shots_begun == self.case.shot and not self.struck:
            self.struck = True
            machine.events.at(machine.tick + 1 + ticks_of_ms(self.case.after_ms), self._now)

    def _now(self) -> None:
        self.struck = True
        self.watch.strike()
        target = self.bench.target
        for after_ms, what in commands(self.case):
            target.machine.events.at(
                target.machine.tick + ticks_of_ms(after_ms), functools.partial(target.control, what)
            )

    def undo(self) -> None:
        """The cause is mended, the e-stop released, the cable back in."""
        machine = self.bench.target.machine
        machine.on_phase = lambda phase: None
        if self.case.fault == "wrong_syringe":
            self.bench.hand("cartridge_out")  # no syringe is changed without that
            idle(self.bench, 300)
        if self.case.fault != "none" and self.struck:
            self.bench.target.control({"do": "unfault", "name": self.case.fault})
        self.bench.hand("cartridge_in")
        self.bench.hand("estop_release")


def _treat(bench: Bench, case: Case, strike: _Strike) -> None:
    assert bench.client.device is not None
    depth_um = case.depth_um(bench.client.device.max_depth_um)
    load(bench, [(point, depth_um, case.volume_nl) for point in range(1, SHOTS + 1)])
    strike.before("arm")
    expect(bench.arm(count=SHOTS))
    strike.before("armed")
    for shot in range(1, SHOTS + 1):
        here = shot == case.shot
        bench.hand("press")
        if here:
            strike.before("contact")
        bench.client.sleep(0.05)
        bench.hand("trigger")
        if here:
            strike.before("trigger")
        # the plant's own look at the phase only says when this operator's patience may end
        bench.client.wait_for(functools.partial(_over, bench, shot), 1.2)
        bench.hand("release")
        bench.client.sleep(0.02)
        bench.hand("lift")
        bench.client.sleep(0.07)
        if here:
            strike.before("between")


def _over(bench: Bench, shot: int) -> bool:
    told = [event for event in bench.client.log.since(0) if event.kind == Event.SHOT]
    return bench.target.machine.phase == codes.PHASE_IDLE and len(told) >= shot


def _latched(bench: Bench) -> int:
    state = bench.target.process.state
    return int(state[image.ST_FAULT]) if state is not None else 0


def _try_again(bench: Bench, case: Case) -> None:
    """An operator who wants the whole table given again: what was begun must be refused, the rest may be given."""
    depth_um = 1000
    done = begun(bench)
    for point in range(1, SHOTS + 1):
        outcome = bench.load([(point, depth_um, case.volume_nl)], TREATMENT)
        if point in done and isinstance(outcome, Delivered):
            raise Ended(f"point {point} was begun and can be loaded again")
        if isinstance(outcome, Refused):
            continue
        if isinstance(bench.client.arm(2000, 0, 1), Delivered):
            shoot(bench)
            expect(bench.client.disarm())


def _worst_volume(ends: list[Any], shots: list[dict[str, Any]]) -> float:
    """Of shots told as DONE; they stand in order, so the plant's k-th shot is matched by its steps."""
    worst = 0.0
    for record in ends:
        if record.kind != Kind.DONE:
            continue
        true = [shot["shot"]["tissue_nl"] for shot in shots if shot["shot"]["steps"] == record.steps]
        if true and record.asked_nl:
            error = min((nl / record.asked_nl - 1 for nl in true), key=abs)
            worst = max(worst, abs(error))
    return round(worst, 4)
