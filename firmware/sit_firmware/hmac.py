"""HMAC-SHA256 (RFC 2104) on hashlib, which MicroPython has; it has no hmac module. Background only.

    at = pads(key)              once for a key of at most 64 bytes
    digest(at, b"..", b"..")    32 bytes over the parts, one after the other
    same(a, b)                  compares without telling by its time where they differ

A digest of a frame allocates some 200 bytes; nothing is kept.
"""

import hashlib

_BLOCK_BYTES = 64


def pads(key):
    """The two padded forms of a key. ValueError for one longer than a block."""
    if len(key) > _BLOCK_BYTES:
        raise ValueError("key of %d bytes" % len(key))
    block = bytes(key) + bytes(_BLOCK_BYTES - len(key))
    return bytes([b ^ 0x36 for b in block]), bytes([b ^ 0x5C for b in block])


def digest(at, *parts):
    """HMAC-SHA256 of the parts under the key of `pads`."""
    inner = hashlib.sha256(at[0])
    for part in parts:
        inner.update(part)
    outer = hashlib.sha256(at[1])
    outer.update(inner.digest())
    return outer.digest()


def same(a, b):
    """True when both hold the same bytes. Every byte is looked at, wherever the first difference lies."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0
