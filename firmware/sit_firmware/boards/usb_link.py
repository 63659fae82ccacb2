"""The host link on the chip's standard streams: USB CDC on the RP2040, UART 0 behind a USB bridge on the ESP32.

Background only; neither call blocks. A standard stream has no count of what it holds, so bytes go one by one, each
after asking; BYTES_AT_ONCE bounds what one poll spends here.
"""

import select
import sys

BYTES_AT_ONCE = 64


class UsbLink:
    """The link contract on two streams, by default the board's own."""

    def __init__(self, source=None, sink=None):
        self._source = source or sys.stdin.buffer
        self._sink = sink or sys.stdout.buffer
        self._byte = bytearray(1)
        self._in = select.poll()
        self._in.register(sys.stdin if source is None else source, select.POLLIN)
        self._out = select.poll()
        self._out.register(sys.stdout if sink is None else sink, select.POLLOUT)

    def readinto(self, buf):
        """Take received bytes; returns how many, 0 for none."""
        n = 0
        most = min(len(buf), BYTES_AT_ONCE)
        byte = self._byte
        while n < most and self._in.poll(0):
            if not self._source.readinto(byte):
                break
            buf[n] = byte[0]
            n += 1
        return n

    def write(self, buf):
        """Send bytes; returns how many went, 0 when the host doesn't read."""
        n = 0
        most = min(len(buf), BYTES_AT_ONCE)
        byte = self._byte
        while n < most and self._out.poll(0):
            byte[0] = buf[n]
            self._sink.write(byte)
            n += 1
        return n
