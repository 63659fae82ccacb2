"""A supply near its lower limit: not ready until it has risen well above it, however it is measured."""

import pytest
from appkit import Device, armed_device
from sit_firmware import codes, image

ROWS = tuple((n, 1, 1, 1200, 10000) for n in range(1, 4))


def _healthy(dev):
    return bool(dev.ask(codes.MSG_STATUS).ready & codes.READY_HEALTHY)


@pytest.mark.parametrize("armed", [False, True])
def test_a_supply_near_its_limit_does_not_flicker(armed):
    """Invariant 2: noise about the limit makes the device unready once; it is ready again 0.2 V higher."""
    dev = armed_device(ROWS, 3) if armed else Device()
    if not armed:
        dev.hello()
    low_mv = dev.app.params[image.P_SUPPLY_MIN_MV]
    assert _healthy(dev)
    dev.pins[image.IN_SUPPLY_MV] = low_mv - 1
    dev.run(2)
    for noise_mv in (20, -20, 60, 199):
        dev.pins[image.IN_SUPPLY_MV] = low_mv + noise_mv
        dev.run(2)
        assert not _healthy(dev)
    dev.pins[image.IN_SUPPLY_MV] = low_mv + 200
    dev.run(4)
    assert _healthy(dev)


def test_a_press_under_a_low_supply_starts_nothing():
    """Invariant 2: while the supply is known to be low a press isn't obeyed, though this sample lies in the range."""
    dev = armed_device(ROWS, 3)
    low_mv = dev.app.params[image.P_SUPPLY_MIN_MV]
    dev.pins[image.IN_SUPPLY_MV] = low_mv - 1
    dev.run(2)
    dev.pins[image.IN_SUPPLY_MV] = low_mv + 50
    dev.touch(True)
    dev.trigger()
    dev.run(40)
    assert dev.events(codes.EVENT_TRIGGER)[-1][0] == codes.REFUSED_NOT_READY
    assert not dev.events(codes.EVENT_SHOT)
