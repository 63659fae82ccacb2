"""Settings and calibration across firmware versions: upgraded, rolled back, cut in between, nothing is lost.

LAYOUT_1 is what the first firmware wrote, byte for byte; it must be readable for ever. LATER stands for a firmware to
come, which has one number more in each record.
"""

import struct
from binascii import crc32

import pytest
from sit_firmware import calibration, settings
from sit_firmware.calibration import Calibration
from sit_firmware.settings import Settings
from sit_firmware.store.layout import CALIBRATION_ADDR, SETTINGS_ADDR, SLOT_BYTES
from sit_firmware.store.values import DAMAGED, STORED, Values
from store_fakes import MemoryStore, PowerCut

# the pair's newer copy as the first firmware wrote it, number 2 of its kind
LAYOUT_1 = {
    SETTINGS_ADDR: "5345011c0200000000000000dc05840350c3000080841e0000093d0040420f00"
    "9600dc05000000000000000000000000000000000000000084ff024200000000",
    CALIBRATION_ADDR: "43410114020000000000000002006712ddfffffff41a0000803bb16a00000000"
    "00000000000000000000000000000000000000000000000048fa563900000000",
}
LIMITS = (1500, 900, 50000, 2000000, 4000000, 1000000, 150, 1500)
MEASURED = (2, 4711, -35, 6900, 1_790_000_000, 0)  # the last is younger than LAYOUT_1
ADDED = ("added_um", 77, 0, 0, 1000)


def at(addr):
    """(a firmware of today's class, its fields, its values in LAYOUT_1, a later firmware's class)."""
    kind, fields, values = {
        SETTINGS_ADDR: (Settings, settings.FIELDS, LIMITS),
        CALIBRATION_ADDR: (Calibration, calibration.FIELDS, MEASURED),
    }[addr]
    module = settings if kind is Settings else calibration

    class Later(Values):
        def __init__(self, store):
            shorter = ((module._FORM, len(fields)), *getattr(module, "_SHORTER", ()))
            form, more = module._FORM + "H", (*fields, ADDED)
            super().__init__(store, addr, module._TAG, module._VERSION, form, more, shorter)

    return kind, fields, values, Later


def used(addr):
    """A store that the first firmware has used."""
    store = MemoryStore()
    store.data[addr + SLOT_BYTES : addr + 2 * SLOT_BYTES] = bytes.fromhex(LAYOUT_1[addr])
    return store


def found(kind, store, fields):
    """What a firmware of this kind has in force: None for damaged."""
    values = kind(store)
    Values.take(values)
    return None if values.source == DAMAGED else tuple(getattr(values, field[0]) for field in fields)


def saved(kind, store, numbers):
    """A firmware of this kind starts and its user sets these."""
    values = kind(store)
    Values.take(values)
    values.save(STORED, numbers)


BOTH = pytest.mark.parametrize("addr", [SETTINGS_ADDR, CALIBRATION_ADDR], ids=["settings", "calibration"])


@BOTH
def test_the_first_layout_is_read_for_ever(addr):
    """Upgrade: what the first firmware wrote is in force under today's, and under one with more numbers."""
    kind, fields, values, later = at(addr)
    assert found(kind, used(addr), fields) == values
    assert found(later, used(addr), (*fields, ADDED)) == (*values, ADDED[1])


@BOTH
def test_after_a_rollback_each_firmware_finds_its_own(addr):
    """Rollback: the firmware before reads its numbers in a longer record; what it saves leaves the rest of it alone."""
    kind, fields, values, later = at(addr)
    store = used(addr)
    saved(later, store, (*values, 500))
    assert found(kind, store, fields) == values
    changed = (values[0], values[1] + 1, *values[2:])
    saved(kind, store, changed)
    assert found(kind, store, fields) == changed
    assert found(later, store, (*fields, ADDED)) == (*changed, 500)


@BOTH
def test_power_lost_in_the_first_save_after_an_upgrade(addr):
    """Upgrade: the save that makes a record longer, cut after any byte, leaves the one before or the new, for both."""
    kind, fields, values, later = at(addr)
    new = (values[0], values[1] + 1, *values[2:])
    seen = set()
    for kept in range(SLOT_BYTES + 1):
        store = used(addr)
        store.cut_at, store.kept = 1, kept
        try:
            saved(later, store, (*new, 500))
        except PowerCut:
            store.power_on()
        now = found(later, store, (*fields, ADDED))
        assert now in ((*values, ADDED[1]), (*new, 500))
        assert found(kind, store, fields) == now[:-1]
        seen.add(now)
    assert len(seen) == 2


@BOTH
def test_a_length_that_nobody_wrote_is_damage(addr):
    """Damage: a record whose length no firmware has, whole as its CRC says, isn't trusted."""
    kind, fields, _, _ = at(addr)
    store = used(addr)
    start = addr + SLOT_BYTES
    record = bytearray(store.data[start : start + SLOT_BYTES])
    record[3] -= 1
    struct.pack_into("<I", record, 56, crc32(record[:56]))
    store.data[start : start + SLOT_BYTES] = record
    assert found(kind, store, fields) is None
