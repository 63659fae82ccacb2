"""Seeded noise as a function of where it is drawn: no state, so skipped ticks change nothing after them.

The mixing constants are odd and below 2^31: a product of one with a 32-bit word stays below 2^63, and compiled
code and the interpreter agree without masks on 64 bits. The rounds follow the xor-shift-multiply form of
Wellons' "hash prospector".
"""

from __future__ import annotations

from sit_sim.plant.jit import kernel

_WORD = 0xFFFFFFFF
# channels of `normal`: each draws its own stream
CH_LOAD = 1
CH_PRESSURE = 2
CH_CONTACT = 3
CH_SUPPLY = 4
CH_TISSUE = 5
CH_COMB = 6
CH_SEATING = 7
CH_JIG = 8
CH_GATE = 9
CH_SITE = 10
CH_UNIT = 40
CH_WORN = 42
CH_CASE = 41  # what an injection of a campaign is


@kernel
def mix(word: int) -> int:
    """A well-mixed 32-bit word from the low 32 bits of `word`."""
    word = word & _WORD
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & _WORD
    word = ((word ^ (word >> 15)) * 0x31848BAB) & _WORD
    word = ((word ^ (word >> 14)) * 0x2C1B3C6D) & _WORD
    return word ^ (word >> 16)


@kernel
def draw(seed: int, number: int, channel: int) -> int:
    """32 random bits for the place (seed, number, channel)."""
    return mix(mix(number + 0x3C6EF372) ^ mix(seed + channel * 0x1B873593))


@kernel
def uniform(seed: int, number: int, channel: int) -> float:
    """Uniform in [-1, 1)."""
    return draw(seed, number, channel) / 2147483648.0 - 1.0


@kernel
def normal(seed: int, number: int, channel: int) -> float:
    """Nearly normal, mean 0, sd 1, never beyond 3.46: the sum of the four bytes of one word.

    Each byte is uniform on 0..255 with variance (256^2 - 1) / 12; four of them have sd 147.8.
    """
    word = draw(seed, number, channel)
    total = (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + (word >> 24)
    return (total - 510.0) / 147.80053
