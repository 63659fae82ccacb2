"""The ledger's ring: 64-byte records on the store, numbered from 1, each chained to the one before by hash.

Record `seq` lies in slot `seq % records` (store/layout.py). It is whole when its CRC fits and it holds the number its
slot should hold; its hash is the first 8 bytes of SHA-256 over the 64 bytes of the record before it (zeros before the
first) and its own first 52 bytes. Records below the released mark have been saved by a host; only their slots may be
written over. A record that a power cut tore is one that never was: its slot is written again by the next record.

Background only. `find` and `walk` each read all of the ring, once at boot; `append` writes a record and reads it back.
"""

import hashlib
import struct
from binascii import crc32

from sit_firmware import wire

from .access import StoreError, is_blank, proved_write, read
from .layout import RECORD_BYTES, RELEASED_ADDR, RING_ADDR
from .pair import GOOD, Pair

_CHUNK = 16  # records read at once while scanning
_HASH_AT = wire.RECORD_HASHED_LEN
_CRC_AT = wire.RECORD_CRC_AT
_RELEASED_TAG = 0x4C52
_MASK = 0xFFFFFFFF


def _crc_fits(view):
    return crc32(view[:_CRC_AT]) & _MASK == struct.unpack_from("<I", view, _CRC_AT)[0]


def chain_hash(before, record):
    """The 8 bytes that chain `record` (its first 52 bytes count) to the 64 bytes of the record `before` it."""
    sha = hashlib.sha256(before)
    sha.update(memoryview(record)[:_HASH_AT])
    return sha.digest()[:8]


class Ring:
    """The records `tail` to `head - 1`. `buf` is where the next record is put together."""

    def __init__(self, store, layout):
        self._store = store
        self._layout = layout
        self.records = layout.records
        self.buf = bytearray(RECORD_BYTES)
        self._before = bytearray(RECORD_BYTES)  # the record at head - 1
        self._scratch = bytearray(RECORD_BYTES)
        self._chunk = bytearray(_CHUNK * RECORD_BYTES)
        self._loaded = -1  # first slot in the chunk, -1 for none
        self._mark = Pair(store, RELEASED_ADDR, _RELEASED_TAG, 1, 4)
        self.head = 1  # number of the next record
        self.tail = 1  # oldest record kept
        self.released = 1  # records below have been saved by a host
        self.damaged_seq = 0  # newest record that is damaged or not chained, 0 for none
        self.last_unix_s = 0  # clock of the newest record that had one at boot

    # --- boot ----------------------------------------------------------------------------------------

    def find(self):
        """Find head, released mark and last clock; `tail` is the oldest record that may be kept. Raises StoreError."""
        self._loaded = -1
        self._find_head()
        self.damaged_seq = 0
        marked = self._mark.load() == GOOD
        self.released = struct.unpack_from("<I", self._mark.payload, 0)[0] if marked else 1
        if not 1 <= self.released <= self.head:
            self.missed(self.released)  # a host saved records that are gone
            self.released = 1
        self.tail = self.head - self.records if self.head > self.records else 1

    def walk(self, visit):
        """After `find`: prove CRC and chain of what is kept; `visit(seq, view)` for each whole record, oldest first.

        Raises StoreError when the store can't be read. Damage isn't an error here: see `whole`.
        """
        torn_seq = self.head - self.records  # its slot is the next record's: a tear there is no damage
        before_known = self.tail == 1  # record 1 is chained to zeros
        self._before[:] = bytes(RECORD_BYTES)
        kept = 0
        for seq in range(self.tail, self.head):
            view = self._slot(seq % self.records)
            whole = struct.unpack_from("<I", view, 0)[0] == seq and _crc_fits(view)
            if whole:
                kept = kept or seq
                if before_known and view[_HASH_AT:_CRC_AT] != chain_hash(self._before, view):
                    self.damaged_seq = seq
                self._before[:] = view
                visit(seq, view)
            elif seq != torn_seq or seq >= self.released:
                self.damaged_seq = seq
            before_known = whole
        self.tail = kept or self.head
        if self.released < self.tail:
            self.released = self.tail

    def _find_head(self):
        """One past the highest number held by a whole record; the newest clock on the way."""
        newest = 0
        timed = 0
        self.last_unix_s = 0
        for first in range(0, self.records, _CHUNK):
            self._slot(first)
            if is_blank(self._chunk):  # most of a young ring: 0.3 s at boot instead of 3
                continue
            for slot in range(first, min(first + _CHUNK, self.records)):
                view = self._slot(slot)
                seq, unix_s = struct.unpack_from("<I4xI", view, 0)
                if not seq or seq % self.records != slot or not _crc_fits(view):
                    continue
                if seq > newest:
                    newest = seq
                if unix_s and seq > timed:
                    timed = seq
                    self.last_unix_s = unix_s
        self.head = newest + 1

    def _slot(self, slot):
        """A view of a slot, through the chunk last read."""
        first = slot - slot % _CHUNK
        if first != self._loaded:
            n = self.records - first
            if n > _CHUNK:
                n = _CHUNK
            read(self._store, RING_ADDR + first * RECORD_BYTES, memoryview(self._chunk)[: n * RECORD_BYTES])
            self._loaded = first
        at = (slot - first) * RECORD_BYTES
        return memoryview(self._chunk)[at : at + RECORD_BYTES]

    def missed(self, seq):
        """Something else on the store knows record `seq` (head or above): the newest records are lost."""
        self.damaged_seq = seq

    # --- use -----------------------------------------------------------------------------------------

    def whole(self):
        """False while a damaged record waits that no host has passed over by a release."""
        return self.damaged_seq < self.released

    def room(self):
        """Records that may be written before a host must release some."""
        room = self.records - (self.head - self.released)
        return room if room > 0 else 0

    def read(self, seq, buf):
        """Fill `buf` (64 bytes) with record `seq`; False when there is no such whole record. Raises StoreError."""
        if not self.tail <= seq < self.head:
            return False
        read(self._store, self._layout.record_addr(seq), buf)
        return struct.unpack_from("<I", buf, 0)[0] == seq and _crc_fits(memoryview(buf))

    def append(self):
        """Number, chain and write the record in `buf`; returns its number. Raises StoreError: then it never was."""
        buf = self.buf
        seq = self.head
        if not self.room():
            raise StoreError("the slot of record %d holds one that no host has saved" % seq)
        struct.pack_into("<I", buf, 0, seq)
        buf[_HASH_AT:_CRC_AT] = chain_hash(self._before, buf)
        struct.pack_into("<I", buf, _CRC_AT, crc32(memoryview(buf)[:_CRC_AT]) & _MASK)
        proved_write(self._store, self._layout.record_addr(seq), buf, self._scratch)
        self._before[:] = buf
        self.head = seq + 1
        if self.tail <= seq - self.records:
            self.tail = seq - self.records + 1
        return seq

    def release(self, seq):
        """Records below `seq` (tail..head) may be written over from now on. Raises StoreError."""
        if seq > self.released:
            struct.pack_into("<I", self._mark.payload, 0, seq)
            self._mark.save()
            self.released = seq
