"""What is left to give follows from ledger records alone, and the doubt always counts as given."""

import itertools
from dataclasses import replace

import pytest
from sit_host._gen.enums import Cause
from sit_host._gen.enums import Record as Kind
from sit_host.plan import Point
from sit_host.treatment.course import read_course, why_ended
from treat_records import TREATMENT, Ledger

POINTS = [Point(number, 1, 1500, 10_000, 1) for number in (1, 2, 3)]
MIN_NL = 1_000


def course_of(ledger):
    return read_course(ledger.records, TREATMENT)


def offered(ledger, attempts=255):
    course = course_of(ledger)
    return [(row.point, row.attempt, row.volume_nl) for row in course.missed(POINTS, MIN_NL, attempts)]


def test_a_done_point_is_never_offered_again():
    """Invariant 5: a point with a DONE record is neither left nor missed."""
    course = course_of(Ledger().shot(1, Kind.DONE))
    assert [row.point for row in course.left(POINTS)] == [2, 3]
    assert not course.missed(POINTS, MIN_NL, 255)


@pytest.mark.parametrize("end", [None, Kind.UNCERTAIN])
def test_a_shot_of_unknown_end_is_never_offered(end):
    """Invariant 5: a point whose shot has no end, or an UNCERTAIN one, isn't given again by itself."""
    course = course_of(Ledger().shot(2, end, low_nl=0, high_nl=4_000))
    assert [row.point for row in course.left(POINTS)] == [1, 3]
    assert not course.missed(POINTS, MIN_NL, 255)
    assert course.at(2).verdict == "uncertain"


def test_an_unfinished_shot_counts_with_all_that_was_asked():
    """Invariant 4: what isn't known counts as given."""
    assert course_of(Ledger().shot(2, None)).interval_nl() == (0, 10_000)


def test_a_missed_point_is_offered_for_what_it_lacks_at_most():
    """A partial dose is filled up from its upper bound: the sum never passes the plan."""
    ledger = Ledger().shot(1, Kind.PARTIAL, low_nl=3_000, high_nl=3_400)
    assert offered(ledger) == [(1, 2, 6_600)]
    ledger.shot(1, Kind.PARTIAL, attempt=2, asked_nl=6_600, low_nl=1_000, high_nl=1_200)
    assert offered(ledger) == [(1, 3, 5_400)]


def test_too_small_a_rest_is_not_offered():
    """A rest that can't be metered isn't offered."""
    assert not offered(Ledger().shot(1, Kind.PARTIAL, low_nl=8_000, high_nl=9_001))
    assert offered(Ledger().shot(1, Kind.PARTIAL, low_nl=8_000, high_nl=9_000)) == [(1, 2, 1_000)]


def test_a_whole_dose_known_too_roughly_is_not_offered_again():
    """A shot that gave all but whose interval is too wide is PARTIAL; its upper bound leaves nothing to give."""
    ledger = Ledger().shot(1, Kind.PARTIAL, low_nl=9_000, high_nl=10_500)
    assert not offered(ledger)
    end = ledger.records[-1]
    assert "Contact lost" in why_ended(end)
    assert "isn't known closely enough" in why_ended(replace(end, cause=Cause.NONE))


def test_attempts_are_limited():
    """Unattended a missed point is tried once more, not for ever."""
    ledger = Ledger().shot(1, Kind.ABORTED, low_nl=0, high_nl=0)
    assert offered(ledger, attempts=2) == [(1, 2, 10_000)]
    ledger.shot(1, Kind.ABORTED, attempt=2, low_nl=0, high_nl=0)
    assert not offered(ledger, attempts=2)
    assert offered(ledger) == [(1, 3, 10_000)]


def test_order_and_repetition_of_records_change_nothing():
    """The journal and the ledger may hold the same records, in any order."""
    ledger = Ledger().shot(1, Kind.DONE).shot(2, Kind.PARTIAL, low_nl=1, high_nl=2)
    wanted = read_course(ledger.records, TREATMENT)
    for order in itertools.permutations(ledger.records):
        assert read_course([*order, *order], TREATMENT) == wanted


def test_records_of_two_devices_are_told_apart():
    """A treatment taken up on another device: records of the same number are different ones."""
    first, second = Ledger().shot(1, Kind.DONE), Ledger().shot(2, Kind.DONE)
    second.records = [type(r)(**{**vars(r), "hash": b"other" + bytes([r.seq, 0, 0])}) for r in second.records]
    course = read_course([*first.records, *second.records], TREATMENT)
    assert [row.point for row in course.left(POINTS)] == [3]


def test_another_treatment_is_not_this_one():
    """Records of other treatments say nothing about this one."""
    assert course_of(Ledger(treatment=b"another1").shot(1, Kind.DONE)).points == {}
