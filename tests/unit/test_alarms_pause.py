"""The sound of a high alarm: again and again while it stands, paused by the trigger for two minutes at most."""

import pytest
from appkit import armed_device
from sit_firmware import codes, image, panel

ROWS = tuple((n, 1, 1, 1200, 10000) for n in range(1, 4))


@pytest.fixture
def alarmed():
    """A device whose e-stop was pressed."""
    dev = armed_device(ROWS, 3)
    dev.pins[image.IN_ESTOP] = 1
    dev.run(8)
    return dev


def _heard(dev, ms):
    """How often a high alarm began to sound; coarse steps, a tick each would be slow."""
    count, last = 0, dev.board.pins_out[image.OUT_TONE]
    for _ in range(ms // 50):
        dev.run_ms(50)
        tone = dev.board.pins_out[image.OUT_TONE]
        count += tone == codes.TONE_ALARM_HIGH and tone != last
        last = tone
    return count


def test_a_high_alarm_sounds_again_while_it_stands(alarmed):
    """Alarms: a high alarm sounds every 10 s until its cause is cleared, then no more."""
    assert alarmed.board.pins_out[image.OUT_TONE] == codes.TONE_ALARM_HIGH
    assert _heard(alarmed, 21000) == 2
    alarmed.pins[image.IN_ESTOP] = 0
    alarmed.run(8)
    assert alarmed.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_ESTOP])).result == 0
    assert _heard(alarmed, 15000) == 0


def test_the_trigger_pauses_the_sound_for_two_minutes_at_most(alarmed, monkeypatch):
    """Alarms: a pull of the trigger ends the sound at once, starts nothing, leaves the light; the sound comes back."""
    assert panel._PAUSE_MS <= 120_000
    monkeypatch.setattr(panel, "_PAUSE_MS", 12_000)
    alarmed.trigger()
    alarmed.run_ms(100)
    assert alarmed.board.pins_out[image.OUT_TONE] == codes.TONE_OFF
    assert alarmed.board.pins_out[image.OUT_LIGHT] == codes.LIGHT_ALARM_HIGH
    assert not alarmed.events(codes.EVENT_SHOT)
    assert _heard(alarmed, 11500) == 0
    assert _heard(alarmed, 12000) == 1


def test_a_pull_without_an_alarm_pauses_nothing():
    """Alarms: a pull before the alarm has no pause in store for it."""
    dev = armed_device(ROWS, 3)
    assert dev.ask(codes.MSG_DISARM).result == 0
    dev.trigger()
    dev.run_ms(100)
    dev.pins[image.IN_ESTOP] = 1
    dev.run_ms(20)
    assert dev.board.pins_out[image.OUT_TONE] == codes.TONE_ALARM_HIGH
