"""Faults in the middle of a shot: drive off, plunger stopped, first cause latched, everything booked (4, 6)."""

import pytest
from shotkit import Bench
from sit_firmware import codes, image
from sit_host._gen import enums
from sit_host.errors import LinkLost
from sit_host.outcome import expect

POINTS = [(1, 1500, 20000), (2, 1500, 20000)]


@pytest.fixture
def dispensing(open_sim):
    """A shot in the middle of its dose."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_ms(20)
    assert bench.truth()["tip_um"] > 1400
    return bench


def _outputs(bench):
    out = bench.target.machine.outputs
    slots = (image.OUT_DUTY, image.OUT_BRIDGE, image.OUT_SWITCH, image.OUT_TOKEN, image.OUT_STEPS)
    return [out[slot] for slot in slots]


def _ended_by(bench, fault):
    """The shot is booked with this fault, the device is in FAULT with the needle home, totals hold the truth."""
    (end,) = bench.ends()
    truth = bench.truth()
    assert end.cause == fault
    assert end.kind == (enums.Record.PARTIAL if end.steps > 0 else enums.Record.ABORTED)
    assert end.tissue_min_nl <= truth["tissue_nl"] <= end.tissue_max_nl
    assert bench.records(enums.Record.FAULT)[0].cause == fault
    status = bench.status()
    assert (status.header.state, status.header.fault) == (enums.State.FAULT, fault)
    assert truth["tip_um"] < -700
    assert not truth["energised"]
    bench.check_depth()


def test_estop(dispensing):
    """Invariant 6: the e-stop has the outputs safe in the tick that sees it, and the needle home by the spring."""
    dispensing.hand("estop")
    dispensing.run_ms(0.25)
    assert _outputs(dispensing) == [0] * 5
    dispensing.run_ms(400)
    _ended_by(dispensing, codes.FAULT_ESTOP)


def test_estop_is_cleared_by_an_operator_only(dispensing):
    """Invariant 6: released, the e-stop's fault stays until it is cleared; then the next point can be armed."""
    dispensing.hand("estop")
    dispensing.run_ms(400)
    assert dispensing.client.clear_fault(codes.FAULT_ESTOP).number == codes.REFUSED_CAUSE_REMAINS
    dispensing.hand("estop_release")
    dispensing.lift()
    dispensing.run_ms(1000)
    assert dispensing.state() == enums.State.FAULT
    expect(dispensing.client.clear_fault(codes.FAULT_ESTOP))
    dispensing.run_ms(10)
    assert dispensing.state() == enums.State.IDLE
    expect(dispensing.arm(cursor=1))
    dispensing.press_and_trigger()
    dispensing.follow()
    assert [(end.point, end.kind) for end in dispensing.ends()][-1] == (2, enums.Record.DONE)


def test_tick_exception(dispensing):
    """Invariant 6: an exception inside the tick ends with everything off in the same tick."""
    dispensing.target.control({"do": "tick_exception"})
    dispensing.run_ms(0.25)
    assert _outputs(dispensing) == [0] * 5
    dispensing.run_ms(400)
    _ended_by(dispensing, codes.FAULT_TICK_EXCEPTION)


def test_hung_background(dispensing):
    """Invariant 6: a background that stands still is noticed by the guard; the drive goes off by itself."""
    dispensing.target.control({"do": "hang_background", "ms": 300})
    dispensing.run_ms(110)
    assert _outputs(dispensing) == [0] * 5
    assert dispensing.truth()["tip_um"] < -700
    dispensing.run_ms(500)
    _ended_by(dispensing, codes.FAULT_BACKGROUND)


def test_contact_lost(dispensing):
    """Invariant 3: lifted in the middle of the dose: plunger stopped, needle home, PARTIAL, an alarm, disarmed."""
    dispensing.hand("lift")
    dispensing.run_ms(100)
    truth = dispensing.truth()
    assert truth["tip_um"] < -700
    (end,) = dispensing.ends()
    assert (end.kind, end.cause) == (enums.Record.PARTIAL, codes.CAUSE_CONTACT)
    assert end.tissue_min_nl <= truth["tissue_nl"] <= end.tissue_max_nl
    status = dispensing.status()
    assert status.header.state == enums.State.IDLE
    assert status.alarms & 1 << codes.ALARM_CONTACT_LOST
    assert status.alarms & 1 << codes.ALARM_PARTIAL_DOSE


def test_power_cut(dispensing):
    """Invariant 4: after a power cut in the shot the record is UNCERTAIN, its bounds hold the truth, arming waits."""
    steps = dispensing.truth()["shot"]["steps"]
    dispensing.target.control({"do": "power", "off_ms": 300})
    with pytest.raises(LinkLost):
        dispensing.client.wait(dispensing.target.now() + 1)
    dispensing.lift()
    dispensing.client.reconnect(5)
    (end,) = dispensing.ends()
    tissue_nl = dispensing.truth()["tissue_nl"]
    assert (end.kind, end.cause) == (enums.Record.UNCERTAIN, codes.CAUSE_RESET)
    assert end.steps <= steps + 4 <= end.cap_steps
    assert end.tissue_min_nl <= tissue_nl <= end.tissue_max_nl
    dispensing.client.set_clock_if_needed()
    dispensing.prepare()
    expect(dispensing.load([(2, 1500, 5000)]))
    assert dispensing.arm().number == codes.REFUSED_UNCERTAIN
    expect(dispensing.client.ack_uncertain(end.seq))
    expect(dispensing.arm())
    dispensing.press_and_trigger()
    dispensing.follow()
    assert [(e.point, e.kind) for e in dispensing.ends()] == [(1, enums.Record.UNCERTAIN), (2, enums.Record.DONE)]
    dispensing.check_depth()


def test_store_that_fails_at_intent(open_sim):
    """Invariant 4: with a store that can't take INTENT the needle doesn't move, and nothing is armed any more."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    bench.target.control({"do": "store", "kind": "write"})
    bench.press_and_trigger()
    bench.run_ms(300)
    assert bench.target.machine.shots_begun == 0
    assert bench.events(enums.Event.TRIGGER)[-1].a == codes.REFUSED_STORE
    bench.target.control({"do": "store", "count": 0})
    expect(bench.client.disarm())
    assert bench.arm().number == codes.REFUSED_STORE


def test_store_that_fails_at_the_end(dispensing):
    """Invariant 4: an end record that can't be written latches STORE and is written before the fault can be cleared."""
    dispensing.target.control({"do": "store", "kind": "write"})
    dispensing.client.sleep(2)
    assert dispensing.status().header.fault == codes.FAULT_STORE
    assert dispensing.ends() == []
    assert dispensing.client.clear_fault(codes.FAULT_STORE).number == codes.REFUSED_CAUSE_REMAINS
    dispensing.target.control({"do": "store", "count": 0})
    expect(dispensing.client.clear_fault(codes.FAULT_STORE))
    (end,) = dispensing.ends()
    assert end.kind == enums.Record.DONE
    assert end.tissue_min_nl <= dispensing.truth()["tissue_nl"] <= end.tissue_max_nl
