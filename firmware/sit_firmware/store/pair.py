"""A small record kept twice: a write goes to the older copy, so a torn write leaves the newer one whole.

Slot, 64 bytes, little-endian: tag u16, version u8, length u8, seq u32, payload (48 bytes, zero-padded),
crc32 u32 of the 56 bytes before, spare u32 (zero). The valid slot with the newer seq (serial arithmetic mod 2^32)
is in force. Background only. Writes are proved by reading back.
"""

import struct
from binascii import crc32

from .access import StoreError, is_blank, proved_write, read
from .layout import SLOT_BYTES

PAYLOAD_BYTES = 48
_HEAD = "<HBBI"
_HEAD_BYTES = 8
_LENGTH_AT = 3
_CRC_AT = 56
_MASK = 0xFFFFFFFF

# what load() found
BLANK = 0  # neither copy was ever written
GOOD = 1
DAMAGED = 2  # something is there, but no valid copy


def newer(a_seq: int, b_seq: int) -> bool:
    """True when `a_seq` comes after `b_seq` in a count that wraps at 2^32."""
    return 0 < ((a_seq - b_seq) & _MASK) < 0x80000000


class Pair:
    """The two copies at `addr`. `payload` holds the 48 bytes in force after load(), `seq` their number.

    `grows`: firmware of another time may have used less or more of the payload, and said so by `length`, which then is
    that of the record in force. What a newer one has put behind ours is kept as it is when ours is saved.
    """

    def __init__(self, store, addr: int, tag: int, version: int, length: int, grows: bool = False) -> None:
        if not 0 < length <= PAYLOAD_BYTES:
            raise ValueError("payload of %d bytes" % length)
        self._store = store
        self._addr = addr
        self._tag = tag
        self._version = version
        self._ours = length
        self._grows = grows
        self.length = length
        self._buf = bytearray(SLOT_BYTES)
        self._scratch = bytearray(SLOT_BYTES)
        self._next = 0  # copy the next save goes to
        self.payload = bytearray(PAYLOAD_BYTES)
        self.seq = 0

    def _valid(self) -> bool:
        buf = self._buf
        tag, version, length, _seq = struct.unpack_from(_HEAD, buf, 0)
        if tag != self._tag or version != self._version:
            return False
        if length != self._ours and not (self._grows and 0 < length <= PAYLOAD_BYTES):
            return False
        return crc32(memoryview(buf)[:_CRC_AT]) & _MASK == struct.unpack_from("<I", buf, _CRC_AT)[0]

    def load(self) -> int:
        """Read both copies; returns BLANK, GOOD or DAMAGED. Raises StoreError when the store can't be read."""
        found = False
        blank = 0
        for copy in (0, 1):
            read(self._store, self._addr + copy * SLOT_BYTES, self._buf)
            if self._valid():
                seq = struct.unpack_from("<I", self._buf, 4)[0]
                if not found or newer(seq, self.seq):
                    self.seq = seq
                    self.length = self._buf[_LENGTH_AT]
                    self.payload[:] = memoryview(self._buf)[_HEAD_BYTES:_CRC_AT]
                    self._next = 1 - copy
                found = True
            elif is_blank(self._buf):
                blank += 1
        if found:
            return GOOD
        self.seq = 0
        self._next = 0
        return BLANK if blank == 2 else DAMAGED

    def save(self) -> None:
        """Write `payload` over the older copy. Raises StoreError; the copy in force is then still the old one."""
        buf = self._buf
        seq = (self.seq + 1) & _MASK
        if self.length < self._ours:
            self.length = self._ours
        struct.pack_into(_HEAD, buf, 0, self._tag, self._version, self.length, seq)
        buf[_HEAD_BYTES:_CRC_AT] = self.payload
        struct.pack_into("<II", buf, _CRC_AT, crc32(memoryview(buf)[:_CRC_AT]) & _MASK, 0)
        proved_write(self._store, self._addr + self._next * SLOT_BYTES, buf, self._scratch)
        self.seq = seq
        self._next = 1 - self._next


__all__ = ("BLANK", "DAMAGED", "GOOD", "PAYLOAD_BYTES", "Pair", "StoreError", "newer")
