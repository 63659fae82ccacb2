"""Light and tone patterns of the panel, after IEC 60601-1-8 where it speaks of alarms. One table for every board.

A light is a colour and 32 slots of 256 ticks (64 ms at 250 us), repeated: 2.05 s. A tone is 32 slots of 320 ticks
(80 ms), played once from the moment its code appears. Bit 0 of a pattern is the first slot.

High alarms flash red at 1.95 Hz (1.4-2.8) and sound 5 + 5 pulses; medium ones flash yellow at 0.49 Hz (0.4-0.8) and
sound 3; low ones show yellow steadily and sound 1. Red, yellow and those tones mean alarms only: work is green.
"""

from array import array

from sit_firmware import codes

LIGHT_SLOT_BITS = 8  # a slot is 2^8 ticks
TONE_SLOT_TICKS = 320
SLOTS = 32
LIGHT_CODES = 16  # room of the table, a power of two: any code is safe to look up
TONE_CODES = 8

_RED, _YELLOW, _CYAN, _GREEN = 1, 2, 4, 8  # bits of the panel chain's output, in its order

# code -> colour, pattern
LIGHTS = {
    codes.LIGHT_READY: (_GREEN, 0xFFFFFFFF),
    codes.LIGHT_CONTACT: (_GREEN | _CYAN, 0xFFFFFFFF),
    codes.LIGHT_INJECT: (_CYAN, 0x33333333),
    codes.LIGHT_LIFT: (_GREEN, 0x0F0F0F0F),
    codes.LIGHT_CHANGE_NEEDLE: (_CYAN, 0x00000005),
    codes.LIGHT_CHANGE_SYRINGE: (_CYAN, 0x00000015),
    codes.LIGHT_ZERO: (_CYAN, 0x00000055),
    codes.LIGHT_BUSY: (_CYAN, 0x00010001),
    codes.LIGHT_HOP: (_GREEN, 0x55555555),
    codes.LIGHT_GLIDE: (_GREEN | _CYAN, 0x33333333),
    codes.LIGHT_ALARM_LOW: (_YELLOW, 0xFFFFFFFF),
    codes.LIGHT_ALARM_MEDIUM: (_YELLOW, 0x0000FFFF),
    codes.LIGHT_ALARM_HIGH: (_RED, 0x0F0F0F0F),
}

# code -> pattern
TONES = {
    codes.TONE_CONTACT: 0b1,
    codes.TONE_DONE: 0b111,
    codes.TONE_MISSED: 0b101,
    codes.TONE_ALARM_LOW: 0b11,
    codes.TONE_ALARM_MEDIUM: 0b1100110011,
    codes.TONE_ALARM_HIGH: 0b10101010100000101010101,
}


def light_table():
    """array('i'): colour and pattern of each code one after the other, dark for a code that isn't known."""
    table = array("i", [0] * (2 * LIGHT_CODES))
    for code, (colour, pattern) in LIGHTS.items():
        table[2 * code] = colour
        table[2 * code + 1] = _signed(pattern)
    return table


def tone_table():
    """array('i'): the pattern of each code, silent for a code that isn't known."""
    table = array("i", [0] * TONE_CODES)
    for code, pattern in TONES.items():
        table[code] = _signed(pattern)
    return table


def _signed(pattern):
    """The same 32 bits as a signed number."""
    return pattern - (1 << 32) if pattern >> 31 else pattern
