"""SPI FRAM MB85RS2MT as the store: 262144 bytes, written at bus speed, no erase, no stall.

Background only. A 64-byte record takes about 0.1 ms. Fujitsu DS501-00023: opcodes, 24-bit addresses, write enable for
each write. `spi` is a machine.SPI, `cs` a machine.Pin that is high at rest.
"""

from errno import EIO

SIZE = 262144
_WREN = b"\x06"
_WRITE = 0x02
_READ = 0x03
_RDSR = b"\x05"
_RDID = b"\x9f"
_ENABLED = 0x02  # status: the next write will be taken
_ID = b"\x04\x7f"  # Fujitsu, with its continuation byte


class Fram:
    """The store contract on an FRAM."""

    size = SIZE

    def __init__(self, spi, cs):
        self._spi = spi
        self._cs = cs
        self._head = bytearray(4)
        self._status = bytearray(1)
        cs(1)

    def present(self):
        """True when the chip answers with its maker's identification."""
        found = bytearray(2)
        self._ask(_RDID, found)
        return bytes(found) == _ID

    def readinto(self, addr, buf):
        """Fill `buf` from `addr` on; OSError outside the store."""
        self._check(addr, len(buf))
        self._set_head(_READ, addr)
        self._ask(self._head, buf)

    def write(self, addr, buf):
        """Write `buf` at `addr`; OSError outside the store, or when the chip doesn't take it."""
        self._check(addr, len(buf))
        self._cs(0)
        self._spi.write(_WREN)
        self._cs(1)
        self._ask(_RDSR, self._status)
        if not self._status[0] & _ENABLED or self._status[0] == 0xFF:
            raise OSError(EIO)
        self._set_head(_WRITE, addr)
        self._cs(0)
        self._spi.write(self._head)
        self._spi.write(buf)
        self._cs(1)

    def _check(self, addr, length):
        if addr < 0 or addr + length > SIZE:
            raise OSError(EIO)

    def _set_head(self, opcode, addr):
        head = self._head
        head[0] = opcode
        head[1] = addr >> 16
        head[2] = addr >> 8 & 0xFF
        head[3] = addr & 0xFF

    def _ask(self, command, buf):
        self._cs(0)
        self._spi.write(command)
        self._spi.readinto(buf)
        self._cs(1)
