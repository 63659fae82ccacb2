"""Which points are given from which syringe and needle: changes planned ahead instead of met halfway.

A syringe gives what is left after the prime and a reserve; a point that no longer fits begins the next segment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ._gen.equipment import NEEDLE_POINTS
from .flow import Setup, dead_volume_nl
from .plan import Point

FIRST_PRIME_SHARE = 1.1  # of the dead volume: fills tube and needle and pushes the air out
SCREW_TURNS = 1.15  # of the lead screw after that: a steady turn shows the device the screw's error
NEEDLE_PRIME_NL = 10_000  # after a needle change the tube is still full
RESERVE_SHARE = 0.02  # of the capacity: never pressed out
PRIME_STEP_NL = 1_000


@dataclass(frozen=True)
class Segment:
    """Points given between two changes. `what` begins it: "syringe" (with its needle) or "needle"."""

    what: str
    points: tuple[Point, ...]
    prime_nl: int

    @property
    def sum_nl(self) -> int:
        """Volume of its points, nl."""
        return sum(point.volume_nl for point in self.points)


def first_prime_nl(setup: Setup) -> int:
    """Return the volume of a prime after a syringe change, nl: whole microlitres."""
    turn_nl = setup.syringe.area_mm2 * setup.line.lead_mm * 1000
    wanted = dead_volume_nl(setup) * FIRST_PRIME_SHARE + turn_nl * SCREW_TURNS
    return math.ceil(wanted / PRIME_STEP_NL) * PRIME_STEP_NL


def reserve_nl(setup: Setup) -> int:
    """Return what is never pressed out of a syringe, nl."""
    return round(setup.syringe.capacity_ul * 1000 * RESERVE_SHARE)


def usable_nl(setup: Setup) -> int:
    """Return what a full syringe gives into points, nl."""
    return round(setup.syringe.capacity_ul * 1000) - first_prime_nl(setup) - reserve_nl(setup)


def plan_segments(
    points: Sequence[Point], setup: Setup, change_needle_after: int | None = None
) -> tuple[tuple[Segment, ...], tuple[Point, ...]]:
    """Split points, in order, into segments. Return them and the points too big for any syringe (left out).

    No needle gets more points than the device lets it.
    """
    most_points = min(change_needle_after or NEEDLE_POINTS, NEEDLE_POINTS)
    segments: list[Segment] = []
    too_big: list[Point] = []
    room = 0
    current: list[Point] = []
    what, prime = "syringe", first_prime_nl(setup)

    def close() -> None:
        if current:
            segments.append(Segment(what, tuple(current), prime))
            current.clear()

    room = usable_nl(setup)
    for point in points:
        if point.volume_nl > usable_nl(setup):
            too_big.append(point)
            continue
        worn = len(current) >= most_points
        after_needle = room - (NEEDLE_PRIME_NL if worn else 0)
        if point.volume_nl > after_needle:
            close()
            what, prime, room = "syringe", first_prime_nl(setup), usable_nl(setup)
        elif worn:
            close()
            what, prime, room = "needle", NEEDLE_PRIME_NL, after_needle
        current.append(point)
        room -= point.volume_nl
    close()
    return tuple(segments), tuple(too_big)
