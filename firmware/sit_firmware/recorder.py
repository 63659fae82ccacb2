"""The flight recorder: images of the last shot, from its request to its end, to be read, plotted and replayed.

`keep` runs in the tick, after the guard: it allocates nothing and writes only `log`. It records while `log[RUN]` is set
and the tick isn't idle: every second tick while the needle moves, every 16th while it stands. The background starts and
freezes a recording and reads it as bytes.

RAM is short on a chip, so an image is kept packed, 12 slots in six words below 2^30:

    0   depth 15 bits, encoder 15          3   plunger force 18, steps of the tick 5, phase 4
    1   contact force 15, tick 15          4   volume past the tip 18, step count's upper 12
    2   pressure 22, fault 7               5   coil duty 14, step count's lower 16

A measure that its bits can't hold, which no sensor of the design gives, is cut to the nearest they can.

The bytes describe themselves (little-endian): magic "OSFR", version u8, slots per image u8, tick_us u16, images u16,
images lost u16 (the oldest, when the ring was full), then per slot of an image u8 array (0 inputs, 1 outputs, 2 state)
and u8 slot number of image.py; then the images, oldest first, each slot an i32. The stride is 4 bytes per slot.
"""

import struct
from array import array

from sit_firmware import codes, image

IMAGES = 768  # a shot of 3 s; at most 12 288 ticks, which 15 bits tell apart

# control words of `log`, before the images
RUN = 0  # 0/1: record
NEXT = 1  # index in `log` of the next image
COUNT = 2  # images in the ring
LOST = 3  # images written over
WAIT = 4  # ticks to the next sample
LAST = 5  # tick: of the newest image
FIRST = 8  # where the images begin
WORDS = 6
END = FIRST + IMAGES * WORDS

_MOVING_TICKS = 2
_STANDING_TICKS = 16

# the most and the least that the bits of a measure hold
_MOST_14 = (1 << 13) - 1
_LEAST_14 = -(1 << 13)
_MOST_15 = (1 << 14) - 1
_LEAST_15 = -(1 << 14)
_MOST_18 = (1 << 17) - 1
_LEAST_18 = -(1 << 17)
_MOST_22 = (1 << 21) - 1
_LEAST_22 = -(1 << 21)
_TICK_BITS = 15
_TICK_MASK = 0x3FFFFFFF

INPUTS = 0
OUTPUTS = 1
STATE = 2
# what an image holds, in the order in which a host reads it
LAYOUT = (
    (INPUTS, image.IN_TICK),
    (STATE, image.ST_PHASE),
    (STATE, image.ST_DEPTH_UM),
    (INPUTS, image.IN_ENC_UM),
    (INPUTS, image.IN_CONTACT_MN),
    (INPUTS, image.IN_LOAD_MN),
    (INPUTS, image.IN_PRESS_PA),
    (INPUTS, image.IN_STEPS),
    (OUTPUTS, image.OUT_DUTY),
    (OUTPUTS, image.OUT_STEPS),
    (STATE, image.ST_NEEDLE_NL),
    (STATE, image.ST_FAULT),
)
SLOTS = 12
_HEAD = "<4sBBHHH"
_HEAD_BYTES = 12
HEADER_BYTES = _HEAD_BYTES + 2 * SLOTS
STRIDE = 4 * SLOTS


def new_log():
    """The ring, empty: one piece of 18 KiB. `range` fills it without a second piece as large."""
    log = array("i", range(END))
    log[RUN] = 0
    log[NEXT] = FIRST
    log[COUNT] = 0
    return log


def keep(state, inputs, outputs, log):
    """One tick: keep an image when it is time for one."""
    phase = state[image.ST_PHASE]
    if log[RUN] == 0 or phase == codes.PHASE_IDLE:
        return
    wait = log[WAIT] - 1
    if wait > 0:
        log[WAIT] = wait
        return
    if phase == codes.PHASE_DISPENSE or phase == codes.PHASE_DWELL or phase == codes.PHASE_FAULT:
        log[WAIT] = _STANDING_TICKS
    else:
        log[WAIT] = _MOVING_TICKS
    at = log[NEXT]
    high = state[image.ST_DEPTH_UM]
    if high > _MOST_15:
        high = _MOST_15
    elif high < _LEAST_15:
        high = _LEAST_15
    low = inputs[image.IN_ENC_UM]
    if low > _MOST_15:
        low = _MOST_15
    elif low < _LEAST_15:
        low = _LEAST_15
    log[at] = (high & 0x7FFF) << 15 | low & 0x7FFF
    high = inputs[image.IN_CONTACT_MN]
    if high > _MOST_15:
        high = _MOST_15
    elif high < _LEAST_15:
        high = _LEAST_15
    tick = inputs[image.IN_TICK]
    log[LAST] = tick
    log[at + 1] = (high & 0x7FFF) << 15 | tick & 0x7FFF
    high = inputs[image.IN_PRESS_PA]
    if high > _MOST_22:
        high = _MOST_22
    elif high < _LEAST_22:
        high = _LEAST_22
    log[at + 2] = (high & 0x3FFFFF) << 7 | state[image.ST_FAULT] & 0x7F
    high = inputs[image.IN_LOAD_MN]
    if high > _MOST_18:
        high = _MOST_18
    elif high < _LEAST_18:
        high = _LEAST_18
    log[at + 3] = (high & 0x3FFFF) << 9 | (outputs[image.OUT_STEPS] & 0x1F) << 4 | phase & 0xF
    high = state[image.ST_NEEDLE_NL]
    if high > _MOST_18:
        high = _MOST_18
    elif high < _LEAST_18:
        high = _LEAST_18
    low = inputs[image.IN_STEPS]
    log[at + 4] = (high & 0x3FFFF) << 12 | (low >> 16) & 0xFFF
    high = outputs[image.OUT_DUTY]
    if high > _MOST_14:
        high = _MOST_14
    elif high < _LEAST_14:
        high = _LEAST_14
    log[at + 5] = (high & 0x3FFF) << 16 | low & 0xFFFF
    at += WORDS
    if at >= END:
        at = FIRST
    log[NEXT] = at
    if log[COUNT] < IMAGES:
        log[COUNT] += 1
    else:
        log[LOST] += 1


class Recorder:
    """A recording, all of it the background's. `seq` is the ledger number it belongs to, 0 for none."""

    stride = STRIDE

    def __init__(self, tick_us, log):
        self._tick_us = tick_us
        self.log = log
        self.seq = 0

    def begin(self, seq):
        """Drop the last recording and start one that belongs to record `seq` (0: none yet)."""
        log = self.log
        log[RUN] = 0
        log[NEXT] = FIRST
        log[COUNT] = 0
        log[LOST] = 0
        log[WAIT] = 0
        self.seq = seq
        log[RUN] = 1

    def freeze(self, seq):
        """Keep what was recorded, as belonging to record `seq`, until the next `begin`."""
        self.log[RUN] = 0
        self.seq = seq

    @property
    def size(self):
        """Bytes to read in all; 0 when nothing was recorded."""
        count = self.log[COUNT]
        return HEADER_BYTES + count * STRIDE if count else 0

    def read(self, offset, buf):
        """Copy bytes from `offset` on into `buf`; returns how many."""
        left = self.size - offset
        n = left if left < len(buf) else len(buf)
        if n <= 0:
            return 0
        done = 0
        while done < n:
            part = self._header() if offset < HEADER_BYTES else self._image((offset - HEADER_BYTES) // STRIDE)
            skip = offset if offset < HEADER_BYTES else (offset - HEADER_BYTES) % STRIDE
            take = len(part) - skip
            if take > n - done:
                take = n - done
            buf[done : done + take] = part[skip : skip + take]
            done += take
            offset += take
        return n

    def _header(self):
        log = self.log
        head = bytearray(HEADER_BYTES)
        struct.pack_into(_HEAD, head, 0, b"OSFR", 1, SLOTS, self._tick_us, log[COUNT], log[LOST] & 0xFFFF)
        for i in range(SLOTS):
            head[_HEAD_BYTES + 2 * i] = LAYOUT[i][0]
            head[_HEAD_BYTES + 2 * i + 1] = LAYOUT[i][1]
        return head

    def _image(self, number):
        """Image `number`, the oldest being 0."""
        log = self.log
        at = FIRST + number * WORDS
        if log[COUNT] == IMAGES:
            at += log[NEXT] - FIRST
            if at >= END:
                at -= IMAGES * WORDS
        last = log[LAST]
        return struct.pack(
            "<12i",
            (last - ((last - log[at + 1]) & ((1 << _TICK_BITS) - 1))) & _TICK_MASK,
            log[at + 3] & 0xF,
            _signed(log[at] >> 15, 15),
            _signed(log[at], 15),
            _signed(log[at + 1] >> _TICK_BITS, 15),
            _signed(log[at + 3] >> 9, 18),
            _signed(log[at + 2] >> 7, 22),
            _signed(log[at + 4], 12) << 16 | log[at + 5] & 0xFFFF,
            _signed(log[at + 5] >> 16, 14),
            _signed(log[at + 3] >> 4, 5),
            _signed(log[at + 4] >> 12, 18),
            log[at + 2] & 0x7F,
        )


def _signed(word, bits):
    """The lowest `bits` of a word as a signed number."""
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value
