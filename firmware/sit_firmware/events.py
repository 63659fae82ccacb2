"""The last events, kept so that a host that lost one can read it again.

Each is laid out as the payload of EVENT (wire.FMT_EVENT, 21 bytes) in one buffer made at boot; the oldest gives way.
Numbers begin at 1 with each boot. Background only.
"""

import struct

from sit_firmware import image, wire

KEPT = 64
_MASK = 0xFFFFFFFF


class Events:
    """Events `tail` to `head - 1`. `dev.inputs` is the input image, whose tick stamps each event."""

    def __init__(self, dev, kept=KEPT):
        self._inputs = dev.inputs
        self._kept = kept
        self._ring = bytearray(kept * wire.EVENT_LEN)
        self.head = 1  # number of the next event

    @property
    def tail(self):
        """Oldest event kept."""
        return self.head - self._kept if self.head > self._kept else 1

    def push(self, kind, a=0, b=0, c=0):
        """Keep an event of `kind` (codes.EVENT_*); what `a`, `b`, `c` mean the schema says."""
        at = self.head % self._kept * wire.EVENT_LEN
        struct.pack_into(
            wire.FMT_EVENT,
            self._ring,
            at,
            self.head,
            self._inputs[image.IN_TICK],
            kind,
            a & _MASK,
            _signed(b),
            _signed(c),
        )
        self.head += 1

    def read(self, seq, buf):
        """Copy event `seq` into `buf` (21 bytes); False when it isn't kept any more or hasn't happened."""
        if not self.tail <= seq < self.head:
            return False
        at = seq % self._kept * wire.EVENT_LEN
        buf[:] = memoryview(self._ring)[at : at + wire.EVENT_LEN]
        return True


def _signed(value):
    """A measure cut to 32 bits, sign kept."""
    return -0x80000000 if value < -0x80000000 else 0x7FFFFFFF if value > 0x7FFFFFFF else value
