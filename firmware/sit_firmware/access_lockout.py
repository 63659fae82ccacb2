"""The brake on guessing: after MOST wrong tries in a row nothing is taken for LOCK_MS, the right one neither.

Two of these stand side by side: for the MACs of frames, and for the service code. After the time one more try is free;
the next wrong one locks again. The counts are kept on the store, so that a reset frees nobody: after it the time begins
anew, since how much had passed isn't known. Background only.
"""

import struct

from sit_firmware.clock import Timer
from sit_firmware.store.layout import ATTEMPTS_ADDR
from sit_firmware.store.pair import DAMAGED, GOOD, Pair

MOST = 10
LOCK_MS = 60000
_TAG = 0x5441
_VERSION = 1
_FORM = "<BB"


class Lockout:
    """Wrong tries in a row, at most MOST, and the time that is left."""

    def __init__(self):
        self.bad = 0
        self.timer = Timer()

    def locked(self):
        """True while nothing is taken."""
        return self.bad >= MOST

    def failed(self):
        """A wrong try."""
        if self.bad < MOST:
            self.bad += 1

    def passed(self):
        """A right try, or somebody at the device: the count begins anew."""
        self.bad = 0
        self.timer.stop()

    def poll(self, now, lock_ticks):
        """Once each poll: the time runs from the first poll that sees it locked."""
        if self.locked():
            if not self.timer.on:
                self.timer.start(now, lock_ticks)
            elif self.timer.due(now):
                self.timer.stop()
                self.bad = MOST - 1


class Attempts:
    """The counts of both lockouts on the store."""

    def __init__(self, store, macs, codes_):
        self._pair = Pair(store, ATTEMPTS_ADDR, _TAG, _VERSION, struct.calcsize(_FORM))
        self._macs = macs
        self._codes = codes_
        self._kept = (0, 0)

    def load(self):
        """Take the counts kept; a damaged record counts as locked. Raises StoreError."""
        found = self._pair.load()
        if found == GOOD:
            self._kept = struct.unpack_from(_FORM, self._pair.payload, 0)
        elif found == DAMAGED:
            self._kept = (MOST, MOST)
        self._macs.bad, self._codes.bad = self._kept

    def changed(self):
        """The counts differ from those kept."""
        return self._kept != (self._macs.bad, self._codes.bad)

    def keep(self):
        """Write the counts. Raises StoreError; it isn't tried again before they change once more."""
        self._kept = (self._macs.bad, self._codes.bad)
        struct.pack_into(_FORM, self._pair.payload, 0, *self._kept)
        self._pair.save()
