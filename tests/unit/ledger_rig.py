"""A ledger on a store in memory with the boot of the real firmware, for tests on CPython and MicroPython alike."""

import hashlib
import struct
from binascii import crc32

from sit_firmware import codes, image, opening, params, wire
from sit_firmware.calibration import Calibration
from sit_firmware.ledger import Ledger
from sit_firmware.settings import Settings
from sit_firmware.store.layout import Layout
from sit_firmware.store.superblock import Superblock

TREATMENT = b"TREAT-01"
OTHER = b"TREAT-02"
CAP = 1100
NAMES = (
    "seq",
    "kind",
    "cause",
    "attempt",
    "site",
    "unix_s",
    "treatment",
    "point",
    "depth_um",
    "asked_nl",
    "steps",
    "cap_steps",
    "tissue_min_nl",
    "tissue_max_nl",
    "needle_nl",
    "ref",
    "hash",
    "crc",
)


class Board:
    """A board with a hard timer."""

    name = "test"


class Device:
    """What is there of the firmware while it opens its store."""

    def __init__(self, store):
        self.board = Board()
        self.params = image.new()[3]
        params.defaults(self.params)
        self.settings = Settings(store)
        self.calibration = Calibration(store)
        layout = Layout(store.size)
        self.ledger = Ledger(store, layout, self.params)
        block = Superblock(store, layout)
        self.ok = opening.open_store(self, block)
        self.boot_count = block.boot_count


def intent(ledger, point, attempt=1, treatment=TREATMENT, unix_s=1800000000, site=1):
    """Books INTENT."""
    return ledger.append(
        codes.RECORD_INTENT,
        attempt=attempt,
        site=site,
        unix_s=unix_s,
        treatment=treatment,
        point=point,
        depth_um=1200,
        asked_nl=5000,
        cap_steps=CAP,
    )


def end(
    ledger, ref, point, kind=codes.RECORD_DONE, low=4900, high=5100, treatment=TREATMENT, unix_s=1800000000, site=1
):
    """Books the end of a shot."""
    return ledger.append(
        kind,
        attempt=1,
        site=site,
        unix_s=unix_s,
        treatment=treatment,
        point=point,
        depth_um=1198,
        asked_nl=5000,
        steps=921,
        cap_steps=CAP,
        tissue_min_nl=low,
        tissue_max_nl=high,
        needle_nl=5000,
        ref=ref,
    )


def shot(ledger, point, **more):
    """Books a whole shot; returns (number of INTENT, number of its end)."""
    ref = intent(ledger, point, treatment=more.get("treatment", TREATMENT), unix_s=more.get("unix_s", 1800000000))
    return ref, end(ledger, ref, point, **more)


def acknowledge(ledger, seq):
    """An operator has looked at UNCERTAIN record `seq`."""
    return ledger.append(codes.RECORD_ACK, ref=seq)


def fields(record):
    """A record by the names of the schema."""
    return dict(zip(NAMES, struct.unpack(wire.RECORD, record)))  # noqa: B905 - MicroPython has no strict


def record(ledger, seq):
    """Record `seq` by names, None when it isn't there."""
    buf = bytearray(wire.RECORD_LEN)
    return fields(buf) if ledger.read(seq, buf) else None


def records(ledger):
    """All kept records by names."""
    found = [record(ledger, seq) for seq in range(ledger.tail, ledger.head)]
    return [r for r in found if r is not None]


def chain_faults(ledger):
    """Numbers of the kept records whose CRC or chain doesn't fit, worked out apart from the firmware's own code."""
    faults = []
    before = bytes(64) if ledger.tail == 1 else None
    for seq in range(ledger.tail, ledger.head):
        buf = bytearray(64)
        good = ledger.read(seq, buf) and crc32(bytes(buf[:60])) == int.from_bytes(buf[60:], "little")
        if good and before is not None:
            good = hashlib.sha256(before + bytes(buf[:52])).digest()[:8] == bytes(buf[52:60])
        if not good:
            faults.append(seq)
        before = bytes(buf) if good else None
    return faults
