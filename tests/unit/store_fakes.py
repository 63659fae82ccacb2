"""A store in memory with the accidents that a store can have, for tests on CPython and MicroPython alike."""

from sit_firmware.store.layout import RECORD_BYTES, RING_ADDR


class PowerCut(BaseException):
    """Power is gone; not an Exception, so that nothing of the firmware handles it."""


class MemoryStore:
    """`records` slots of ring after the head of the map. `write_number` counts writes from 1.

    cut_at: the write in which power goes, 0 for none; `kept` bytes of it arrive, and with `smear` one more, wrong.
    fail: "read", "write" or "" - which operations raise OSError. flip: writes arrive with one bit wrong.
    """

    def __init__(self, records=32, fill=0xFF):
        self.size = RING_ADDR + records * RECORD_BYTES
        self.data = bytearray(bytes([fill]) * self.size)
        self.write_number = 0
        self.cut_at = 0
        self.kept = 0
        self.smear = False
        self.off = False
        self.fail = ""
        self.flip = False

    def readinto(self, addr, buf):
        """Fill `buf`."""
        if self.off:
            raise PowerCut
        if self.fail == "read":
            raise OSError(5)
        buf[:] = memoryview(self.data)[addr : addr + len(buf)]

    def write(self, addr, buf):
        """Take `buf`, or what arrives of it."""
        if self.off:
            raise PowerCut
        if self.fail == "write":
            raise OSError(5)
        self.write_number += 1
        if self.write_number == self.cut_at:
            self.data[addr : addr + self.kept] = memoryview(buf)[: self.kept]
            if self.smear and self.kept < len(buf):
                self.data[addr + self.kept] ^= 0x5A
            self.off = True
            raise PowerCut
        self.data[addr : addr + len(buf)] = buf
        if self.flip:
            self.data[addr] ^= 1

    def power_on(self):
        """Power is back; no further cut is set."""
        self.off = False
        self.cut_at = 0

    def slot_addr(self, slot):
        """Address of a slot of the ring."""
        return RING_ADDR + slot * RECORD_BYTES
