"""What the device makes of the store it finds at power-up: one that isn't whole is read, not written, never armed."""

import struct

import pytest
from appkit import Device, Store, armed_device
from sit_firmware import codes, wire
from sit_firmware.store import layout

ROWS = ((1, 1, 1, 1200, 10000),)


def _arm(dev):
    """The refusal of arming a device on which everything else was done, 0 when armed."""
    dev.hello()
    dev.set_clock()
    session = dev.app.session
    session.tested = session.primed = True
    dev.zero_tool(True)
    dev.work(codes.MSG_ZERO)
    session.primed = True
    loaded = dev.load(ROWS, treatment=b"ANEWONE1")
    return loaded or dev.arm()


def _used_store():
    """The store of a device that has given a point."""
    dev = armed_device(ROWS, 1)
    dev.shoot()
    return dev.store


def _ruin(store, addr, size=128):
    store.data[addr : addr + size] = bytes(i * 7 & 0xFF for i in range(size))


def test_a_blank_store_is_formatted_once():
    """A store that was never written gets factory settings and counts boots from 1."""
    store = Store()
    assert Device(store).app.boot_count == 1
    assert Device(store).app.boot_count == 2
    assert _arm(Device(store)) == 0


@pytest.mark.parametrize(
    ("addr", "refusal"),
    [
        (layout.SUPER_ADDR, codes.REFUSED_STORE),
        (layout.SETTINGS_ADDR, codes.REFUSED_SETTINGS_BAD),
        (layout.CALIBRATION_ADDR, codes.REFUSED_SETTINGS_BAD),
    ],
)
def test_damage_is_never_armed_nor_formatted(addr, refusal):
    """Invariant 4: a damaged superblock, settings or calibration leaves the ledger readable and refuses arming."""
    store = _used_store()
    _ruin(store, addr)
    before = bytes(store.data[layout.RING_ADDR :])
    dev = Device(store)
    result = _arm(dev)
    # without settings no depth is allowed, so that loading is refused already
    assert result in (refusal, codes.REFUSED_TOO_DEEP)
    assert dev.arm() in (refusal, codes.REFUSED_STORE)
    answer = dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", 1))
    assert (answer.result, len(answer.fields)) == (0, 4 + 3 * wire.RECORD_LEN)
    if addr == layout.SUPER_ADDR:
        assert bytes(store.data[layout.RING_ADDR :]) == before


def test_a_self_test_doesnt_mend_a_store_that_isnt_ours():
    """Invariant 4: a store whose superblock is lost is written by nothing, not by a self-test either."""
    store = _used_store()
    _ruin(store, layout.SUPER_ADDR)
    before = bytes(store.data)
    dev = Device(store)
    dev.hello()
    assert dev.work(codes.MSG_SELFTEST) == (codes.FAULT_STORE, 1)
    assert bytes(store.data) == before


def test_a_store_that_cant_be_read_leaves_a_device_that_answers():
    """A store that fails at boot: the device answers, shows STORE, and arms nothing."""
    store = _used_store()
    store.fail = ("read", "write")
    dev = Device(store)
    assert dev.hello().result == 0
    assert dev.ask(codes.MSG_STATUS).result == 0
    assert not dev.ask(codes.MSG_STATUS).ready & codes.READY_LEDGER
    dev.set_clock()
    assert dev.arm() == codes.REFUSED_STORE
    assert dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", 1)).result in (codes.REFUSED_NO_RECORD, codes.REFUSED_STORE)


def test_a_calibration_of_an_unknown_syringe_counts_as_damaged():
    """A calibration record that names a syringe this firmware doesn't know is refused like a damaged one."""
    dev = Device()
    dev.app.calibration.save(0, [77, 4699, 0, 7007, 0, 0])
    again = Device(dev.store)
    assert not again.ask(codes.MSG_STATUS).ready & codes.READY_SETTINGS
    again.hello()
    assert again.ask(codes.MSG_SETTINGS_READ).fields[0] == 2
