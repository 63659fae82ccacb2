"""The last events, kept so that a host that lost one can read it again.

Each is laid out as the payload of EVENT (wire.FMT_EVENT, 21 bytes) in one buffer made at boot; the oldest gives way.
Numbers begin at 1 with each boot. Background only.
"""

import struct

from sit_firmware import image, wire

KEPT = 64
_MASK = 0xFFFFFFFF


class Events:
    """Events `tail` to `head - 1`. `inputs` is the input image, whose tick stamps each event."""

    def __init__(self, inputs, kept=KEPT):
        self._inputs = inputs
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
        """Copy whole events from number `seq` (or the oldest kept) on into `buf`; returns the bytes copied."""
        if seq < self.tail:
            seq = self.tail
        n = 0
        while seq < self.head and n + wire.EVENT_LEN <= len(buf):
            at = seq % self._kept * wire.EVENT_LEN
            buf[n : n + wire.EVENT_LEN] = memoryview(self._ring)[at : at + wire.EVENT_LEN]
            n += wire.EVENT_LEN
            seq += 1
        return n


def _signed(value):
    """A measure cut to 32 bits, sign kept."""
    return -0x80000000 if value < -0x80000000 else 0x7FFFFFFF if value > 0x7FFFFFFF else value
