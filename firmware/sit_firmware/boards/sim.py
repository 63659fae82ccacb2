"""The simulator as a board: the four arrays and two byte streams, exchanged in lockstep.

One file for CPython and MicroPython. An *exchange* stands where pins and buses are on a real board:
the in-process one shares its arrays with the simulator, the other one sends them through a pipe.
`read`, `write` and `off` run in interrupt context and allocate nothing; the store and the link belong to
the background. Lengths in bytes, time in ticks; the store's addresses in bytes from 0.
"""

from array import array
from errno import EIO

from sit_firmware import image

_LINK_BYTES = 512  # what a USB endpoint's buffers hold, each way
STORE_BYTES = 262144
TICK_US = 250


class _Key:
    def __getitem__(self, key):
        return key


_ALL = _Key()[:]  # a slice made once: writing x[:] in interrupt context would allocate one


class Exchange:
    """What a board and its world hand to each other. A subclass gives `begin`, `end` and the store.

    `begin()` waits for the next tick: `inputs` and `rx` are filled, `poll` says whether the background may
    run in this tick, `fail_read` makes `read` raise. `end(idle_until, phase, state)` gives the tick back.
    `store_readinto(addr, buf)` and `store_write(addr, buf)` raise OSError when the store fails.
    """

    def __init__(self):
        self.inputs = array("i", [0] * image.N_INPUTS)
        self.outputs = array("i", [0] * image.N_OUTPUTS)
        self.rx = bytearray(_LINK_BYTES)
        self.rx_len = 0
        self.tx = bytearray(_LINK_BYTES)
        self.tx_len = 0
        self.tx_blocked = 0
        self.poll = 1
        self.fail_read = 0
        self.fed = 0

    def put_rx(self, data):
        """Append received bytes; the caller keeps within `rx_room()`."""
        end = self.rx_len + len(data)
        self.rx[self.rx_len : end] = data
        self.rx_len = end

    def rx_room(self):
        """Bytes that still fit."""
        return _LINK_BYTES - self.rx_len

    def begin(self):
        """Wait for the next tick."""
        raise NotImplementedError

    def end(self, idle_until, phase, state):
        """Give the tick back to the world."""
        raise NotImplementedError

    def store_readinto(self, addr, buf):
        """Fill `buf` from the store."""
        raise NotImplementedError

    def store_write(self, addr, buf):
        """Write `buf` to the store."""
        raise NotImplementedError


class _Store:
    """The FRAM: it lives in the simulator and so survives a power cut of the firmware."""

    size = STORE_BYTES

    def __init__(self, exchange):
        self._exchange = exchange

    def readinto(self, addr, buf):
        """Fill `buf` from `addr` on; OSError outside the store or when the store fails."""
        if addr < 0 or addr + len(buf) > STORE_BYTES:
            raise OSError(EIO)
        self._exchange.store_readinto(addr, buf)

    def write(self, addr, buf):
        """Write `buf` at `addr`; OSError outside the store or when the store fails."""
        if addr < 0 or addr + len(buf) > STORE_BYTES:
            raise OSError(EIO)
        self._exchange.store_write(addr, buf)


class _Link:
    """The host link: bounded buffers both ways, neither call blocks."""

    def __init__(self, exchange):
        self._exchange = exchange

    def readinto(self, buf):
        """Copy received bytes into `buf`; returns how many, 0 for none."""
        ex = self._exchange
        n = ex.rx_len
        if n == 0:
            return 0
        if n > len(buf):
            n = len(buf)
        buf[:n] = ex.rx[:n]
        left = ex.rx_len - n
        if left:
            ex.rx[:left] = ex.rx[n : n + left]
        ex.rx_len = left
        return n

    def write(self, buf):
        """Take bytes to send; returns how many were taken, 0 when the host doesn't read."""
        ex = self._exchange
        if ex.tx_blocked:
            return 0
        n = _LINK_BYTES - ex.tx_len
        if n > len(buf):
            n = len(buf)
        if n:
            ex.tx[ex.tx_len : ex.tx_len + n] = buf[:n]
            ex.tx_len += n
        return n


class SimBoard:
    """The board contract over an exchange."""

    name = "sim"
    uid = b"SIM00001"
    tick_us = TICK_US
    repetitive = 1
    updates = 0
    work = None

    def __init__(self, exchange):
        self._exchange = exchange
        self._in = exchange.inputs
        self._out = exchange.outputs
        self.store = _Store(exchange)
        self.link = _Link(exchange)

    def read(self, inputs):
        """Fill the input image."""
        if self._exchange.fail_read:
            self._exchange.fail_read = 0
            raise RuntimeError("board.read")
        inputs[_ALL] = self._in

    def write(self, outputs):
        """Apply the output image."""
        self._out[_ALL] = outputs

    def off(self):
        """Drive off, plunger stopped, no token: from any context."""
        out = self._out
        out[image.OUT_DUTY] = 0
        out[image.OUT_BRIDGE] = 0
        out[image.OUT_SWITCH] = 0
        out[image.OUT_TOKEN] = 0
        out[image.OUT_STEPS] = 0

    def feed(self):
        """Feed the hardware watchdog."""
        self._exchange.fed = 1

    def cycle(self, app):
        """One tick and, unless withheld, one poll."""
        ex = self._exchange
        ex.begin()
        app.tick()
        if ex.poll:
            app.poll()
        ex.end(app.idle_until(), app.state[image.ST_PHASE], app.state)

    def run(self, app):
        """Cycle for ever."""
        while True:
            self.cycle(app)
