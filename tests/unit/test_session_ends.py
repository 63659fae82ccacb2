"""How a shot and an arming end: lease, DISARM, STOP, faults, a store that fails (invariants 3, 4, 6)."""

import pytest
from appkit import PRIME_STEPS, Device, armed_device
from sit_firmware import codes, image

ROWS = ((1, 1, 1, 1200, 10000), (2, 1, 1, 1200, 10000), (3, 1, 1, 1200, 10000))
ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED)


def _in_a_shot(rows=ROWS, count=3):
    """A device whose first shot is under way and doesn't end by itself."""
    dev = armed_device(rows, count)
    dev.player.holds = True
    dev.touch(True)
    dev.trigger()
    dev.run(8)
    assert dev.app.session.state == codes.STATE_INJECTING
    return dev


def _finish(dev):
    dev.player.holds = False
    dev.run_ms(300)


def test_silent_host_disarms():
    """Invariant 3: without a renewal the device disarms when the lease ends, and says so."""
    dev = armed_device(ROWS, 3)
    dev.renew(500)
    dev.run_ms(499)
    assert dev.app.session.state == codes.STATE_ARMED
    dev.run_ms(2)
    assert dev.app.session.state == codes.STATE_IDLE
    assert len(dev.events(codes.EVENT_LEASE)) == 1
    dev.touch(True)
    dev.trigger()
    assert dev.shots() == []


def test_renewal_keeps_armed():
    """Invariant 3: a host that renews stays in charge."""
    dev = armed_device(ROWS, 3)
    for _ in range(5):
        assert dev.renew(500) == 0
        dev.run_ms(400)
    assert dev.app.session.state == codes.STATE_ARMED


def test_late_renewal_does_not_arm():
    """Invariant 3: a renewal that comes after the lease has ended is refused."""
    dev = armed_device(ROWS, 3)
    dev.run_ms(2100)
    assert dev.renew() == codes.REFUSED_BAD_STATE
    assert not dev.app.session.armed


def test_renewal_in_a_shot_after_the_arming_ended():
    """Invariant 3: while a shot that outlived its arming is finished, a renewal is refused and starts no lease."""
    dev = _in_a_shot()
    dev.ask(codes.MSG_DISARM)
    assert dev.renew() == codes.REFUSED_BAD_STATE
    assert not dev.app.session.lease.on
    _finish(dev)
    assert dev.app.session.state == codes.STATE_IDLE


def test_lease_longer_than_allowed_is_refused():
    """Invariant 3: no host gets a longer lease than the settings allow."""
    dev = Device()
    dev.prepare()
    assert dev.load(ROWS) == 0
    assert dev.arm(lease_ms=2001) == codes.REFUSED_BAD_VALUE
    assert dev.arm(lease_ms=2000) == 0
    assert dev.renew(2001) == codes.REFUSED_BAD_VALUE


def test_lease_lost_in_a_shot_finishes_it_and_starts_none():
    """Invariant 3: a host that falls silent in a shot: the shot is finished, the next press starts nothing."""
    dev = _in_a_shot()
    dev.run_ms(2200)
    assert dev.app.session.state == codes.STATE_INJECTING
    assert not dev.app.state[image.ST_STOP]
    _finish(dev)
    assert [record["kind"] for record in dev.records(*ENDS)] == [codes.RECORD_DONE]
    assert dev.app.session.state == codes.STATE_IDLE
    dev.touch(False)
    dev.shoot()
    assert len(dev.shots()) == 1


def test_disarm_in_a_shot_finishes_it_and_starts_none():
    """Invariant 3: DISARM during a shot lets it end as asked, and nothing follows."""
    dev = _in_a_shot()
    dev.ask(codes.MSG_DISARM)
    _finish(dev)
    assert [record["kind"] for record in dev.records(*ENDS)] == [codes.RECORD_DONE]
    dev.touch(False)
    dev.shoot()
    assert len(dev.shots()) == 1


def test_stop_in_a_shot_ends_it_at_once():
    """Invariant 3: STOP tells the tick within the same poll; the shot is booked with cause STOP and nothing follows."""
    dev = _in_a_shot()
    dev.ask(codes.MSG_STOP)
    assert dev.app.state[image.ST_STOP] == 1
    dev.run_ms(20)
    end = dev.records(*ENDS)[0]
    assert (end["kind"], end["cause"]) == (codes.RECORD_ABORTED, codes.CAUSE_STOP)
    assert dev.app.state[image.ST_STOP] == 0
    assert dev.app.session.state == codes.STATE_IDLE
    dev.touch(False)
    dev.shoot()
    assert len(dev.shots()) == 1


def test_a_new_session_disarms():
    """Invariant 3: a host that opens a session takes the arming of the one before away."""
    dev = armed_device(ROWS, 3)
    dev.hello()
    assert dev.app.session.state == codes.STATE_IDLE


@pytest.mark.parametrize(
    ("result", "cause", "kind"),
    [
        (codes.RESULT_DONE, codes.CAUSE_NONE, codes.RECORD_DONE),
        (codes.RESULT_PARTIAL, codes.CAUSE_CONTACT, codes.RECORD_PARTIAL),
        (codes.RESULT_ABORTED, codes.CAUSE_NO_PUNCTURE, codes.RECORD_ABORTED),
        (codes.RESULT_ABORTED, codes.CAUSE_NOT_READY, codes.RECORD_ABORTED),
    ],
)
def test_each_end_is_booked(result, cause, kind):
    """Invariant 4: every INTENT gets one end record of the right kind, whose steps are those the hardware counted."""
    dev = armed_device(ROWS, 3)
    dev.player.results = [(result, cause)]
    before = dev.pins[image.IN_STEPS]
    dev.shoot()
    (end,) = dev.records(*ENDS)
    (intent,) = dev.records(codes.RECORD_INTENT)
    assert (end["kind"], end["cause"], end["ref"]) == (kind, cause, intent["seq"])
    assert end["steps"] == dev.pins[image.IN_STEPS] - before
    assert end["tissue_min_nl"] <= end["needle_nl"] <= end["tissue_max_nl"] or kind != codes.RECORD_DONE
    assert dev.events(codes.EVENT_SHOT) == [(end["seq"], kind, 1)]


def test_only_a_done_point_goes_on():
    """A point that wasn't given as asked disarms: the next one waits until somebody has looked."""
    dev = armed_device(ROWS, 3)
    dev.shoot()
    assert dev.app.session.state == codes.STATE_ARMED
    dev.player.results = [(codes.RESULT_PARTIAL, codes.CAUSE_CONTACT)]
    dev.shoot()
    assert dev.app.session.state == codes.STATE_IDLE
    assert dev.arm(cursor=0, count=1) == 0
    dev.shoot()
    assert [record["point"] for record in dev.records(*ENDS)] == [1, 2, 3]


def test_fault_in_a_shot_books_it_then_the_fault():
    """Invariants 4, 6: a fault ends the shot; its record names the fault, a FAULT record follows, nothing is armed."""
    dev = _in_a_shot()
    dev.pins[image.IN_ESTOP] = 1
    dev.run_ms(300)
    kinds = [(record["kind"], record["cause"]) for record in dev.records()][-2:]
    assert kinds == [(codes.RECORD_ABORTED, codes.FAULT_ESTOP), (codes.RECORD_FAULT, codes.FAULT_ESTOP)]
    assert dev.app.session.state == codes.STATE_FAULT
    assert dev.ask(codes.MSG_ARM, b"\xf4\x01\0\0\1\0").result == codes.REFUSED_FAULTED


def test_clear_needs_the_cause_gone():
    """Invariant 6: a fault stays latched while its cause is there; an explicit CLEAR ends it, with a record."""
    dev = Device()
    dev.hello()
    dev.pins[image.IN_ESTOP] = 1
    dev.run(8)
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_FLAG])).result == codes.REFUSED_BAD_VALUE
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_ESTOP])).result == codes.REFUSED_CAUSE_REMAINS
    dev.pins[image.IN_ESTOP] = 0
    dev.run(400)
    assert dev.app.session.state == codes.STATE_FAULT
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_ESTOP])).result == 0
    dev.run(8)
    assert dev.app.session.state == codes.STATE_IDLE
    assert dev.events(codes.EVENT_WORK) == [(codes.MSG_CLEAR_FAULT, 0, 0)]
    assert dev.records(codes.RECORD_CLEAR)[0]["cause"] == codes.FAULT_ESTOP


def test_guard_may_refuse_to_clear():
    """Invariant 6: where the guard still sees the cause the device stays in FAULT, and the host is told."""
    dev = Device()
    dev.hello()
    dev.app.faults.report(codes.FAULT_COMB)
    dev.run(8)
    dev.player.clears = False
    assert dev.ask(codes.MSG_CLEAR_FAULT, bytes([codes.FAULT_COMB])).result == 0
    dev.run(8)
    assert dev.app.session.state == codes.STATE_FAULT
    assert dev.events(codes.EVENT_WORK) == [(codes.MSG_CLEAR_FAULT, codes.REFUSED_CAUSE_REMAINS, codes.FAULT_COMB)]


@pytest.mark.parametrize(
    ("fault", "tested", "zeroed", "primed"),
    [
        (codes.FAULT_ESTOP, 1, 1, 1),
        (codes.FAULT_OCCLUSION, 1, 1, 0),
        (codes.FAULT_COMB, 0, 0, 1),
        (codes.FAULT_ENVELOPE, 0, 0, 1),
    ],
)
def test_faults_take_trust_away(fault, tested, zeroed, primed):
    """Invariant 6: after a fault of the position the device needs a self-test and a zero, of the fluid path a prime."""
    dev = armed_device(ROWS, 3)
    dev.app.faults.report(fault)
    dev.run(8)
    session = dev.app.session
    assert (session.tested, dev.app.state[image.ST_ZEROED], session.primed) == (tested, zeroed, primed)


def test_store_failing_after_the_shot_is_a_fault_and_the_record_is_owed():
    """Invariant 4: an end record that can't be written latches STORE; clearing waits until it is written."""
    dev = _in_a_shot()
    dev.store.fail = ("write",)
    _finish(dev)
    assert dev.app.state[image.ST_FAULT] == codes.FAULT_STORE
    assert dev.app.session.state == codes.STATE_FAULT
    clear = bytes([codes.FAULT_STORE])
    assert dev.ask(codes.MSG_CLEAR_FAULT, clear).result == codes.REFUSED_CAUSE_REMAINS
    dev.store.fail = ()
    assert dev.ask(codes.MSG_CLEAR_FAULT, clear).result == 0
    dev.run(8)
    ends = dev.records(*ENDS)
    assert [(end["kind"], end["point"]) for end in ends] == [(codes.RECORD_DONE, 1)]
    assert dev.app.session.state == codes.STATE_IDLE


def test_store_failing_during_the_shot_changes_nothing_in_it():
    """Invariant 4: a checkpoint that can't be written doesn't end the shot; the next one is refused."""
    dev = _in_a_shot()
    dev.store.fail = ("write",)
    dev.run_ms(30)
    dev.store.fail = ()
    _finish(dev)
    assert [record["kind"] for record in dev.records(*ENDS)] == [codes.RECORD_DONE]


def test_power_cut_in_a_shot_becomes_uncertain_and_waits():
    """Invariant 4: after a reset in a shot arming waits for the acknowledgement of the UNCERTAIN record."""
    old = _in_a_shot()
    dev = Device(old.store)
    dev.prepare()
    (record,) = dev.records(codes.RECORD_UNCERTAIN)
    assert record["tissue_max_nl"] >= record["asked_nl"]
    assert dev.load(((2, 1, 1, 1200, 10000),)) == 0
    assert dev.arm() == codes.REFUSED_UNCERTAIN
    assert dev.ask(codes.MSG_ACK_UNCERTAIN, (record["seq"] + 1).to_bytes(4, "little")).result == codes.REFUSED_NO_RECORD
    assert dev.ask(codes.MSG_ACK_UNCERTAIN, record["seq"].to_bytes(4, "little")).result == 0
    assert dev.arm() == 0
    assert dev.load(((1, 1, 1, 1200, 10000),)) != 0


def test_plunger_count_survives_a_reset():
    """The steps pushed out of the syringe are known again after a reset, a shot that ended unknown with its cap."""
    dev = armed_device(ROWS, 3)
    dev.shoot()
    used = dev.app.plunger.used_steps()
    assert used == PRIME_STEPS + dev.shots()[0][1]
    again = Device(dev.store)
    assert again.app.plunger.used_steps() == used


def test_a_prime_must_free_the_line_of_air():
    """Invariant 2: tube and needle hold air after a change; less than their volume doesn't make the device primed."""
    dev = Device()
    dev.hello()
    dev.set_clock()
    assert dev.work(codes.MSG_PRIME, (20000).to_bytes(4, "little"))[0] == codes.REFUSED_NOT_READY
    assert not dev.app.session.primed
    assert dev.work(codes.MSG_PRIME, (12000).to_bytes(4, "little"))[0] == 0
    assert dev.app.session.primed
    again = Device(dev.store)
    assert again.app.plunger.air_steps() == 0
    again.hello()
    assert dev.app.plunger.air_steps() == 0
    for what, steps in ((codes.CHANGE_NEEDLE, 27), (codes.CHANGE_SYRINGE, 5734)):
        assert again.ask(codes.MSG_CHANGE, bytes([what, 0, 0])).result == 0
        if what == codes.CHANGE_SYRINGE:
            again.syringe_out_and_in()
        assert again.ask(codes.MSG_CHANGE, bytes([what, 0, 1])).result == 0
        again.run(8)
        assert not again.app.session.primed
        assert again.app.plunger.air_steps() == steps
        assert Device(again.store).app.plunger.air_steps() == steps


def test_a_syringe_is_new_only_when_the_old_one_was_seen_to_leave():
    """Invariant 4: a host's word alone never turns an empty syringe into a full one, nor does one that is out."""
    dev = Device()
    dev.hello()
    dev.set_clock()
    used = dev.app.plunger.used_steps()
    done = bytes([codes.CHANGE_SYRINGE, 0, 1])
    assert dev.ask(codes.MSG_CHANGE, bytes([codes.CHANGE_SYRINGE, 0, 0])).result == 0
    assert dev.ask(codes.MSG_CHANGE, done).result == codes.REFUSED_NOT_READY
    dev.pins[image.IN_CARTRIDGE] = 0
    dev.run(8)
    assert dev.ask(codes.MSG_CHANGE, done).result == codes.REFUSED_NOT_READY
    assert dev.app.plunger.used_steps() == used and not dev.records(codes.RECORD_CHANGE)
    dev.pins[image.IN_CARTRIDGE] = 1
    dev.run(8)
    assert dev.ask(codes.MSG_CHANGE, done).result == 0
    assert len(dev.records(codes.RECORD_CHANGE)) == 1


@pytest.mark.parametrize("step", range(1, 8))
def test_each_step_of_the_self_test_can_fail(step):
    """Invariant 6: a self-test step that fails latches its fault, is named, and leaves the device untested."""
    from sit_firmware import selftest

    dev = Device()
    dev.hello()
    dev.set_clock()
    _, motion, fault = selftest.STEPS[step - 1]
    if motion:
        before = sum(1 for _, other, _ in selftest.STEPS[: step - 1] if other)
        dev.player.results = [(codes.RESULT_DONE, 0)] * before + [(codes.RESULT_ABORTED, codes.CAUSE_TIME)]
    elif fault == codes.FAULT_STORE:
        dev.store.fail = ("write",)
    elif fault == codes.FAULT_PARAMS:
        dev.app.params[image.P_MAX_DEPTH_UM] += 1
    else:
        dev.pins[image.IN_TRIGGER] = 1
    assert dev.work(codes.MSG_SELFTEST) == (fault, step)
    dev.run(8)
    assert dev.app.state[image.ST_FAULT] == fault
    assert not dev.app.session.tested


def test_a_failing_self_test_takes_the_last_one_away():
    """A self-test that begins makes the device untested until it has passed."""
    dev = armed_device(ROWS, 3)
    dev.ask(codes.MSG_DISARM)
    dev.player.results = [(codes.RESULT_ABORTED, codes.FAULT_DEADMAN)]
    assert dev.work(codes.MSG_SELFTEST)[0] == codes.FAULT_DEADMAN
    assert not dev.app.session.tested


def test_the_needle_waits_for_the_zero_tool():
    """Invariant 1: no zero without a tool, none while something touches, a window that holds to the micrometre."""
    dev = Device()
    dev.hello()
    dev.set_clock()
    dev.work(codes.MSG_SELFTEST)
    moves = len(dev.player.taken)
    assert dev.ask(codes.MSG_ZERO).result == 0
    dev.run_ms(3000)
    dev.zero_tool(True)
    dev.run_ms(1400)
    dev.touch(True)
    dev.run_ms(3000)
    dev.touch(False)
    dev.run_ms(1400)
    assert len(dev.player.taken) == moves
    dev.run_ms(200)
    assert len(dev.player.taken) == moves + 1
    assert dev.events(codes.EVENT_WORK)[-1][1:] == (0, 0)
    for offset_um, result in ((15, 0), (-15, 0), (16, codes.REFUSED_WRONG_ZERO), (-16, codes.REFUSED_WRONG_ZERO)):
        dev.player.gate_offset_um = offset_um
        assert dev.work(codes.MSG_ZERO) == (result, offset_um)
        assert dev.app.state[image.ST_ZEROED] == (0 if result else 1)
        assert dev.app.session.zero_offset_um == offset_um
