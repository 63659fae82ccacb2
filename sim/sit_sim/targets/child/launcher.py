"""Runs the firmware under MicroPython against the simulator at the other end of standard input and output.

    MICROPYPATH=FIRMWARE_DIR micropython launcher.py TICK_LOCKED [APP_MODULE]

Standard output carries frames and nothing else; what the firmware prints would break them, so `print`
goes to standard error. With TICK_LOCKED = 1 the tick runs with the heap locked, as in a hard interrupt.
APP_MODULE names the module whose App runs, the firmware's own when left out.
"""

# mypy: ignore-errors
# (this file runs on MicroPython, whose modules the host's type check doesn't know)

import builtins
import gc
import sys
from array import array

import frames  # the file beside this one: MicroPython looks there first
import micropython
from sit_firmware import image
from sit_firmware.boards import sim

_TO_WORDS = frames.TO_HEAD + image.N_INPUTS
_FROM_WORDS = frames.FROM_HEAD + image.N_OUTPUTS
_stdin = sys.stdin.buffer
_stdout = sys.stdout.buffer


class Key:
    """Gives slices that are made once."""

    def __getitem__(self, key):
        """Return the key itself."""
        return key


_OUTPUTS = Key()[frames.FROM_HEAD :]
_ALL = Key()[:]


def _print_to_stderr(*args, **kwargs):
    text = kwargs.get("sep", " ").join(str(arg) for arg in args) + kwargs.get("end", "\n")
    sys.stderr.write(text)


def _fill(buf, size):
    """Fill `buf` of `size` bytes from standard input; ends the process when the simulator is gone."""
    if _stdin.readinto(buf) != size:
        sys.exit(0)


class PipeExchange(sim.Exchange):
    """The exchange at the far end of a pipe."""

    def __init__(self):
        super().__init__()
        self._to = array("i", [0] * _TO_WORDS)
        self._to_inputs = memoryview(self._to)[frames.TO_HEAD :]
        self._from = array("i", [0] * _FROM_WORDS)
        self._answer = array("i", [0, 0])
        self._rx_view = memoryview(self.rx)
        self._tx_view = memoryview(self.tx)
        self._send_state = 0

    def _head(self, op, word1, word2):
        out = self._from
        flags = frames.FLAG_FED if self.fed else 0
        out[0] = op | flags << 8 | self.rx_room() << 16
        out[1] = word1
        out[2] = word2
        out[_OUTPUTS] = self.outputs

    def begin(self):
        """Read frames until one is a tick."""
        to = self._to
        while True:
            _fill(to, 4 * _TO_WORDS)
            op = to[0] & 0xFF
            if op == frames.OP_TICK:
                break
            if op == frames.OP_QUIT:
                sys.exit(0)
            gc.collect()
            self._head(op, gc.mem_free(), gc.mem_alloc())
            _stdout.write(self._from)
        flags = to[0] >> 8 & 0xFF
        n = to[0] >> 16 & 0xFFFF
        self.inputs[_ALL] = self._to_inputs
        self.poll = flags & frames.FLAG_POLL
        self.fail_read = flags & frames.FLAG_FAIL_READ
        self.tx_blocked = flags & frames.FLAG_TX_BLOCKED
        self._send_state = flags & frames.FLAG_STATE
        if n:
            _fill(self._rx_view[self.rx_len : self.rx_len + n], n)
            self.rx_len += n
        self.fed = 0

    def end(self, idle_until, phase, state):
        """Send outputs, sent bytes and, when asked for, the state."""
        n = self.tx_len
        self._head(frames.OP_TICK, n | phase << 16, idle_until)
        _stdout.write(self._from)
        if n:
            _stdout.write(self._tx_view[:n])
            self.tx_len = 0
        if self._send_state:
            _stdout.write(state)

    def store_readinto(self, addr, buf):
        """Ask the simulator for bytes of the store."""
        self._head(frames.OP_READ, addr, len(buf))
        _stdout.write(self._from)
        self._check()
        _fill(buf, len(buf))

    def store_write(self, addr, buf):
        """Send bytes for the store."""
        self._head(frames.OP_WRITE, addr, len(buf))
        _stdout.write(self._from)
        _stdout.write(buf)
        self._check()

    def _check(self):
        _fill(self._answer, 8)
        if self._answer[0]:
            raise OSError(self._answer[0])

    def booted(self):
        """Say that the firmware stands and waits for its first tick."""
        self._head(frames.OP_BOOTED, 0, 0)
        _stdout.write(self._from)


class LockedTick:
    """An app whose tick runs with the heap locked."""

    def __init__(self, app):
        self._tick = app.tick
        self.poll = app.poll
        self.idle_until = app.idle_until
        self.state = app.state

    def tick(self):
        """Tick as in a hard interrupt: an allocation raises MemoryError."""
        micropython.heap_lock()
        try:
            self._tick()
        finally:
            micropython.heap_unlock()


def main():
    """Boot the firmware and serve ticks until the simulator goes away."""
    builtins.print = _print_to_stderr
    if hasattr(micropython, "alloc_emergency_exception_buf"):  # some builds have a fixed one
        micropython.alloc_emergency_exception_buf(256)
    exchange = PipeExchange()
    board = sim.SimBoard(exchange)
    name = sys.argv[2] if len(sys.argv) > 2 else "sit_firmware.app"
    app = __import__(name, None, None, ("App",)).App(board)
    exchange.booted()
    board.run(LockedTick(app) if sys.argv[1] == "1" else app)


try:
    main()
except Exception as exc:
    sys.print_exception(exc, sys.stderr)  # by itself it would go to standard output, among the frames
    sys.exit(1)
