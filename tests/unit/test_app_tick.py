"""The tick and the cyclic executive of the app: what an exception, a hang and idleness do."""

import pytest
from appkit import Device, armed_device
from sit_firmware import codes, image, version
from sit_firmware.app import App

_SAFE = (image.OUT_DUTY, image.OUT_BRIDGE, image.OUT_SWITCH, image.OUT_TOKEN, image.OUT_STEPS)


def _drive_on(dev):
    """A control law that asks for everything."""

    def step(state, inputs, outputs, params):
        for slot in _SAFE:
            outputs[slot] = 1

    dev.replace(step=step, check=step)


@pytest.mark.parametrize("where", ["read", "step", "check", "write", "keep"])
def test_exception_in_the_tick_switches_off(where):
    """Invariant 6: an exception anywhere in the tick ends with board.off(), outputs safe and TICK_EXCEPTION latched."""
    dev = Device()
    _drive_on(dev)
    dev.run(2)
    assert dev.board.pins_out[image.OUT_BRIDGE] == 1

    def fail(*args):
        raise ValueError("in the tick")

    dev.replace(**{where: fail})
    dev.run(1 if where != "step" else 2)
    assert dev.board.offs >= 1
    assert dev.app.state[image.ST_FAULT] == codes.FAULT_TICK_EXCEPTION
    assert [dev.app.outputs[slot] for slot in _SAFE] == [0] * len(_SAFE)
    assert [dev.board.pins_out[slot] for slot in _SAFE] == [0] * len(_SAFE)


def test_exception_keeps_the_first_cause():
    """Invariant 6: the first cause stays latched when the tick fails afterwards."""
    dev = Device()
    dev.pins[image.IN_ESTOP] = 1
    dev.run(2)
    dev.board.raise_in_read = True
    dev.run(2)
    assert dev.app.state[image.ST_FAULT] == codes.FAULT_ESTOP


def test_exception_disarms_and_is_told():
    """Invariant 6: after an exception the device is in FAULT, disarmed, and tells the host once."""
    dev = armed_device()
    dev.board.raise_in_read = True
    dev.run(1)
    dev.board.raise_in_read = False
    dev.run(4)
    assert dev.app.session.state == codes.STATE_FAULT
    assert not dev.app.session.armed and not dev.app.state[image.ST_ARMED]
    assert [event[0] for event in dev.events(codes.EVENT_FAULT)] == [codes.FAULT_TICK_EXCEPTION]


def test_watchdog_is_fed_only_while_ticks_come():
    """Invariant 6: a dead tick isn't hidden by a poll that goes on feeding the watchdog."""
    dev = Device()
    dev.app.poll()
    fed = dev.board.feeds
    for _ in range(10):
        dev.app.poll()
    assert dev.board.feeds == fed
    dev.run(3)
    assert dev.board.feeds == fed + 3


def test_heartbeat_changes_with_each_poll():
    """Invariant 6: the guard can see that the background runs."""
    dev = Device()
    seen = []
    for _ in range(5):
        dev.run(1)
        seen.append(dev.app.state[image.ST_BEAT])
    assert len(set(seen)) == 5


def test_heartbeat_stops_when_a_poll_hangs():
    """Invariant 6: a part of the poll that never returns leaves the heartbeat where it was."""
    dev = Device()
    before = dev.app.state[image.ST_BEAT]

    class Hung(Exception):
        pass

    def hang():
        raise Hung

    dev.app.telemetry.poll = hang
    with pytest.raises(Hung):
        dev.run(1)
    assert dev.app.state[image.ST_BEAT] == before


def test_boot_state_ends_with_the_first_poll():
    """Before the first tick nothing but reads is answered."""
    store = Device().store
    app = App(Device(store).board)
    assert app.session.state == codes.STATE_BOOT
    app.tick()
    app.poll()
    assert app.session.state == codes.STATE_IDLE


def test_idle_names_a_far_tick_and_work_the_current_one():
    """The simulator may jump over idle time, never over work, a lease or telemetry."""
    dev = Device()
    dev.run(8)
    now = dev.pins[image.IN_TICK]
    assert dev.app.idle_until() - now > 1_000_000
    dev.ask(codes.MSG_SUBSCRIBE, (100).to_bytes(2, "little"))
    assert dev.app.idle_until() - now == 400
    dev.ask(codes.MSG_SUBSCRIBE, bytes(2))
    dev.pins[image.IN_TRIGGER] = 1
    dev.app.tick()
    dev.app.state[image.ST_TRIGGER_OK] = 0
    assert dev.app.idle_until() == dev.pins[image.IN_TICK]


def test_a_withheld_poll_is_busy():
    """A tick whose poll was withheld isn't jumped over."""
    dev = Device()
    dev.run(8)
    dev.pins[image.IN_TICK] += 1
    dev.app.tick()
    assert dev.app.idle_until() == dev.pins[image.IN_TICK]


def test_idle_ends_with_the_lease():
    """Invariant 3: a skipped run sees the lease end at its tick."""
    dev = armed_device()
    dev.renew(500)
    dev.run(1)
    assert dev.app.idle_until() - dev.pins[image.IN_TICK] == 500 * 4 - 1


def test_rp2_needs_hard_timers():
    """Invariant 8: on an RP2040 whose timers aren't hard the device never arms."""
    assert not version.board_ok("rp2", (1, 25, 0))
    assert version.board_ok("rp2", (1, 26, 0, ""))
    assert version.board_ok("linux", (1, 20, 0))
    dev = armed_device()
    dev.app.session.disarm()
    dev.app.board_ok = False
    assert dev.arm() in (codes.REFUSED_HARDWARE, codes.REFUSED_NOT_READY)
