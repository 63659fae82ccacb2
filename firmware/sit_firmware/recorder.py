"""The flight recorder: images of the last shot, from its request to its end, to be read, plotted and replayed.

`keep` runs in the tick, after the guard: it allocates nothing and writes only `log`. It records while `log[RUN]` is set
and the tick isn't idle: every second tick while the needle moves, every 16th while it stands. The background starts and
freezes a recording and reads it as bytes.

The bytes describe themselves (little-endian): magic "OSFR", version u8, slots per image u8, tick_us u16, images u16,
images lost u16 (the oldest, when the ring was full), then per slot of an image u8 array (0 inputs, 1 outputs, 2 state)
and u8 slot number of image.py; then the images, oldest first, each slot an i32. The stride is 4 bytes per slot.
"""

import struct
from array import array

from sit_firmware import codes, image

IMAGES = 768  # 768 images of 48 bytes hold a shot of 3 s

# control words of `log`, before the images
RUN = 0  # 0/1: record
NEXT = 1  # index in `log` of the next image
COUNT = 2  # images in the ring
LOST = 3  # images written over
WAIT = 4  # ticks to the next sample
FIRST = 8  # where the images begin
SLOTS = 12
END = FIRST + IMAGES * SLOTS

_MOVING_TICKS = 2
_STANDING_TICKS = 16

INPUTS = 0
OUTPUTS = 1
STATE = 2
# what an image holds, in the order in which `keep` writes it
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
_HEAD = "<4sBBHHH"
_HEAD_BYTES = struct.calcsize(_HEAD)
HEADER_BYTES = _HEAD_BYTES + 2 * SLOTS
STRIDE = 4 * SLOTS


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
    log[at] = inputs[image.IN_TICK]
    log[at + 1] = phase
    log[at + 2] = state[image.ST_DEPTH_UM]
    log[at + 3] = inputs[image.IN_ENC_UM]
    log[at + 4] = inputs[image.IN_CONTACT_MN]
    log[at + 5] = inputs[image.IN_LOAD_MN]
    log[at + 6] = inputs[image.IN_PRESS_PA]
    log[at + 7] = inputs[image.IN_STEPS]
    log[at + 8] = outputs[image.OUT_DUTY]
    log[at + 9] = outputs[image.OUT_STEPS]
    log[at + 10] = state[image.ST_NEEDLE_NL]
    log[at + 11] = state[image.ST_FAULT]
    at += SLOTS
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

    def __init__(self, tick_us):
        self._tick_us = tick_us
        self.log = array("i", [0] * END)
        self.log[NEXT] = FIRST
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
        at = FIRST + number * SLOTS
        if log[COUNT] == IMAGES:
            at += log[NEXT] - FIRST
            if at >= END:
                at -= IMAGES * SLOTS
        return struct.pack("<%di" % SLOTS, *log[at : at + SLOTS])
