"""Alarms and the panel: what rises when, and what the operator sees and hears first."""

import pytest
from appkit import Device, armed_device
from sit_firmware import codes, image, panel

ROWS = tuple((n, 1, 1, 1200, 10000) for n in range(1, 6))
OFF, LOW, MEDIUM, HIGH = range(4)


def _alarms(dev):
    return {alarm for alarm in range(1, 9) if dev.app.alarms.bits & 1 << alarm}


def _light(dev):
    return dev.board.pins_out[image.OUT_LIGHT]


def _tones(dev, ms=3000):
    """The tones heard in a time, each once when it begins."""
    heard, last = [], codes.TONE_OFF
    for _ in range(ms * 4):
        dev.run(1)
        tone = dev.board.pins_out[image.OUT_TONE]
        if tone != last and tone:
            heard.append(tone)
        last = tone
    return heard


@pytest.mark.parametrize(
    ("situation", "shown"),
    [
        ((OFF, codes.LIGHT_OFF, codes.STATE_IDLE, False, False, False), codes.LIGHT_OFF),
        ((OFF, codes.LIGHT_OFF, codes.STATE_ARMED, False, True, False), codes.LIGHT_READY),
        ((OFF, codes.LIGHT_OFF, codes.STATE_ARMED, True, True, False), codes.LIGHT_CONTACT),
        ((OFF, codes.LIGHT_OFF, codes.STATE_ARMED, True, False, False), codes.LIGHT_READY),
        ((OFF, codes.LIGHT_OFF, codes.STATE_ARMED, True, False, True), codes.LIGHT_LIFT),
        ((OFF, codes.LIGHT_OFF, codes.STATE_INJECTING, True, False, False), codes.LIGHT_INJECT),
        ((OFF, codes.LIGHT_BUSY, codes.STATE_BUSY, False, False, False), codes.LIGHT_BUSY),
        ((OFF, codes.LIGHT_ZERO, codes.STATE_BUSY, False, False, False), codes.LIGHT_ZERO),
        ((LOW, codes.LIGHT_OFF, codes.STATE_IDLE, False, False, False), codes.LIGHT_ALARM_LOW),
        ((LOW, codes.LIGHT_OFF, codes.STATE_ARMED, False, True, False), codes.LIGHT_READY),
        ((MEDIUM, codes.LIGHT_OFF, codes.STATE_IDLE, True, False, True), codes.LIGHT_ALARM_MEDIUM),
        ((MEDIUM, codes.LIGHT_CHANGE_NEEDLE, codes.STATE_BUSY, False, False, False), codes.LIGHT_CHANGE_NEEDLE),
        ((MEDIUM, codes.LIGHT_BUSY, codes.STATE_BUSY, False, False, False), codes.LIGHT_ALARM_MEDIUM),
        ((HIGH, codes.LIGHT_ZERO, codes.STATE_FAULT, True, False, True), codes.LIGHT_ALARM_HIGH),
    ],
)
def test_light_by_priority(situation, shown):
    """A high alarm before everything, what the operator is asked for before a medium one, low ones last."""
    assert panel.light(*situation) == shown


def test_lights_of_a_point():
    """READY, CONTACT, INJECT, LIFT, READY: the lights lead through a point."""
    dev = armed_device(ROWS, 5)
    shown = [_light(dev)]

    def look():
        if _light(dev) != shown[-1]:
            shown.append(_light(dev))

    dev.player.holds = True
    dev.touch(True)
    look()
    dev.trigger()
    dev.run(4)
    look()
    dev.player.holds = False
    dev.run_ms(20)
    look()
    dev.touch(False)
    dev.run_ms(200)
    look()
    assert shown == [
        codes.LIGHT_READY,
        codes.LIGHT_CONTACT,
        codes.LIGHT_INJECT,
        codes.LIGHT_LIFT,
        codes.LIGHT_READY,
    ]


def test_tones_of_points():
    """Contact ticks, a DONE point and a missed one sound different; a press that isn't obeyed sounds like a miss."""
    dev = armed_device(ROWS, 5)
    dev.touch(True)
    assert _tones(dev, 200) == [codes.TONE_CONTACT]
    dev.trigger()
    assert _tones(dev, 500) == [codes.TONE_DONE]
    dev.trigger()
    assert _tones(dev, 500) == [codes.TONE_MISSED]
    dev.touch(False)
    dev.run_ms(200)
    dev.player.results = [(codes.RESULT_ABORTED, codes.CAUSE_NO_PUNCTURE)]
    dev.touch(True)
    dev.trigger()
    assert _tones(dev, 500)[-1] == codes.TONE_MISSED


def test_partial_dose_and_contact_lost():
    """PARTIAL and lost contact raise their alarms, tell the host, and stay until the operator goes on."""
    dev = armed_device(ROWS, 5)
    dev.player.results = [(codes.RESULT_PARTIAL, codes.CAUSE_CONTACT)]
    dev.shoot()
    assert _alarms(dev) == {codes.ALARM_PARTIAL_DOSE, codes.ALARM_CONTACT_LOST}
    assert _light(dev) == codes.LIGHT_ALARM_MEDIUM
    assert dev.events(codes.EVENT_ALARM) == [(codes.ALARM_PARTIAL_DOSE, 1, 0), (codes.ALARM_CONTACT_LOST, 1, 0)]
    dev.run_ms(5000)
    assert _alarms(dev)
    assert dev.arm(cursor=1) == 0
    dev.run(2)
    assert _alarms(dev) == set()
    assert len(dev.events(codes.EVENT_ALARM)) == 4


def test_fault_alarm_is_high_and_first():
    """A fault shows red at once, sounds before what waits, and falls with the clearing."""
    dev = armed_device(ROWS, 5)
    for _ in range(4):
        dev.app.panel.play(codes.TONE_CONTACT)
    dev.pins[image.IN_ESTOP] = 1
    dev.run(4)
    assert _light(dev) == codes.LIGHT_ALARM_HIGH
    assert dev.board.pins_out[image.OUT_TONE] == codes.TONE_ALARM_HIGH
    dev.pins[image.IN_ESTOP] = 0
    dev.run(8)
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_ESTOP])).result == 0
    dev.run(16)
    assert _alarms(dev) == set()


def test_lease_alarm_until_armed_again():
    """A host that fell silent while armed raises LEASE; arming again ends it."""
    dev = armed_device(ROWS, 5)
    dev.run_ms(2100)
    assert _alarms(dev) == {codes.ALARM_LEASE}
    assert dev.arm(count=5) == 0
    dev.run(2)
    assert _alarms(dev) == set()


def test_reservoir_alarm():
    """RESERVOIR rises when a twentieth of the syringe, or less than the next three points, is left."""
    dev = armed_device(ROWS, 5)
    plunger = dev.app.plunger
    three = 3 * 1845
    for left, alarm in ((three + 5, False), (three - 5, True)):
        # the share rule would hide the other one at these doses
        plunger.capacity_steps = 100000
        plunger._base = dev.pins[image.IN_STEPS] - (100000 - left)
        if left > 5000:
            plunger._base = dev.pins[image.IN_STEPS] - (100000 - left)
        dev.run(2)
        assert (codes.ALARM_RESERVOIR in _alarms(dev)) == alarm
    plunger._base = dev.pins[image.IN_STEPS] - 50000
    dev.run(2)
    assert _alarms(dev) == set()
    plunger.capacity_steps = 200000
    plunger._base = dev.pins[image.IN_STEPS] - 190001
    dev.run(2)
    assert _alarms(dev) == {codes.ALARM_RESERVOIR}


def test_ledger_and_supply_alarms():
    """LEDGER and SUPPLY_LOW rise with their condition; the supply must rise by its margin before the alarm falls."""
    dev = Device()
    dev.hello()
    low = dev.app.params[image.P_SUPPLY_MIN_MV]
    dev.pins[image.IN_SUPPLY_MV] = low - 1
    dev.run(2)
    assert _alarms(dev) == {codes.ALARM_SUPPLY_LOW}
    dev.pins[image.IN_SUPPLY_MV] = low + 100
    dev.run(2)
    assert _alarms(dev) == {codes.ALARM_SUPPLY_LOW}
    dev.pins[image.IN_SUPPLY_MV] = low + 200
    dev.run(2)
    assert _alarms(dev) == set()
    dev.app.ledger.room = lambda: dev.app.ledger.capacity // 10 - 1
    dev.run(2)
    assert _alarms(dev) == {codes.ALARM_LEDGER}


def test_uncertain_alarm():
    """An UNCERTAIN record raises its alarm until it is acknowledged."""
    old = armed_device(ROWS, 5)
    old.player.holds = True
    old.touch(True)
    old.trigger()
    old.run(40)
    dev = Device(old.store)
    dev.hello()
    dev.run(2)
    assert _alarms(dev) == {codes.ALARM_UNCERTAIN}
    seq = dev.app.ledger.uncertain_seq
    assert dev.ask(codes.MSG_ACK_UNCERTAIN, seq.to_bytes(4, "little")).result == 0
    dev.run(2)
    assert _alarms(dev) == set()
