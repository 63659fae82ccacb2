"""Which run of a plan this is: a new one, or one that was broken off and is taken up again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.plan import Plan
from sit_host.plan_limits import SOFT
from sit_host.treatment.course import ENDS, Course, read_course
from sit_host.treatment.identity import NO_TREATMENT, runs_in, treatment_id
from sit_host.treatment.journal import Entry
from sit_host.treatment.talk import Talk

_AHEAD = 64  # runs beyond those in the journal that are looked for in the ledger


@dataclass(frozen=True)
class Unfinished:
    """A run that was begun and isn't closed. `records` are all that is known of it, `course` what they say."""

    run: int
    treatment: bytes
    records: tuple[Record, ...]
    course: Course
    started_unix_s: int


@dataclass(frozen=True)
class Chosen:
    """The run that is given now. `resumed` holds what an earlier part gave."""

    run: int
    treatment: bytes
    resumed: Unfinished | None = None
    abandoned: Unfinished | None = None

    @property
    def earlier(self) -> Sequence[Record]:
        """Records of the earlier part."""
        return self.resumed.records if self.resumed else ()


def known_runs(plan: Plan, entries: Sequence[Entry], records: Iterable[Record]) -> tuple[Unfinished | None, int]:
    """Return the latest run of `plan` if it is unfinished, and the number that a new run would have.

    `entries` is the journal of this plan, `records` the device's ledger.
    """
    ledger = list(records)
    last = max((entry.run for entry in entries), default=0)
    in_ledger = runs_in(plan.sha256, {record.treatment for record in ledger}, last + _AHEAD)
    latest = max([last, *in_ledger])
    if not latest:
        return None, 1
    treatment = treatment_id(plan.sha256, latest)
    mine = [entry for entry in entries if entry.run == latest]
    if any(entry.closed for entry in mine):
        return None, latest + 1
    found = [record for entry in mine for record in entry.records]
    found += [record for record in ledger if record.treatment == treatment]
    course = read_course(found, treatment)
    open_points = [point for point in plan.points if not course.at(point.id).done]
    if not open_points or not course.points:
        # nothing was given, or everything: either way there is nothing to take up; a name once used stays used
        return None, latest + 1
    times = [entry.started_unix_s for entry in mine] + [record.unix_s for record in found if record.unix_s]
    return Unfinished(latest, treatment, tuple(found), course, min(times, default=0)), latest + 1


def choose(plan: Plan, unfinished: Unfinished | None, next_run: int, talk: Talk, new: bool | None) -> Chosen:
    """Choose between resuming and a new run. `new` True or False decides; None asks, and resuming is the default:

    it gives less, never more.
    """
    fresh = Chosen(next_run, treatment_id(plan.sha256, next_run), abandoned=unfinished)
    if unfinished is None or new:
        return fresh
    course = unfinished.course
    low_nl, high_nl = course.interval_nl()
    talk.say(
        f"An unfinished treatment of this plan was found: {course.count(plan.points, 'done')} of {len(plan.points)} "
        f"points done, {low_nl / 1000:.1f} to {high_nl / 1000:.1f} uL given."
    )
    if new is False or talk.confirm("Go on with it (no: begin anew, for another patient)?"):
        return Chosen(unfinished.run, unfinished.treatment, resumed=unfinished)
    return fresh


def begun_before(plan: Plan, entries: Sequence[Entry], now_unix_s: float) -> list[str]:
    """Return the soft limits of time: the plan was begun within a day, or an earlier version of it isn't finished.

    `entries` is the whole journal. The device can't know that two treatments are meant for one person.
    """
    recent = [entry for entry in entries if _gave(entry) and now_unix_s - entry.started_unix_s < SOFT.again_s]
    same = [entry for entry in recent if entry.plan_sha256 == plan.sha256]
    changed = [e for e in recent if e.plan_sha256 != plan.sha256 and e.plan_name == plan.head.name and not e.closed]
    found = []
    if changed:
        found.append(
            "An earlier version of this plan was begun and not finished; what it gave isn't counted in this one."
        )
    if same:
        found.append(
            f"This plan was begun {len(same)} times within a day; it would be given again, as a new treatment."
        )
    return found


def _gave(entry: Entry) -> bool:
    """Whether a shot was begun in this run, on a device that lasts."""
    return entry.lasting and any(record.kind == Kind.INTENT for record in entry.records)


def same_syringe(records: Sequence[Record], treatment: bytes) -> bool:
    """Whether the device has had no other treatment and no change since the last shot of this one."""
    for record in reversed(records):
        if record.kind == Kind.CHANGE:
            return False
        if record.kind in (*ENDS, Kind.INTENT) and record.treatment != NO_TREATMENT:
            return record.treatment == treatment
    return False
