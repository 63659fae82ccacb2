"""One ledger record: how it is packed, and the places of its fields once unpacked. Pure; background only.

Volumes in nl, plunger counts in microsteps, time in seconds since 1970 (0: unknown). A measure beyond its field is cut
to it: booking what has happened never fails by a number.
"""

import struct

from sit_firmware import codes, wire

NO_TREATMENT = bytes(8)
ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED, codes.RECORD_UNCERTAIN)  # of a shot

# places in struct.unpack(wire.RECORD, record)
KIND = 1
ATTEMPT = 3
SITE = 4
UNIX_S = 5
TREATMENT = 6
POINT = 7
DEPTH_UM = 8
ASKED_NL = 9
CAP_STEPS = 11
MIN_NL = 12
MAX_NL = 13
REF = 15

_UNSIGNED = (0, 0xFFFFFFFF)
_SIGNED = (-0x80000000, 0x7FFFFFFF)
_SHORT = (-0x8000, 0x7FFF)


def pack(
    buf,
    kind,
    cause=0,
    attempt=0,
    site=0,
    unix_s=0,
    treatment=NO_TREATMENT,
    point=0,
    depth_um=0,
    asked_nl=0,
    steps=0,
    cap_steps=0,
    tissue_min_nl=0,
    tissue_max_nl=0,
    needle_nl=0,
    ref=0,
):
    """Lay a record into `buf` (64 bytes) but for its number, hash and CRC."""
    struct.pack_into(
        wire.RECORD,
        buf,
        0,
        0,
        kind,
        cause,
        attempt,
        site,
        _cut(unix_s, _UNSIGNED),
        treatment,
        point,
        _cut(depth_um, _SHORT),
        _cut(asked_nl, _UNSIGNED),
        _cut(steps, _SIGNED),
        _cut(cap_steps, _UNSIGNED),
        _cut(tissue_min_nl, _UNSIGNED),
        _cut(tissue_max_nl, _UNSIGNED),
        _cut(needle_nl, _SIGNED),
        ref & 0xFFFFFFFF,
        NO_TREATMENT,
        0,
    )


def _cut(value, limits):
    low, high = limits
    return low if value < low else high if value > high else value
