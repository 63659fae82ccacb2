"""What must hold after any run, judged against the plant's truth: depth, once, accounting, and that DONE is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sit_firmware import codes
from sit_host._gen.enums import Record as Kind
from sit_sim.faults import find

LIMIT_UM = 2000.0
STOP_UM = 2037.0  # the tip at the mechanical stop, every term at its bad end: hardware/mechanics.md
DEPTH_WITHIN_UM = 45.0  # depth error of a shot, 25 um, and the zero's uncertainty
DOSE_PART, DOSE_NL = 0.05, 50.0  # of the dose asked for: what a DONE record stands for
ENDS = (Kind.DONE, Kind.PARTIAL, Kind.ABORTED, Kind.UNCERTAIN)
_ROUND_NL = 1.0  # an interval holds whole nl


def once(records: Sequence[Any], shots_begun: int) -> list[str]:
    """Invariant 5: no identity is begun twice, no shot without its INTENT, each with one end."""
    intents = [record for record in records if record.kind == Kind.INTENT]
    wrong = []
    for identity, count in Counter((r.treatment, r.point, r.attempt) for r in intents).items():
        if count > 1:
            wrong.append(f"point {identity[1]} attempt {identity[2]} was begun {count} times")
    if shots_begun > len(intents):
        wrong.append(f"{shots_begun} shots for {len(intents)} INTENT records")
    ends = Counter(record.ref for record in records if record.kind in ENDS)
    wrong += [f"INTENT {r.seq} has {ends[r.seq]} ends" for r in intents if ends[r.seq] != 1]
    return wrong


def accounting(records: Sequence[Any], shots: Sequence[dict[str, Any]], runaway: bool = False) -> list[str]:
    """Invariant 4: steps equal, true tissue volume inside the interval, for each shot that the plant saw begin.

    `runaway`: the step generator ran by itself, also after the record was written; the record must then hold at least
    what had been emitted when the shot ended.
    """
    ends = [r for r in records if r.kind in ENDS]
    begun = [r for r in ends if not (r.kind == Kind.ABORTED and r.cause == codes.CAUSE_NOT_READY)]
    wrong = []
    if len(shots) > len(begun):
        return [f"{len(shots)} shots for {len(begun)} end records"]
    if len(shots) < len(begun):
        # a power cut between INTENT and motion: UNCERTAIN without a shot; it must be possible that nothing was given
        spare = [r for r in begun if r.kind == Kind.UNCERTAIN or r.steps == 0]
        if len(spare) < len(begun) - len(shots):
            return [f"{len(begun)} end records for {len(shots)} shots"]
        for record in spare[: len(begun) - len(shots)]:
            begun.remove(record)
    starts = {record.seq: record.steps for record in records if record.kind == Kind.INTENT}
    for record, truth in zip(begun, shots, strict=True):
        true = dict(truth["shot"])
        if runaway and record.steps >= truth["plunger_steps"] - starts[record.ref]:
            true["steps"] = record.steps
        wrong += _shot(record, true)
    return wrong


def done_right(records: Sequence[Any], shots: Sequence[dict[str, Any]], depth: bool = True) -> list[str]:
    """What is told as DONE was given: dose within 5 % + 50 nl of what was asked for, depth within 45 um.

    With this a fault that nobody was told of is harmless. `depth` False: a needle that has slipped isn't where it says.
    """
    ends = [r for r in records if r.kind in ENDS]
    begun = [r for r in ends if not (r.kind == Kind.ABORTED and r.cause == codes.CAUSE_NOT_READY)]
    if len(begun) != len(shots):
        return []  # a power cut: what was begun has no DONE, and `accounting` looks at it
    asked_um = {record.seq: record.depth_um for record in records if record.kind == Kind.INTENT}
    wrong = []
    for record, truth in zip(begun, shots, strict=True):
        if record.kind != Kind.DONE:
            continue
        off_nl = truth["shot"]["tissue_nl"] - record.asked_nl
        if abs(off_nl) > DOSE_PART * record.asked_nl + DOSE_NL:
            wrong.append(f"DONE {record.seq}: {truth['shot']['tissue_nl']:.0f} nl of {record.asked_nl} asked for")
        off_um = truth["shot"]["depth_um"] - asked_um[record.ref]
        if depth and abs(off_um) > DEPTH_WITHIN_UM:
            wrong.append(f"DONE {record.seq}: {truth['shot']['depth_um']:.0f} um of {asked_um[record.ref]} asked for")
    return wrong


def deepest_um(faults: str, fault: str, args: dict[str, float]) -> float:
    """How deep the true tip may come: the limit under F1; under F2 the stop, and what the needle slipped beyond it."""
    if faults == "f1":
        return LIMIT_UM
    kind = find(fault).value if fault != "none" else None
    usual = {**kind.args, **args} if kind else {}
    return STOP_UM + usual.get("slip_um", 0.0) + usual.get("shift_um", 0.0)


def _shot(record: Any, true: dict[str, Any]) -> list[str]:
    name = f"{Kind(record.kind).name} {record.seq} (cause {record.cause})"
    wrong = []
    if record.kind == Kind.UNCERTAIN:
        # net steps of the last checkpoint: suck-back may have taken some of them back since, never the other way
        if (record.steps > true["steps"] and true["tissue_nl"] == 0) or record.steps > record.cap_steps:
            wrong.append(f"{name}: {record.steps} steps of at most {record.cap_steps}, truly {true['steps']}")
    elif record.steps != true["steps"]:
        wrong.append(f"{name}: {record.steps} steps, truly {true['steps']}")
    low, high = record.tissue_min_nl - _ROUND_NL, record.tissue_max_nl + _ROUND_NL
    # what a slip draws out of the tissue before anything was given is the tissue's own, no drug
    if not low <= max(true["tissue_nl"], 0.0) <= high:
        wrong.append(
            f"{name}: tissue {record.tissue_min_nl} to {record.tissue_max_nl} nl, truly {true['tissue_nl']:.0f}"
        )
    return wrong
