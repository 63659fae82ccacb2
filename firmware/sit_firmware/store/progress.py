"""How far the shot under way has come, kept as an A/B record each few milliseconds. Background only."""

import struct

from .layout import CHECKPOINT_ADDR
from .pair import Pair

_TAG = 0x4B43
_FORM = "<Iii"  # number of the INTENT, net steps made, pressure in line in Pa


class Progress:
    """The last checkpoint; `seq` is the INTENT it belongs to, 0 for none."""

    def __init__(self, store):
        self._pair = Pair(store, CHECKPOINT_ADDR, _TAG, 1, struct.calcsize(_FORM))

    def load(self):
        """Read it. Raises StoreError."""
        self._pair.load()

    @property
    def seq(self):
        """Number of the INTENT it belongs to."""
        return struct.unpack_from(_FORM, self._pair.payload, 0)[0]

    def save(self, intent_seq, steps, press_pa):
        """Keep that the shot of `intent_seq` has made `steps` with `press_pa` in line. Raises StoreError."""
        struct.pack_into(_FORM, self._pair.payload, 0, intent_seq, steps, press_pa)
        self._pair.save()

    def of(self, intent_seq):
        """(steps, pressure in Pa) that this shot had certainly reached; zeros when nothing was kept of it."""
        seq, steps, press_pa = struct.unpack_from(_FORM, self._pair.payload, 0)
        return (steps, press_pa) if seq == intent_seq else (0, 0)
