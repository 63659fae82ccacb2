"""A treatment from the fitted syringe to the last point: segments, missed points, faults, lost links, and its end.

Every step can be repeated: what is left is asked of the ledger each time, a table holds only rows that have no record,
and the device refuses one that has. So a lost link, a lost reply or a restart can't double a dose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.errors import SitError, UnknownError
from sit_host.outcome import expect
from sit_host.plan import Plan, Point
from sit_host.plan_check import Checked
from sit_host.plan_limits import Limits
from sit_host.plan_run import load_run
from sit_host.plan_syringes import Segment, plan_segments
from sit_host.table import Row
from sit_host.treatment.course import ENDS, Course, read_course, why_ended
from sit_host.treatment.device import LINK_GONE, Watched
from sit_host.treatment.give import LEASE_MS, End, Fluid, Giver
from sit_host.treatment.journal import Writer
from sit_host.treatment.ready import Fitting, make_ready
from sit_host.treatment.talk import Talk, Tally
from sit_host.treatment.truth import Truth

RECONNECT_S = 120.0  # how long a lost link is waited for
UNATTENDED_ATTEMPTS = 2  # with nobody to ask a missed point is tried once more
UNATTENDED_MISSES = 3  # missed in a row: something is wrong that nobody sees
RETURNS = 10  # lost links and leases in a row without a point given in between
_MANY_ATTEMPTS = 255


class Stopped(SitError):
    """The operator stopped the treatment: it can be taken up again."""


@dataclass(frozen=True)
class Result:
    """How a treatment ended: "finished" (nothing is left to offer), "stopped" or "failed"; `error` says why.

    `bug` is what nobody foresaw; it is raised again once the record is kept.
    """

    ended: str
    course: Course
    records: tuple[Record, ...]
    error: SitError | None = None
    bug: Exception | None = None


@dataclass
class Treatment:
    """One run of one plan on one device.

    `earlier` are ledger records of this run from before, when it is taken up again. `keep_syringe`: the syringe of the
    earlier part is still fitted and goes on being used.
    """

    device: Watched
    checked: Checked
    limits: Limits
    talk: Talk
    writer: Writer
    treatment: bytes
    truth: Truth
    earlier: Sequence[Record] = ()
    keep_syringe: bool = False
    lease_max_ms: int = LEASE_MS
    course: Course = field(default_factory=Course)
    segments_given: list[str] = field(default_factory=list)
    _declined: set[tuple[int, int]] = field(default_factory=set)
    _misses: int = 0
    _returns: int = 0

    def run(self) -> Result:
        """Give what is left. Ends in a Result in every case but a bug; whatever was given is in its course."""
        self.device.on_record = self._on_record
        for record in self.earlier:
            self.writer.record(record)
        self.course = read_course(self._all_records(), self.treatment)
        if self.earlier:
            self.talk.progress(self._tally())
        try:
            try:
                self._sort_out_link()
                for number, segment in enumerate(self._segments()):
                    kept = number == 0 and self.keep_syringe
                    self._give_segment(segment, Fitting.kept() if kept else Fitting(segment.what, segment.prime_nl))
            except KeyboardInterrupt:
                self._stop_now()
                raise Stopped("Stopped by Ctrl-C.", "Start the same plan again to go on where it ended.") from None
        except SitError as error:
            self._leave_quiet()
            return self._result("stopped" if isinstance(error, Stopped) else "failed", error)
        except Exception as bug:
            # whatever it is: the device is stopped and what was given is kept before anybody hears of it
            self._stop_now()
            return self._result("failed", SitError(f"This is a bug in sit: {type(bug).__name__}: {bug}."), bug)
        return self._result("finished", None)

    # --- segments ------------------------------------------------------------------------------------

    def _segments(self) -> tuple[Segment, ...]:
        """Split what is left anew; when the syringe of before is kept the first part has no change."""
        setup = self.checked.setup
        assert setup is not None
        plan = self.checked.plan
        left = [point for point in plan.points if not self.course.at(point.id).tried or self._missed([point])]
        segments, _ = plan_segments(left, setup, plan.head.change_needle_after)
        return segments

    def _give_segment(self, segment: Segment, fitting: Fitting) -> None:
        """Give a segment's points, then offer what was missed, over every lost link and mended fault."""
        self.segments_given.append(segment.what)
        while rows := self._rows(segment.points):
            try:
                make_ready(self.device, self.talk, self.checked, fitting)
                giver = Giver(self.device, self.talk, self.treatment, self._fluid())
                giver.load(rows)
                how = giver.give(rows, self.lease_max_ms)
            except LINK_GONE as error:
                self._come_back(error)
                continue
            if how is End.EMPTY:
                fitting = Fitting.full_syringe(self.checked)
            self._after(how)

    def _rows(self, points: Sequence[Point]) -> list[Row]:
        """What comes next: points not tried, then what was missed if it is wanted; none when the segment is over."""
        left = self.course.left(points)
        if left:
            return left
        missed = [row for row in self._missed(points) if (row.point, row.attempt) not in self._declined]
        if not missed:
            return []
        names = ", ".join(self._missed_text(row) for row in missed)
        if self.talk.confirm(f"Missed: {names}. Give what is lacking now?"):
            return missed
        self._declined.update((row.point, row.attempt) for row in missed)
        return []

    def _missed(self, points: Sequence[Point]) -> list[Row]:
        attempts = _MANY_ATTEMPTS if self.talk.attended else UNATTENDED_ATTEMPTS
        return self.course.missed(points, self.limits.min_shot_nl, attempts)

    def _missed_text(self, row: Row) -> str:
        course = self.course.at(row.point)
        why = why_ended(course.ends[-1]).rstrip(".").lower()
        got = (
            f"has had {course.low_nl / 1000:.1f} to {course.high_nl / 1000:.1f} uL" if course.high_nl else "nothing yet"
        )
        return f"point {row.point} ({why}; {got}, lacks {row.volume_nl / 1000:g} uL)"

    def _fluid(self) -> Fluid:
        setup, flow, plan = self.checked.setup, self.checked.flow, self.checked.plan
        assert setup is not None and flow is not None
        run = None if self.checked.run is None else load_run(self.checked.run)
        return Fluid(
            setup.syringe.id,
            setup.needle.id,
            plan.viscosity_upas,
            flow.flow_nl_per_s,
            flow.dwell_ms,
            run,
            plan.expiry_unix_s,
        )

    # --- ends and returns ----------------------------------------------------------------------------

    def _after(self, how: End) -> None:
        """Go on after a round, or raise why not."""
        if how is End.INTERRUPTED:
            raise Stopped("Stopped by Ctrl-C.", "Start the same plan again to go on where it ended.")
        if how in (End.GIVEN, End.EMPTY, End.FAULT) or (how is End.MISSED and self._go_on_after_miss()):
            return
        why = f"{self._misses} points in a row were missed" if how is End.MISSED and self._misses > 1 else how.value
        self.talk.say(f"Disarmed: {why}.")
        if how is End.LEASE:
            self._count_return(how.value)
            return
        if not self.talk.attended or not self.talk.confirm("Go on?"):
            raise Stopped(f"Ended early: {why}.", "Start the same plan again to go on where it ended.")
        self.device.client.stopped_elsewhere = False  # the operator here has agreed to go on

    def _go_on_after_miss(self) -> bool:
        """The device disarms after a shot that isn't DONE, so that somebody looks. Unattended a few are passed over."""
        return not self.talk.attended and self._misses < UNATTENDED_MISSES

    def _come_back(self, error: SitError) -> None:
        """Wait for a lost link, then read from the ledger what happened meanwhile."""
        self._count_return(error.what)
        self.talk.say(f"{error.what} The device disarms by itself; waiting up to {RECONNECT_S:g} s for it.")
        try:
            rebooted = self.device.come_back(RECONNECT_S)
        except LINK_GONE as gone:
            raise UnknownError(
                f"The device didn't come back: {gone.what}",
                "What it gave meanwhile stands in its ledger: start the same plan again and it goes on from there.",
            ) from None
        self.talk.say("The device has started anew." if rebooted else "Connected again.")

    def _count_return(self, why: str) -> None:
        self._returns += 1
        if self._returns > RETURNS:
            raise UnknownError(
                f"The connection failed {RETURNS} times and no point was given in between: {why}",
                "Check the cable, then start the same plan again: it goes on from the device's ledger.",
            )

    def _sort_out_link(self) -> None:
        """Begin from a device that does nothing, with its ledger read."""
        try:
            self.device.settle()
            self.device.sync()
        except LINK_GONE as error:
            self._come_back(error)

    def _leave_quiet(self) -> None:
        """However it ends, the device isn't left armed: no further shot begins, and what was given is read."""
        if not self.device.moving():
            return
        try:
            expect(self.device.client.disarm())
            self.device.settle()
            self.device.sync()
        except SitError as error:
            self.talk.say(f"The device didn't confirm that it is disarmed; its lease ends by itself: {error}")

    def _stop_now(self) -> None:
        """Ctrl-C while nothing was armed: end what moves. The device's own lease and e-stop stand behind this."""
        try:
            expect(self.device.client.stop())
            self.device.settle()
            self.device.sync()
        except SitError as error:
            self.talk.say(f"The device didn't confirm the stop: {error}")

    def _result(self, ended: str, error: SitError | None, bug: Exception | None = None) -> Result:
        records = self._all_records()
        return Result(ended, read_course(records, self.treatment), tuple(records), error, bug)

    # --- what the ledger says ------------------------------------------------------------------------

    def _all_records(self) -> list[Record]:
        return [*self.earlier, *self.device.records]

    def _on_record(self, record: Record) -> None:
        if record.treatment == self.treatment:
            self.writer.record(record)
            self.truth.on_record(record)
            self.course = read_course(self._all_records(), self.treatment)
            if record.kind not in ENDS:
                return
            self.talk.progress(self._tally())
            self._returns = 0
            self._misses = 0 if record.kind == Kind.DONE else self._misses + 1
            if record.kind != Kind.DONE:
                self.talk.say(f"Point {record.point} {Kind(record.kind).name}: {why_ended(record)}")

    def _tally(self) -> Tally:
        plan: Plan = self.checked.plan
        low_nl, high_nl = self.course.interval_nl()
        return Tally(
            done=self.course.count(plan.points, "done"),
            tried=sum(self.course.at(point.id).tried for point in plan.points),
            points=len(plan.points),
            low_nl=low_nl,
            high_nl=high_nl,
            planned_nl=plan.sum_nl,
        )
