"""The map of the store: which bytes hold what. One table, used by everything that reads or writes it.

    0x0000  superblock     A, B    magic, version, boot count
    0x0080  settings       A, B
    0x0100  calibration    A, B
    0x0180  released mark  A, B    records below it may be overwritten
    0x0200  checkpoint     A, B    progress of the shot under way
    0x0280  keys           A, B    of the paired host and of the service code
    0x0300  attempts       A, B    wrong tries in a row, for the lockouts
    0x0380  reserved
    0x03C0  proof                  scratch: written and read back to show that the store works
    0x0400  ledger ring            64 bytes each, to the end

Every A/B slot is 64 bytes (store/pair.py). A store of any size that holds a ring of 16 records or more works.
"""

VERSION = 1  # of this map; a store with another one is read but never written

SLOT_BYTES = 64
RECORD_BYTES = 64

SUPER_ADDR = 0x0000
SETTINGS_ADDR = 0x0080
CALIBRATION_ADDR = 0x0100
RELEASED_ADDR = 0x0180
CHECKPOINT_ADDR = 0x0200
KEYS_ADDR = 0x0280
ATTEMPTS_ADDR = 0x0300
PROOF_ADDR = 0x03C0
PROOF_BYTES = 64
RING_ADDR = 0x0400

MIN_RECORDS = 16


class Layout:
    """Where the ledger ring lies in a store of `size` bytes. Raises ValueError when it is too small."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.records = (size - RING_ADDR) // RECORD_BYTES
        if self.records < MIN_RECORDS:
            raise ValueError("a store of %d bytes is too small" % size)

    def record_addr(self, seq: int) -> int:
        """Byte address of the slot of record `seq`."""
        return RING_ADDR + (seq % self.records) * RECORD_BYTES
