"""The figures of a treatment: commanded against reported, and against the truth where there is one.

Errors are largest absolute values; those of volumes are over the points that one shot gave, since a missed point gets
only what it surely lacks. Volumes of points are tissue volumes; a reported volume is the middle of its interval. What
is reported comes from ledger records alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.plan import Plan, Point
from sit_host.treatment.course import Attempt, Course, PointCourse, why_ended
from sit_host.treatment.truth import ShotTruth

MAX_TIP_UM = 2000  # the invariant: the true tip never passes this

Shots = Mapping[tuple[int, int], ShotTruth]


def point_rows(plan: Plan, course: Course, truth: Shots | None = None) -> list[dict[str, Any]]:
    """Return one entry per point of the plan: commanded, reported, its attempts, and `truth` where it is known."""
    return [_point(plan, point, course.at(point.id), truth) for point in plan.points]


def _point(plan: Plan, point: Point, course: PointCourse, truth: Shots | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": point.id,
        "site": plan.site_name(point.site),
        "verdict": course.verdict,
        "commanded": {"depth_um": point.depth_um, "volume_nl": point.volume_nl},
        "reported": _reported(course),
        "attempts": [_attempt(attempt) for attempt in course.attempts],
    }
    if truth is not None:
        shots = [truth[point.id, a.number] for a in course.attempts if (point.id, a.number) in truth]
        entry["truth"] = _true(shots, course) if shots else None
    return entry


def _reported(course: PointCourse) -> dict[str, Any] | None:
    ends = course.ends
    if not ends:
        return None
    deepest = max(end.depth_um for end in ends)
    done = [end.depth_um for end in ends if end.kind == Kind.DONE]
    return {
        "depth_um": done[-1] if done else deepest,
        "volume_nl": (course.low_nl + course.high_nl) // 2,
        "volume_min_nl": course.low_nl,
        "volume_max_nl": course.high_nl,
        "needle_nl": sum(end.needle_nl for end in ends),
        "steps": sum(end.steps for end in ends),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    end, intent = attempt.end, attempt.intent
    entry: dict[str, Any] = {"attempt": attempt.number, "kind": "RUNNING", "cause": ""}
    if intent is not None:
        entry |= {"asked_depth_um": intent.depth_um, "asked_nl": intent.asked_nl, "cap_steps": intent.cap_steps}
    if end is not None:
        entry |= {
            "kind": Kind(end.kind).name,
            "cause": why_ended(end) if end.kind != Kind.DONE else "",
            "record": end.seq,
            "unix_s": end.unix_s,
            "depth_um": end.depth_um,
            "steps": end.steps,
            "volume_min_nl": end.tissue_min_nl,
            "volume_max_nl": end.tissue_max_nl,
            "needle_nl": end.needle_nl,
        }
    return entry


def _true(shots: Sequence[ShotTruth], course: PointCourse) -> dict[str, Any]:
    tissue_nl = sum(shot.tissue_nl for shot in shots)
    return {
        "depth_um": round(shots[-1].depth_um, 1),
        "tip_max_um": round(max(shot.tip_max_um for shot in shots), 1),
        "volume_nl": round(tissue_nl, 1),
        "needle_nl": round(sum(shot.needle_nl for shot in shots), 1),
        "steps": sum(shot.steps for shot in shots),
        "inside_interval": course.low_nl <= tissue_nl <= course.high_nl,
    }


def summary(plan: Plan, course: Course, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures over all points, from the rows of `point_rows`."""
    low_nl, high_nl = course.interval_nl()
    done = [row for row in rows if row["verdict"] == "done"]
    figures: dict[str, Any] = {
        "points": len(rows),
        "verdicts": {name: n for name in _VERDICTS if (n := sum(row["verdict"] == name for row in rows))},
        "planned_nl": plan.sum_nl,
        "given_min_nl": low_nl,
        "given_max_nl": high_nl,
        "plunger_steps": sum(row["reported"]["steps"] for row in rows if row["reported"]),
        "largest_depth_error_um": _largest(done, "reported", "depth_um"),
        "largest_volume_error_nl": _largest(done, "reported", "volume_nl"),
    }
    true = [row for row in rows if row.get("truth")]
    if true:
        figures["truth"] = _true_summary(true)
    return figures


_VERDICTS = ("done", "partial", "aborted", "uncertain", "left")


def _true_summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures against the truth. A shot of unknown end has bounds, not a count: its steps are left out of the sums.

    The volume's error is that of points given at once; a repeat makes up only for what was surely lacking, so repeated
    points stand apart.
    """
    done = [row for row in rows if row["verdict"] == "done"]
    at_once = [row for row in done if len(row["attempts"]) == 1]
    repeated = [row for row in done if len(row["attempts"]) > 1]
    known = [row for row in rows if row["reported"] and row["verdict"] != "uncertain"]
    deepest = max(row["truth"]["tip_max_um"] for row in rows)
    return {
        "largest_depth_error_um": _largest(done, "truth", "depth_um"),
        "largest_volume_error_nl": _largest(at_once, "truth", "volume_nl"),
        "largest_volume_error_percent": max((_percent(row) for row in at_once), default=None),
        "repeated_points": len(repeated),
        "largest_volume_error_repeated_percent": max((_percent(row) for row in repeated), default=None),
        "given_nl": round(sum(row["truth"]["volume_nl"] for row in rows), 1),
        "plunger_steps": sum(row["truth"]["steps"] for row in known),
        "reported_plunger_steps": sum(row["reported"]["steps"] for row in known),
        "steps_equal": all(row["truth"]["steps"] == row["reported"]["steps"] for row in known),
        "all_inside_intervals": all(row["truth"]["inside_interval"] for row in rows),
        "deepest_tip_um": deepest,
        "smallest_margin_um": round(MAX_TIP_UM - deepest, 1),
    }


def _percent(row: Mapping[str, Any]) -> float:
    return round(100 * abs(row["truth"]["volume_nl"] / row["commanded"]["volume_nl"] - 1), 2)


def _largest(rows: Sequence[Mapping[str, Any]], side: str, key: str) -> float | None:
    errors = (abs(row[side][key] - row["commanded"][key]) for row in rows if row[side])
    return max((round(error, 1) for error in errors), default=None)


def records_of(records: Sequence[Record], treatment: bytes, first_seq: int) -> list[Record]:
    """Return the records that belong in a treatment's own record: its shots, and all that was written since it began.

    `first_seq`: the first record written in this sitting.
    """
    unique = {(r.seq, r.hash): r for r in records if r.treatment == treatment or r.seq >= first_seq}
    return [unique[key] for key in sorted(unique)]
