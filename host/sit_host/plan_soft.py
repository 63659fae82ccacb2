"""Soft limits of a plan: what may be given only after an operator has agreed (treatment/agree.py).

They lie under the limits in force, which nobody can agree away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .plan import Plan, Problem
from .plan_limits import SOFT
from .plan_syringes import Segment


def soft_problems(plan: Plan, segments: Sequence[Segment]) -> Iterator[Problem]:
    """Return the soft limits that a plan passes: per point, site, session and needle."""
    big = [point for point in plan.points if point.volume_nl > SOFT.shot_nl]
    if big:
        names = f"Point {big[0].id} gets" if len(big) == 1 else f"{len(big)} points from {big[0].id} on get"
        yield _soft(big[0].line, f"{names} more than {_ul(SOFT.shot_nl)}.")
    for number, site in enumerate(plan.sites, start=1):
        total_nl = sum(point.volume_nl for point in plan.points if point.site == number)
        if total_nl > SOFT.site_nl:
            line = plan.lines.line(("site", number - 1))
            yield _soft(line, f'Site "{site.name}" gets {_ul(total_nl)}, more than {_ul(SOFT.site_nl)}.')
    if plan.sum_nl > SOFT.session_nl:
        line = plan.lines.line(("totals",))
        yield _soft(line, f"The plan gives {_ul(plan.sum_nl)}, more than {_ul(SOFT.session_nl)}.")
    longest = max((len(segment.points) for segment in segments), default=0)
    if longest > SOFT.needle_points:
        sentence = f"One needle is used for {longest} points, more than {SOFT.needle_points}: "
        yield _soft(plan.lines.line(("needle",)), sentence + "`change_needle_after` has it changed before.")


def _soft(line: int, sentence: str) -> Problem:
    return Problem(line, sentence, warning=True, soft=True)


def _ul(volume_nl: int) -> str:
    return f"{volume_nl / 1000:g} uL"
