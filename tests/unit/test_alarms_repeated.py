"""The same alarm three times in ten minutes stops the device, until somebody has looked at why it comes again."""

import pytest
from appkit import armed_device
from sit_firmware import alarms, codes, image, wire

ROWS = tuple((n, 1, 1, 1200, 10000) for n in range(1, 11))


def _device(monkeypatch, stop_ms=20_000):
    """A device whose ten minutes are shorter, so that the test is."""
    assert alarms._STOP_MS == 600_000
    monkeypatch.setattr(alarms, "_STOP_MS", stop_ms)
    return armed_device(ROWS, 10)


def _lose_contact(dev):
    """The next shot is aborted by lost contact; the device arms anew for it if it may."""
    if dev.app.session.state == codes.STATE_IDLE:
        assert dev.arm(cursor=dev.app.session.cursor) == 0
    dev.player.results = [(codes.RESULT_ABORTED, codes.CAUSE_CONTACT)]
    dev.shoot()


def _clear(dev, fault):
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([fault])).result == 0
    dev.run_ms(20)


def test_the_third_time_in_ten_minutes_stops(monkeypatch):
    """Alarms: the third rise latches REPEATED with the alarm's number; it is told, booked, and keeps from arming."""
    dev = _device(monkeypatch)
    _lose_contact(dev)
    _lose_contact(dev)
    assert not dev.app.faults.handled
    _lose_contact(dev)
    assert dev.app.faults.handled == codes.FAULT_REPEATED
    assert dev.events(codes.EVENT_FAULT) == [(codes.FAULT_REPEATED, codes.ALARM_CONTACT_LOST, 0)]
    booked = dev.records(codes.RECORD_FAULT)[-1]
    assert (booked["cause"], booked["ref"]) == (codes.FAULT_REPEATED, codes.ALARM_CONTACT_LOST)
    assert dev.app.state[image.ST_FAULT_VALUE] == codes.ALARM_CONTACT_LOST
    assert dev.arm(cursor=3) == codes.REFUSED_FAULTED


def test_the_clearing_begins_the_count_anew(monkeypatch):
    """Alarms: REPEATED is cleared by an operator alone; zero and self-test stay; two more rises don't stop."""
    dev = _device(monkeypatch)
    for _ in range(3):
        _lose_contact(dev)
    dev.run_ms(5000)
    assert dev.app.faults.handled == codes.FAULT_REPEATED
    _clear(dev, codes.FAULT_REPEATED)
    _lose_contact(dev)
    _lose_contact(dev)
    assert not dev.app.faults.handled
    _lose_contact(dev)
    assert dev.app.faults.handled == codes.FAULT_REPEATED


def test_three_times_in_more_than_ten_minutes_go_on(monkeypatch):
    """Alarms: only rises within ten minutes count together."""
    dev = _device(monkeypatch, stop_ms=2000)
    for _ in range(4):
        _lose_contact(dev)
        dev.run_ms(1500)
    assert not dev.app.faults.handled


def test_different_alarms_are_counted_apart(monkeypatch):
    """Alarms: two of one and two of another are four occurrences of nothing that repeats."""
    dev = _device(monkeypatch)
    for result, cause in ((codes.RESULT_ABORTED, codes.CAUSE_CONTACT), (codes.RESULT_PARTIAL, codes.CAUSE_TIME)) * 2:
        if dev.app.session.state == codes.STATE_IDLE:
            assert dev.arm(cursor=dev.app.session.cursor) == 0
        dev.player.results = [(result, cause)]
        dev.shoot()
    assert not dev.app.faults.handled


def test_the_third_fault_asks_for_a_second_clearing(monkeypatch):
    """Alarms: after the third fault in ten minutes its own clearing isn't enough: REPEATED follows it."""
    dev = _device(monkeypatch)
    for _ in range(3):
        dev.pins[image.IN_ESTOP] = 1
        dev.run_ms(20)
        assert dev.app.faults.handled == codes.FAULT_ESTOP
        dev.pins[image.IN_ESTOP] = 0
        dev.run_ms(20)
        _clear(dev, codes.FAULT_ESTOP)
    assert dev.app.faults.handled == codes.FAULT_REPEATED
    assert dev.app.state[image.ST_FAULT_VALUE] == codes.ALARM_FAULT
    _clear(dev, codes.FAULT_REPEATED)
    assert not dev.app.faults.handled and dev.app.session.state == codes.STATE_IDLE


def test_a_shot_under_way_is_finished_first(monkeypatch):
    """Alarms, invariant 3: the host falls silent for the third time in a shot: that shot is finished, then it stops."""
    dev = _device(monkeypatch)
    for _ in range(2):
        dev.run_ms(2100)
        assert dev.arm(cursor=dev.app.session.cursor, count=5) == 0
    dev.run_ms(1900)
    dev.player.holds = True
    dev.touch(True)
    dev.trigger()
    dev.run_ms(200)
    assert dev.app.alarms.bits & 1 << codes.ALARM_LEASE and not dev.app.state[image.ST_FAULT]
    dev.player.holds = False
    dev.run_ms(50)
    assert dev.records(codes.RECORD_DONE) and dev.app.faults.handled == codes.FAULT_REPEATED


@pytest.mark.parametrize("alarm", range(1, codes.ALARM_SUPPLY_LOW + 1))
def test_each_alarm_stops_but_the_foreseen_one(monkeypatch, alarm):
    """Alarms: every row of the table stops at its third rise; an empty syringe is foreseen, and doesn't."""
    dev = _device(monkeypatch)
    bits = [0]
    monkeypatch.setattr(dev.app.alarms, "_conditions", lambda: bits[0])
    for _ in range(3):
        for bits[0] in (1 << alarm, 0):
            dev.run(4)
    dev.run(8)
    assert (dev.app.state[image.ST_FAULT] == codes.FAULT_REPEATED) == (alarm != codes.ALARM_RESERVOIR)
    assert bool(wire.ALARM_STOPS & 1 << alarm) == (alarm != codes.ALARM_RESERVOIR)
