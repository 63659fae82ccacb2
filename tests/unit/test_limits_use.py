"""What product, syringe and needle may still be used for: expiry, one treatment each, a needle's points."""

import pytest
from appkit import TREATMENT, Device, armed_device
from sit_firmware import codes, limits, params_gen
from sit_firmware.store.entry import NO_TREATMENT

ROWS = tuple((n, 1, 1, 1200, 10000) for n in range(1, 4))
OTHER = b"OTHER\0\0\1"
NOW_S = 1_800_000_000


class _Table:
    treatment = TREATMENT
    expiry_s = NOW_S + 1


class _Plunger:
    used_on = NO_TREATMENT
    needle_points = 0


@pytest.mark.parametrize(
    ("now_s", "used_on", "points", "limit"),
    [
        (NOW_S, NO_TREATMENT, 0, 0),
        (0, TREATMENT, 99, 0),
        (NOW_S + 1, TREATMENT, 0, codes.LIMIT_EXPIRED),
        (NOW_S, OTHER, 0, codes.LIMIT_REUSE),
        (NOW_S, TREATMENT, 100, codes.LIMIT_NEEDLE),
    ],
)
def test_use_limit(now_s, used_on, points, limit):
    """Limits: the last second and the last point are given, one more isn't; one syringe is for one treatment."""
    plunger = _Plunger()
    plunger.used_on, plunger.needle_points = used_on, points
    assert limits.use_limit(now_s, _Table, plunger, 100) == limit


def test_an_expired_product_is_refused_when_loaded_armed_and_pressed():
    """Limits: the device's own clock refuses a product from its expiry on, at each of the three ways in."""
    dev = Device()
    dev.prepare()
    now_s = dev.app.wall.unix_s
    assert dev.load(ROWS, expiry_s=now_s) == codes.LIMIT_EXPIRED
    assert dev.load(ROWS, expiry_s=now_s + 2) == 0
    assert dev.arm(count=3) == 0
    dev.run_ms(1500)
    assert dev.renew() == 0
    dev.run_ms(1000)
    dev.touch(True)
    dev.trigger()
    assert dev.events(codes.EVENT_TRIGGER)[-1][0] == codes.LIMIT_EXPIRED
    assert not dev.shots()
    dev.ask(codes.MSG_DISARM)
    assert dev.arm(count=3) == codes.LIMIT_EXPIRED


def test_a_syringe_belongs_to_one_treatment_over_a_reset_too():
    """Limits: after one shot another treatment isn't armed before syringe and needle are changed, reset or not."""
    dev = armed_device(ROWS, 3)
    dev.shoot()
    dev.ask(codes.MSG_DISARM)
    assert dev.load(ROWS, treatment=OTHER) == 0
    assert dev.arm() == codes.LIMIT_REUSE
    dev = Device(dev.store)
    dev.prepare()
    assert dev.load(ROWS, treatment=OTHER) == 0
    assert dev.arm() == codes.LIMIT_REUSE
    change = bytes([codes.CHANGE_NEEDLE, 0])
    assert dev.ask(codes.MSG_CHANGE, change + b"\0").result == 0
    assert dev.ask(codes.MSG_CHANGE, change + b"\1").result == 0
    dev.run(4)
    dev.prepare()
    assert dev.arm() == codes.LIMIT_REUSE, "a new needle on a used syringe isn't enough"
    change = bytes([codes.CHANGE_SYRINGE, 1])
    assert dev.ask(codes.MSG_CHANGE, change + b"\0").result == 0
    dev.syringe_out_and_in()
    assert dev.ask(codes.MSG_CHANGE, change + b"\1").result == 0
    dev.run(4)
    dev.prepare()
    assert dev.arm() == 0


def test_the_same_treatment_goes_on_with_its_syringe():
    """Limits: a resumed treatment keeps its syringe: only another treatment is refused."""
    dev = armed_device(ROWS, 3)
    dev.shoot()
    dev.ask(codes.MSG_DISARM)
    assert dev.load(ROWS[1:]) == 0
    assert dev.arm() == 0


def test_a_needle_is_used_for_so_many_points_and_no_more(monkeypatch):
    """Limits: every shot begun counts, whatever became of it; a reset keeps the count, a change ends it."""
    monkeypatch.setattr(params_gen, "NEEDLE_POINTS", 2)
    dev = armed_device(ROWS, 3)
    dev.shoot()
    dev.player.results = [(codes.RESULT_ABORTED, codes.CAUSE_NO_PUNCTURE)]
    dev.shoot()
    assert dev.arm(cursor=2) == codes.LIMIT_NEEDLE
    dev = Device(dev.store)
    dev.prepare()
    assert dev.load(ROWS[2:]) == 0
    assert dev.arm() == codes.LIMIT_NEEDLE
    change = bytes([codes.CHANGE_NEEDLE, 0])
    assert dev.ask(codes.MSG_CHANGE, change + b"\0").result == 0
    assert dev.ask(codes.MSG_CHANGE, change + b"\1").result == 0
    dev.run(4)
    dev.prepare()
    assert dev.arm() == 0
