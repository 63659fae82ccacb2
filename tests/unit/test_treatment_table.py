"""The point table: pages, seal, the limits at each door (invariants 2, 5)."""

import hashlib
import struct

import pytest
from appkit import TREATMENT, Device, armed_device
from sit_firmware import codes, limits, wire

GOOD = (1, 1, 1, 1200, 10000)


def _device():
    dev = Device()
    dev.prepare()
    return dev


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ((1, 1, 1, 1901, 10000), codes.REFUSED_TOO_DEEP),
        ((1, 1, 1, 1900, 10000), 0),
        ((1, 1, 1, 439, 10000), codes.REFUSED_TOO_SHALLOW),
        ((1, 1, 1, 440, 10000), 0),
        ((1, 1, 1, 1200, 100001), codes.REFUSED_TOO_MUCH),
        ((1, 1, 1, 1200, 100000), 0),
        ((1, 1, 1, 1200, 0), codes.REFUSED_BAD_VALUE),
        ((1, 0, 1, 1200, 10000), codes.REFUSED_BAD_VALUE),
    ],
)
def test_each_row_is_checked_when_loaded(row, refusal):
    """Invariant 2: a row deeper, shallower or larger than allowed is refused by the firmware, to the last unit."""
    dev = _device()
    dev.app.settings.max_depth_um = 1900
    assert dev.load((row,)) == refusal


def test_one_micrometre_over_the_device_limit_is_refused():
    """The highest settable depth is accepted, one micrometre more is refused by the device."""
    dev = _device()
    highest = dev.app.settings.max_depth_um
    assert dev.load(((1, 1, 1, highest + 1, 10000),)) == codes.REFUSED_TOO_DEEP
    assert dev.load(((1, 1, 1, highest, 10000),)) == 0


@pytest.mark.parametrize(
    ("depth_um", "volume_nl", "refusal"),
    [(1900, 1, 0), (1901, 1, codes.REFUSED_TOO_DEEP), (439, 1, codes.REFUSED_TOO_SHALLOW),
     (1900, 100000, 0), (1900, 100001, codes.REFUSED_TOO_MUCH), (1900, 0, codes.REFUSED_BAD_VALUE)],
)  # fmt: skip
def test_row_limits(depth_um, volume_nl, refusal):
    """Invariant 2: the validator of a row, at its bounds."""

    class Settings:
        max_depth_um = 1900
        max_shot_nl = 100000

    assert limits.row_refusal(depth_um, volume_nl, 440, Settings) == refusal


@pytest.mark.parametrize(
    ("session", "window", "site", "limit"),
    [(0, 0, 0, 0), (90, 0, 0, 0), (91, 0, 0, codes.LIMIT_SESSION), (0, 0, 41, codes.LIMIT_SITE),
     (0, 71, 0, codes.LIMIT_WINDOW), (0, 70, 40, 0)],
)  # fmt: skip
def test_dose_limits(session, window, site, limit):
    """Invariant 4: the upper bound of what was given, plus the next dose, stays within each limit."""

    class Settings:
        max_session_nl = 100
        max_site_nl = 50
        max_window_nl = 80

    assert limits.dose_limit(10, session, window, site, Settings) == limit


def test_seal_needs_count_and_hash():
    """A table whose count or hash differs from what was loaded can't be armed."""
    dev = _device()
    begin = struct.pack(wire.FMT_LOAD_BEGIN, TREATMENT, 2, 1, 1, 1000, 50000, 1000, 0xFFFFFFFF)
    rows = struct.pack("<HBBHI", *GOOD) + struct.pack("<HBBHI", 2, 1, 1, 1200, 10000)
    digest = hashlib.sha256(begin + rows).digest()[:8]
    assert dev.ask(codes.MSG_LOAD_BEGIN, begin).result == 0
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 0) + rows[:10]).result == 0

    def seal(count, digest):
        return dev.ask(codes.MSG_LOAD_SEAL, struct.pack(wire.FMT_LOAD_SEAL, count, digest)).result

    assert seal(2, digest) == codes.REFUSED_BAD_SEAL
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 1) + rows[10:]).result == 0
    assert seal(1, digest) == codes.REFUSED_BAD_SEAL
    assert seal(2, bytes(8)) == codes.REFUSED_BAD_SEAL
    assert dev.arm(count=2) == codes.REFUSED_NOT_READY
    assert seal(2, digest) == 0
    assert seal(2, digest) == codes.REFUSED_BAD_STATE
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 0) + rows[:10]).result == codes.REFUSED_BAD_STATE


def test_page_beyond_the_count_is_refused():
    """Rows beyond the table that was begun are refused, and half a row is."""
    dev = _device()
    begin = struct.pack(wire.FMT_LOAD_BEGIN, TREATMENT, 1, 1, 1, 1000, 50000, 1000, 0xFFFFFFFF)
    row = struct.pack("<HBBHI", *GOOD)
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 0) + row).result == codes.REFUSED_BAD_STATE
    assert dev.ask(codes.MSG_LOAD_BEGIN, begin).result == 0
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 1) + row).result == codes.REFUSED_TOO_MANY
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 0) + row[:9]).result == codes.REFUSED_BAD_LENGTH
    assert dev.ask(codes.MSG_LOAD_PAGE, struct.pack("<H", 0)).result == codes.REFUSED_BAD_LENGTH


def test_identity_in_the_ledger_is_refused_at_the_seal():
    """Invariant 5: a table that holds a point already in the ledger is refused; a new attempt at it is not."""
    dev = armed_device((GOOD,), 1)
    dev.shoot()
    assert dev.load((GOOD,)) == codes.REFUSED_DUPLICATE
    assert dev.load(((2, 1, 1, 1200, 10000), GOOD)) == codes.REFUSED_DUPLICATE
    assert dev.load(((1, 2, 1, 1200, 10000),)) == 0
    assert dev.load((GOOD,), treatment=b"ANOTHER1") == 0


def test_identity_survives_a_reset():
    """Invariant 5: after a reset a table with a point that was given is still refused."""
    dev = armed_device((GOOD,), 1)
    dev.shoot()
    again = Device(dev.store)
    again.prepare()
    assert again.load((GOOD,)) == codes.REFUSED_DUPLICATE


def test_identity_twice_in_a_table_is_refused():
    """Invariant 5: the same point and attempt twice in one table."""
    assert _device().load((GOOD, GOOD)) == codes.REFUSED_DUPLICATE


@pytest.mark.parametrize("name", ["max_session_nl", "max_site_nl"])
def test_totals_are_checked_at_the_seal(name):
    """Invariant 4: a table that would pass a session or site limit is refused before anything is given."""
    dev = _device()
    setattr(dev.app.settings, name, 19999)
    assert dev.load((GOOD, (2, 1, 1, 1200, 10000))) == codes.REFUSED_TOO_MUCH
    assert dev.load((GOOD,)) == 0


def test_wrong_syringe_unknown_needle_zero_treatment():
    """A plan for another syringe, an unknown needle or without a treatment id is refused when it begins."""
    dev = _device()
    assert dev.load((GOOD,), syringe=2) == codes.REFUSED_WRONG_SYRINGE
    assert dev.load((GOOD,), needle=99) == codes.REFUSED_BAD_VALUE
    assert dev.load((GOOD,), treatment=bytes(8)) == codes.REFUSED_BAD_VALUE


def test_a_type_that_nobody_weighed_is_for_the_vial():
    """Invariant 4: with a type's own figures in force only a series into a vial is taken, never a treatment."""
    dev = _device()
    dev.app.calibration.syringe_id = 2
    assert dev.load((GOOD,), syringe=2) == codes.REFUSED_WRONG_SYRINGE
    assert dev.load((GOOD,), syringe=2, treatment=b"CALI1234") == 0
    dev.app.calibration.calibrated_unix_s = 1_800_000_000
    assert dev.load((GOOD,), syringe=2) == 0


def test_arming_beyond_the_table_is_refused():
    """ARM takes rows of the table only, and not those that were tried."""
    dev = _device()
    assert dev.load((GOOD, (2, 1, 1, 1200, 10000))) == 0
    assert dev.arm(cursor=2, count=1) == codes.REFUSED_BAD_VALUE
    assert dev.arm(cursor=0, count=3) == codes.REFUSED_BAD_VALUE
    assert dev.arm(cursor=0, count=1) == 0
    dev.shoot()
    assert dev.app.session.state == codes.STATE_IDLE
    assert dev.arm(cursor=0, count=1) == 0
    assert dev.app.session.cursor == 1


def test_arming_counts_rows():
    """Arming for one row gives one row."""
    dev = armed_device((GOOD, (2, 1, 1, 1200, 10000)), 1)
    dev.shoot()
    dev.shoot()
    assert len(dev.shots()) == 1


def test_arming_a_limit_is_refused_before_the_first_press():
    """Invariant 2: limits are looked at when arming too."""
    dev = _device()
    assert dev.load((GOOD,)) == 0
    dev.app.settings.max_window_nl = 9999
    assert dev.arm() == codes.REFUSED_TOO_MUCH
    assert dev.app.session.limit == codes.LIMIT_WINDOW
