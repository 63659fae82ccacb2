"""The course of a treatment: what its ledger records say was given at each point, and so what is left to give.

Pure functions of records. The rules, the safe choice first:
- a point with a DONE record is never given again;
- a point that has an INTENT without an end, or an UNCERTAIN record, is never given again by itself: nobody knows how
  much it got. Only a person can decide to repeat it;
- a missed point (PARTIAL, ABORTED) is offered again as the next attempt, and only for what it lacks: the volume of the
  plan less the most that it may have got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sit_host._gen.enums import Cause
from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.describe import cause_text
from sit_host.plan import Point
from sit_host.table import Row

ENDS = (Kind.DONE, Kind.PARTIAL, Kind.ABORTED, Kind.UNCERTAIN)
MAX_ATTEMPTS = 255


@dataclass(frozen=True)
class Attempt:
    """One shot as the ledger holds it. `end` is None while it runs, or when its end isn't written."""

    intent: Record | None
    end: Record | None

    @property
    def number(self) -> int:
        """Number of the attempt, from 1."""
        record = self.end or self.intent
        return record.attempt if record is not None else 0

    @property
    def known(self) -> bool:
        """True when it is known how it ended."""
        return self.end is not None and self.end.kind != Kind.UNCERTAIN


@dataclass(frozen=True)
class PointCourse:
    """All attempts at one point."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def ends(self) -> list[Record]:
        """The end records, in the order of the ledger."""
        return [attempt.end for attempt in self.attempts if attempt.end is not None]

    @property
    def tried(self) -> bool:
        """True when a shot was begun here."""
        return bool(self.attempts)

    @property
    def done(self) -> bool:
        """True when a shot here was DONE."""
        return any(end.kind == Kind.DONE for end in self.ends)

    @property
    def uncertain(self) -> bool:
        """True when nobody knows how a shot here ended."""
        return any(not attempt.known for attempt in self.attempts)

    @property
    def low_nl(self) -> int:
        """Least that the tissue got here, nl."""
        return sum(end.tissue_min_nl for end in self.ends)

    @property
    def high_nl(self) -> int:
        """Most that the tissue may have got here, nl: a shot without an end counts with what was asked."""
        open_nl = sum(a.intent.asked_nl for a in self.attempts if a.end is None and a.intent is not None)
        return open_nl + sum(end.tissue_max_nl for end in self.ends)

    @property
    def next_attempt(self) -> int:
        """Number of the next attempt."""
        return max((attempt.number for attempt in self.attempts), default=0) + 1

    @property
    def verdict(self) -> str:
        """One word: left, done, uncertain, partial or aborted."""
        if self.done:
            return "done"
        if self.uncertain:
            return "uncertain"
        if not self.attempts:
            return "left"
        return "partial" if any(end.kind == Kind.PARTIAL for end in self.ends) else "aborted"


@dataclass
class Course:
    """Points of a treatment by id; made by `read_course`."""

    points: Mapping[int, PointCourse] = field(default_factory=dict)

    def at(self, point: int) -> PointCourse:
        """Return the course of a point, empty when nothing was tried there."""
        return self.points.get(point, PointCourse())

    def left(self, points: Iterable[Point]) -> list[Row]:
        """Rows for the points that nothing was tried at, in order, first attempts."""
        return [
            Row(point.id, 1, point.site, point.depth_um, point.volume_nl)
            for point in points
            if not self.at(point.id).tried
        ]

    def missed(self, points: Iterable[Point], min_shot_nl: int, max_attempts: int) -> list[Row]:
        """Rows for missed points: the next attempt, for what each lacks.

        `min_shot_nl`: less than this can't be metered, so it isn't offered. `max_attempts`: attempts in all, the
        first included. Points whose end is unknown are left out.
        """
        rows = []
        for point in points:
            course = self.at(point.id)
            if course.verdict not in ("partial", "aborted") or course.next_attempt > min(max_attempts, MAX_ATTEMPTS):
                continue
            rest_nl = point.volume_nl - course.high_nl
            if rest_nl >= min_shot_nl:
                rows.append(Row(point.id, course.next_attempt, point.site, point.depth_um, rest_nl))
        return rows

    def interval_nl(self) -> tuple[int, int]:
        """Bounds of the tissue volume of all points, nl."""
        return sum(p.low_nl for p in self.points.values()), sum(p.high_nl for p in self.points.values())

    def count(self, points: Sequence[Point], verdict: str) -> int:
        """Return how many of `points` have this verdict."""
        return sum(self.at(point.id).verdict == verdict for point in points)


def why_ended(end: Record) -> str:
    """Return why a shot ended as it did, as one sentence."""
    if end.kind == Kind.PARTIAL and end.cause == Cause.NONE:
        return "It was given, but how much isn't known closely enough."
    return cause_text(end.cause)


def read_course(records: Iterable[Record], treatment: bytes) -> Course:
    """Build the course of `treatment` from ledger records, in any order and perhaps twice."""
    # two devices number their records alike, so the chain's hash belongs to a record's name
    unique = {(record.seq, record.hash): record for record in records if record.treatment == treatment}
    shots: dict[tuple[int, int], dict[str, Record]] = {}
    for key in sorted(unique):
        record = unique[key]
        if record.kind == Kind.INTENT:
            shots.setdefault((record.point, record.attempt), {})["intent"] = record
        elif record.kind in ENDS:
            shots.setdefault((record.point, record.attempt), {})["end"] = record
    points: dict[int, list[Attempt]] = {}
    for (point, _), shot in sorted(shots.items(), key=lambda item: item[0]):
        points.setdefault(point, []).append(Attempt(shot.get("intent"), shot.get("end")))
    return Course({point: PointCourse(tuple(attempts)) for point, attempts in points.items()})
