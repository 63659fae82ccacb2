"""Run by test_control_forms.py on real MicroPython: a tape of inputs through control and guard with the heap locked.

    micropython tick_on_micropython.py TAPE      prints the digest of all states and outputs, and the ticks run

The tape is 32-bit little-endian integers: state, outputs, params, then the inputs of each tick.
"""

import sys
from binascii import crc32

from micropython import heap_lock, heap_unlock
from sit_firmware import image
from sit_firmware.control import step
from sit_firmware.guard import check


def read(file, array_of):
    """Fill an array from the file; False at its end."""
    return file.readinto(array_of) == len(array_of) * 4


def main(path):
    state, inputs, outputs, params = image.new()
    digest = 0
    ticks = 0
    with open(path, "rb") as file:
        for part in (state, outputs, params):
            if not read(file, part):
                raise SystemExit("the tape is too short")
        while read(file, inputs):
            heap_lock()
            try:
                if not inputs[image.IN_TICK] & 1:
                    step(state, inputs, outputs, params)
                check(state, inputs, outputs, params)
            finally:
                heap_unlock()
            state[image.ST_BEAT] += 1
            digest = crc32(outputs, crc32(state, digest))
            ticks += 1
    print(digest, ticks)


main(sys.argv[1])
