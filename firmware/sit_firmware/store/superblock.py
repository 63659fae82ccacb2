"""The superblock: says that the store is ours, which map it has and how often the device has booted.

A blank store is formatted once. The superblock then says FORMATTING until the first contents stand, so that a power
cut in between is finished at the next boot and never taken for damage. A store whose superblocks are both invalid
while anything else is written is DAMAGED: it is never formatted, its ledger is scanned, its settings are refused.
Background only.
"""

import struct

from .access import is_blank, read
from .layout import SUPER_ADDR, VERSION
from .pair import GOOD, Pair

_TAG = 0x5153
_FORM = "<4sHHI"  # magic, version of the map, state, boot count
_MAGIC = b"OSIT"
_FORMATTING = 1
_READY = 2

# what open() found
READY = 0  # ours; boot_count counts this boot
FRESH = 1  # blank, or a format cut short: first contents must be written, then finish_format() called
DAMAGED = 2  # superblocks lost, something else is there
FOREIGN = 3  # a valid superblock of another map: read what can be read, write nothing


class Superblock:
    """The superblock of `store` with `layout`. `boot_count` is from 1; 0 while unknown (DAMAGED, FOREIGN)."""

    def __init__(self, store, layout) -> None:
        self._store = store
        self._layout = layout
        # the slot's own version is that of the pair's form, so that a newer map is FOREIGN and not DAMAGED
        self._pair = Pair(store, SUPER_ADDR, _TAG, 1, struct.calcsize(_FORM))
        self.boot_count = 0

    def open(self) -> int:
        """Read the superblock and count this boot; returns READY, FRESH, DAMAGED or FOREIGN. Raises StoreError."""
        self.boot_count = 0
        if self._pair.load() != GOOD:
            if not self._rest_blank():
                return DAMAGED
            self._save(_FORMATTING, 0)
            return FRESH
        magic, version, state, boots = struct.unpack_from(_FORM, self._pair.payload, 0)
        if magic != _MAGIC or version != VERSION:
            return FOREIGN
        if state == _FORMATTING:
            return FRESH
        self._save(_READY, (boots + 1) & 0xFFFFFFFF)
        return READY

    def finish_format(self) -> None:
        """The first contents stand: from now on the store is ours. Raises StoreError."""
        self._save(_READY, 1)

    def _save(self, state: int, boot_count: int) -> None:
        struct.pack_into(_FORM, self._pair.payload, 0, _MAGIC, VERSION, state, boot_count)
        self._pair.save()
        self.boot_count = boot_count

    def _rest_blank(self) -> bool:
        """True when nothing but the superblock's own two slots was ever written (those may be torn)."""
        buf = bytearray(256)
        first = None
        addr = SUPER_ADDR + 128
        while addr < self._layout.size:
            view = memoryview(buf)[: min(256, self._layout.size - addr)]
            read(self._store, addr, view)
            if not is_blank(view) or (first is not None and view[0] != first):
                return False
            first = view[0]
            addr += len(view)
        return True
