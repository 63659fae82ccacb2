"""What must hold after any run, judged against the plant's truth: depth, once, accounting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sit_firmware import codes
from sit_host._gen.enums import Record as Kind

LIMIT_UM = 2000.0
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
    if not low <= true["tissue_nl"] <= high:
        wrong.append(
            f"{name}: tissue {record.tissue_min_nl} to {record.tissue_max_nl} nl, truly {true['tissue_nl']:.0f}"
        )
    return wrong
