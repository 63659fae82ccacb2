"""Writes ledger records and says what a store that fails means: nothing happened before motion, a fault after it.

Background only. A record of something that has happened and couldn't be written is kept and written once the store
works again; until then nothing can be armed. After a power cut the INTENT without an end tells the same.
"""

from sit_firmware import codes
from sit_firmware.ledger import LedgerRefused
from sit_firmware.store.access import StoreError, proved_write
from sit_firmware.store.layout import PROOF_ADDR, PROOF_BYTES


class Booking:
    """The one door to `ledger.append`. `ok` is False from a failed write until `mend` succeeds.

    `ours` says that the store was opened whole at boot; one that wasn't is never written.
    """

    def __init__(self, dev):
        self._dev = dev
        self._proof = (bytes(range(PROOF_BYTES)), bytes(PROOF_BYTES), bytearray(PROOF_BYTES))
        self._owed = []  # (kind, fields) of what has happened and isn't written
        self.ours = False
        self.ok = False
        self.seq = 0  # the last record written

    def before(self, kind, **fields):
        """Writes what is about to happen: 0, or STORE or the ledger's own refusal, and then it must not happen."""
        if not self.ok:
            return codes.REFUSED_STORE
        return self._append(kind, fields)

    def after(self, kind, **fields):
        """Writes what has happened: True. A store that fails is the fault STORE; the record is owed, and False."""
        if not self._owed and not self._append(kind, fields):
            return True
        self._owed.append((kind, fields))
        self.ok = False
        self._dev.faults.report(codes.FAULT_STORE)
        return False

    def note(self, kind, **fields):
        """Writes what is good to know (a fault, its end); a store that fails only stops further arming."""
        if self._append(kind, fields) == codes.REFUSED_STORE:
            self.ok = False

    def unreadable(self):
        """The ledger couldn't be read: STORE, and nothing is armed until the store was proved."""
        self.ok = False
        return codes.REFUSED_STORE

    def mend(self):
        """Proves that the store works and writes what is owed; True when both are done."""
        if not self.ours:
            return False
        ones, zeros, scratch = self._proof
        store = self._dev.board.store
        try:
            proved_write(store, PROOF_ADDR, ones, scratch)
            proved_write(store, PROOF_ADDR, zeros, scratch)
        except StoreError:
            self.ok = False
            return False
        while self._owed:
            kind, fields = self._owed[0]
            if self._append(kind, fields):
                return False
            self._owed.pop(0)
        self.ok = True
        return True

    def _append(self, kind, fields):
        dev = self._dev
        fields.setdefault("unix_s", dev.wall.unix_s)
        fields.setdefault("treatment", dev.table.treatment)
        try:
            self.seq = dev.ledger.append(kind, **fields)
        except LedgerRefused as refused:
            return refused.refusal
        except StoreError:
            self.ok = False
            return codes.REFUSED_STORE
        return 0
