"""Soft limits when a treatment begins: those that hang on what was given before, and the operator's word for all.

Each one agreed to is kept: in the journal before anything moves, in the record and on its page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sit_host._gen.records import Record
from sit_host.errors import SitError
from sit_host.plan_limits import SOFT
from sit_host.treatment.course import ENDS
from sit_host.treatment.talk import Talk

FLAG = "--over-soft-limits"


@dataclass(frozen=True)
class Agreed:
    """One soft limit that was passed: the sentence shown, how it was agreed to ("asked" or the flag), and when."""

    what: str
    how: str
    unix_s: int


def window_passed(records: Iterable[Record], planned_nl: int, time_s: float, window_s: int, now_s: float) -> list[str]:
    """Return the soft limit of the window when what the device gave before and this plan pass it together, or [].

    `planned_nl` is given evenly over `time_s`. A record without a time counts as one of just now.
    """
    before_nl = sum(
        record.tissue_max_nl
        for record in records
        if record.kind in ENDS and (not record.unix_s or record.unix_s + window_s > now_s)
    )
    most_nl = before_nl + round(planned_nl * min(1.0, window_s / max(time_s, 1.0)))
    if most_nl <= SOFT.window_nl:
        return []
    before = f", {before_nl / 1000:g} uL of it before this plan" if before_nl else ""
    return [
        f"Up to {most_nl / 1000:g} uL within {window_s / 60:g} min{before}, more than {SOFT.window_nl / 1000:g} uL."
    ]


def agree(found: Sequence[str], talk: Talk, over: bool, unix_s: float) -> tuple[Agreed, ...]:
    """Have somebody agree to every soft limit found; `over`: the command line did. Raises SitError when nobody does."""
    for sentence in found:
        talk.say(f"Soft limit: {sentence}")
    if not found:
        return ()
    if not over and not talk.attended:
        raise SitError(
            f"Nothing was given, a soft limit would be passed: {' '.join(found)}",
            f"A person has to agree: start it at a terminal without --yes, or give {FLAG}.",
        )
    if not over and not talk.confirm("Is that meant? Go on over the soft limits?"):
        raise SitError("Nothing was given: a soft limit would be passed.", "Change the plan, or agree next time.")
    return tuple(Agreed(sentence, FLAG if over else "asked", round(unix_s)) for sentence in found)
