"""Starting a shot: only a fresh press of the trigger, while everything holds (invariant 2)."""

import pytest
from appkit import PRIME_STEPS, TREATMENT, Device, armed_device
from sit_firmware import codes, image, params, wire

ROW = (1, 1, 1, 1200, 10000)


def _refusals(dev):
    return [event[0] for event in dev.events(codes.EVENT_TRIGGER)]


def _unready(name):
    """What takes one condition away from an armed device in contact, and the refusal that must follow."""

    def contact(dev):
        dev.touch(False)

    def disarmed(dev):
        dev.ask(codes.MSG_DISARM)

    def estop(dev):
        dev.pins[image.IN_ESTOP] = 1

    def zero(dev):
        dev.app.session.lose_zero()

    def prime(dev):
        dev.app.session.primed = False

    def tested(dev):
        dev.app.session.tested = False

    def syringe(dev):
        dev.pins[image.IN_CARTRIDGE] = 0

    def supply(dev):
        dev.pins[image.IN_SUPPLY_MV] = 8000

    def store(dev):
        dev.store.fail = ("write",)

    def clock(dev):
        dev.app.wall.unix_s = 0

    def uncertain(dev):
        dev.app.ledger.uncertain_seq = 1

    def settings(dev):
        dev.app.settings.source = 2

    def deep(dev):
        dev.app.settings.max_depth_um = ROW[3] - 1

    def shot_volume(dev):
        dev.app.settings.max_shot_nl = ROW[4] - 1

    def session_volume(dev):
        dev.app.settings.max_session_nl = ROW[4] - 1

    def site_volume(dev):
        dev.app.settings.max_site_nl = ROW[4] - 1

    def window_volume(dev):
        dev.app.settings.max_window_nl = ROW[4] - 1

    def plunger_end(dev):
        dev.app.plunger._base = dev.pins[image.IN_STEPS] - dev.app.plunger.capacity_steps

    def schema(dev):
        dev.app.session.schema_ok = False

    def hardware(dev):
        dev.app.board_ok = False

    return locals()[name]


CONDITIONS = {
    "contact": codes.REFUSED_NO_CONTACT,
    "disarmed": codes.REFUSED_BAD_STATE,
    "estop": codes.REFUSED_FAULTED,
    "zero": codes.REFUSED_NOT_READY,
    "prime": codes.REFUSED_NOT_READY,
    "tested": codes.REFUSED_NOT_READY,
    "syringe": codes.REFUSED_NOT_READY,
    "supply": codes.REFUSED_NOT_READY,
    "store": codes.REFUSED_STORE,
    "clock": codes.REFUSED_CLOCK,
    "uncertain": codes.REFUSED_UNCERTAIN,
    "settings": codes.REFUSED_SETTINGS_BAD,
    "deep": codes.REFUSED_TOO_DEEP,
    "shot_volume": codes.REFUSED_TOO_MUCH,
    "session_volume": codes.REFUSED_TOO_MUCH,
    "site_volume": codes.REFUSED_TOO_MUCH,
    "window_volume": codes.REFUSED_TOO_MUCH,
    "plunger_end": codes.REFUSED_PLUNGER_END,
    "schema": codes.REFUSED_SCHEMA,
    "hardware": codes.REFUSED_HARDWARE,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_press_starts_nothing_when_a_condition_is_missing(name):
    """Invariant 2: each condition alone keeps a press from starting a shot, and the host is told which."""
    dev = armed_device((ROW,), 1)
    dev.touch(True)
    _unready(name)(dev)
    dev.run(2)
    dev.trigger()
    dev.run_ms(20)
    assert dev.shots() == []
    assert _refusals(dev) == [CONDITIONS[name]]
    assert dev.records(codes.RECORD_INTENT) == []


def test_a_press_in_contact_starts_the_row_under_the_cursor():
    """Invariant 2: armed, ready and in contact, one press gives one shot of the row's depth and volume."""
    dev = armed_device((ROW,), 1)
    dev.touch(True)
    dev.trigger()
    dev.run_ms(20)
    assert len(dev.shots()) == 1
    depth_um, steps, volume_nl, _, _, cap = dev.shots()[0]
    assert (depth_um, volume_nl) == (1200, 10000)
    assert abs(steps * params.step_nl_q10(4699) / 1024 - 10000) < 6
    assert steps < cap
    assert _refusals(dev) == []


def test_no_message_starts_a_shot():
    """Invariant 2: armed, ready and in contact, no message with any payload makes the tick begin a shot."""
    dev = armed_device((ROW,), 1)
    dev.touch(True)
    for message, (_, _, _, shortest, _, _) in wire.REQUESTS.items():
        for fill in (0, 1, 0xFF):
            dev.ask(message, bytes([fill]) * shortest, refusal=0)
            dev.run(8)
    assert dev.shots() == []
    assert dev.records(codes.RECORD_INTENT) == []


def test_a_held_trigger_gives_one_shot():
    """Invariant 2: a trigger that stays pressed, or sticks, starts one shot and no second one."""
    dev = armed_device()
    dev.touch(True)
    dev.pins[image.IN_TRIGGER] = 1
    dev.run_ms(50)
    dev.touch(False)
    dev.run_ms(200)
    dev.touch(True)
    dev.run_ms(50)
    assert len(dev.shots()) == 1


def test_contact_must_be_released_between_points():
    """Invariant 2: a second press without lifting starts nothing; after lifting it does."""
    dev = armed_device()
    dev.touch(True)
    dev.trigger()
    dev.run_ms(300)
    dev.trigger()
    dev.run_ms(20)
    assert len(dev.shots()) == 1
    assert _refusals(dev) == [codes.REFUSED_STILL_CONTACT]
    dev.touch(False)
    dev.run_ms(10)
    dev.touch(True)
    dev.trigger()
    dev.run_ms(20)
    assert len(dev.shots()) == 2


def test_arming_in_contact_asks_to_lift_first():
    """Invariant 2: a device armed while pressed on the skin gives nothing until it was lifted."""
    dev = armed_device()
    dev.ask(codes.MSG_DISARM)
    dev.touch(True)
    assert dev.arm(count=2) == 0
    dev.trigger()
    dev.run_ms(20)
    assert dev.shots() == []
    assert _refusals(dev) == [codes.REFUSED_STILL_CONTACT]


def test_a_press_before_arming_does_not_count_after_it():
    """Invariant 2: a trigger pressed while idle and held through the arming starts nothing."""
    dev = armed_device()
    dev.ask(codes.MSG_DISARM)
    dev.pins[image.IN_TRIGGER] = 1
    dev.run(4)
    assert dev.arm(count=2) == 0
    dev.touch(True)
    dev.run_ms(50)
    assert dev.shots() == []


def test_the_shortest_gap_between_shots_is_kept():
    """Invariant 2: a press within the gap after a shot starts nothing."""
    dev = armed_device()
    dev.app.settings.min_gap_ms = 1000
    dev.shoot()
    dev.touch(True)
    dev.trigger()
    assert len(dev.shots()) == 1
    assert _refusals(dev) == [codes.REFUSED_BAD_STATE]
    dev.touch(False)
    dev.run_ms(1000)
    dev.touch(True)
    dev.trigger()
    assert len(dev.shots()) == 2


def test_intent_is_on_the_store_before_the_tick_is_asked():
    """Invariant 4: when the request is posted, INTENT with cap and start count is on the store already."""
    dev = armed_device((ROW,), 1)
    dev.touch(True)
    seen = []
    post = dev.app.box.post

    def spy(request, **arguments):
        seen.append((request, [record["point"] for record in dev.records(codes.RECORD_INTENT)]))
        post(request, **arguments)

    dev.app.box.post = spy
    dev.trigger()
    assert seen == [(codes.REQ_SHOT, [1])]
    intent = dev.records(codes.RECORD_INTENT)[0]
    assert intent["steps"] == PRIME_STEPS  # what priming had pushed
    assert intent["cap_steps"] == dev.shots()[0][5]


def test_without_intent_nothing_moves():
    """Invariant 4: a store that fails at INTENT ends in no motion, refusal STORE, and no arming until mended."""
    dev = armed_device()
    dev.touch(True)
    dev.store.fail = ("write",)
    dev.trigger()
    dev.run_ms(20)
    assert dev.shots() == []
    assert _refusals(dev) == [codes.REFUSED_STORE]
    assert dev.app.state[image.ST_FAULT] == 0
    dev.store.fail = ()
    dev.ask(codes.MSG_DISARM)
    assert dev.arm(count=2) == codes.REFUSED_STORE
    dev.touch(False)
    dev.work(codes.MSG_SELFTEST)
    assert dev.arm(count=2) == 0


def test_a_point_given_before_is_not_given_again():
    """Invariant 5: a row whose identity has come into the ledger since the seal isn't given."""
    dev = armed_device((ROW,), 1)
    dev.app.ledger.append(codes.RECORD_INTENT, attempt=1, point=1, treatment=TREATMENT, cap_steps=10)
    dev.app.ledger.append(codes.RECORD_ABORTED, attempt=1, point=1, treatment=TREATMENT)
    dev.touch(True)
    dev.trigger()
    assert dev.shots() == []
    assert _refusals(dev) == [codes.REFUSED_DUPLICATE]


def test_press_while_idle_is_told():
    """A press that isn't obeyed is an event also when nothing is armed."""
    dev = Device()
    dev.trigger()
    assert _refusals(dev) == [codes.REFUSED_BAD_STATE]


def test_a_device_without_a_syringe_is_not_healthy():
    """Invariant 2: with the syringe away the device says that it isn't healthy, and it is again once one is in."""
    from sit_firmware import readiness

    dev = armed_device()
    for there in (0, 1):
        dev.pins[image.IN_CARTRIDGE] = there
        dev.run(8)
        assert bool(readiness.bits(dev.app) & codes.READY_HEALTHY) == bool(there)
