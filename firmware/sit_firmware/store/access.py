"""Reading and writing the board's store, with every write proved by reading it back.

A store is what a board gives (docs/architecture.md): `.size`, `.readinto(addr, buf)`, `.write(addr, buf)`,
raising OSError. Called from the background only.
"""

from sit_firmware import codes


class StoreError(Exception):
    """The store couldn't be read or written, or read back something else than was written.

    `refusal` is the number that a command gets which needed it (codes.REFUSED_*).
    """

    refusal = codes.REFUSED_STORE


def read(store, addr: int, buf) -> None:
    """Fill `buf` from byte address `addr`. Raises StoreError."""
    try:
        store.readinto(addr, buf)
    except OSError as e:
        raise StoreError("read at %d: %s" % (addr, e))


def proved_write(store, addr: int, buf, scratch) -> None:
    """Write `buf` at byte address `addr` and read it back into `scratch` (same length). Raises StoreError."""
    try:
        store.write(addr, buf)
        store.readinto(addr, scratch)
    except OSError as e:
        raise StoreError("write at %d: %s" % (addr, e))
    if scratch != buf:
        raise StoreError("write at %d: read back differs" % addr)


def is_blank(buf) -> bool:
    """True when every byte is 0xFF, or every byte is 0x00: a part that was never written."""
    view = memoryview(buf)  # compared with itself, one place on: no copies, which would cost the boot a second of GC
    return buf[0] in (0x00, 0xFF) and view[1:] == view[:-1]
