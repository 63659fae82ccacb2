"""A silent host, DISARM and STOP at any moment of a shot (invariant 3)."""

import pytest
from shotkit import PHASES, Bench
from sit_firmware import codes
from sit_host._gen import enums
from sit_host.outcome import expect

POINTS = [(1, 1500, 20000), (2, 1500, 20000)]


@pytest.fixture
def armed(open_sim):
    """Armed for two points, in nobody's hands."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    return bench


def test_a_silent_host_disarms(armed):
    """Invariant 3: two seconds after the last renewal the device isn't armed; a press then gives nothing."""
    armed.run_ms(2100)
    armed.press_and_trigger()
    armed.run_ms(500)
    assert armed.state() == enums.State.IDLE
    assert armed.target.machine.shots_begun == 0
    assert len(armed.events(enums.Event.LEASE)) == 1
    assert armed.status().alarms & 1 << codes.ALARM_LEASE


def test_a_host_that_falls_silent_in_a_shot(armed):
    """Invariant 3: the shot under way is finished, then nothing more is given."""
    armed.run_ms(1800)
    armed.press_and_trigger()
    armed.run_ms(2500)
    assert [end.kind for end in armed.ends()] == [enums.Record.DONE]
    armed.lift()
    armed.press_and_trigger()
    armed.run_ms(500)
    assert len(armed.ends()) == 1
    armed.check_depth()


@pytest.mark.parametrize("phase", ["approach", "settle", "dispense"])
def test_stop_in_any_phase(armed, phase):
    """Invariant 3: STOP in any phase of a shot brings the needle home and ends the dose; the steps are booked."""
    start = armed.truth()["plunger_steps"]
    armed.press_and_trigger()
    armed.run_to_phase(PHASES[phase])
    before = armed.truth()["plunger_steps"]
    expect(armed.client.stop())
    armed.run_ms(100)
    truth = armed.truth()
    assert truth["tip_um"] < -700
    assert not truth["energised"]
    # what the plunger makes while it slows down
    assert truth["plunger_steps"] - before <= 80
    (end,) = armed.ends()
    assert end.cause == codes.CAUSE_STOP
    assert end.kind == (enums.Record.PARTIAL if end.steps > 0 else enums.Record.ABORTED)
    assert end.steps == truth["plunger_steps"] - start
    assert end.tissue_min_nl <= truth["tissue_nl"] <= end.tissue_max_nl
    assert armed.state() == enums.State.IDLE


def test_disarm_in_a_shot_finishes_it(armed):
    """Invariant 3: DISARM while dispensing: the point is DONE, the next press starts nothing."""
    armed.press_and_trigger()
    armed.run_to_phase(codes.PHASE_DISPENSE)
    expect(armed.client.disarm())
    armed.run_ms(2000)
    assert [end.kind for end in armed.ends()] == [enums.Record.DONE]
    armed.lift()
    armed.press_and_trigger()
    armed.run_ms(500)
    assert len(armed.ends()) == 1


def test_releasing_the_trigger_finishes_the_shot(armed):
    """Invariant 3: a trigger let go while dispensing finishes the point and starts none."""
    armed.press_and_trigger()
    armed.run_to_phase(codes.PHASE_DISPENSE)
    armed.hand("release")
    armed.client.sleep(2)
    assert [end.kind for end in armed.ends()] == [enums.Record.DONE]
    assert armed.state() == enums.State.ARMED
