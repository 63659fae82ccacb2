"""A small App for tests of the lockstep itself: runs under CPython and MicroPython.

It sends back what it receives, each piece behind the number of the poll's tick; a received b"W" also writes eight bytes
to the store, b"R" reads them. Its drive is on while the trigger is pressed. It names an idle tick 1000 ahead.
"""

from sit_firmware import codes, image

_FAR_TICKS = 1000
_SLOT = 64


class App:
    """The contract of docs/architecture.md, and nothing else."""

    def __init__(self, board):
        self.board = board
        self.state, self.inputs, self.outputs, self.params = image.new()
        self._buffer = bytearray(64)
        self._store = bytearray(8)
        self._fed = 0
        self._idle = 0
        board.store.readinto(_SLOT, self._store)
        self.booted_with = bytes(self._store)

    def tick(self):
        """Drive follows the trigger; an exception ends with the board off."""
        try:
            self.board.read(self.inputs)
        except Exception:
            self.board.off()
            self.state[image.ST_FAULT] = codes.FAULT_TICK_EXCEPTION
            return
        on = self.inputs[image.IN_TRIGGER] and not self.state[image.ST_FAULT]
        self.outputs[image.OUT_DUTY] = 100 if on else 0
        self.outputs[image.OUT_BRIDGE] = self.outputs[image.OUT_TOKEN] = 1 if on else 0
        self.outputs[image.OUT_LIGHT] = codes.LIGHT_CONTACT if self.inputs[image.IN_CONTACT] else codes.LIGHT_READY
        self.state[image.ST_PHASE] = codes.PHASE_APPROACH if on else codes.PHASE_IDLE
        self.board.write(self.outputs)

    def poll(self):
        """Echo; feed."""
        self.board.feed()
        now = self.inputs[image.IN_TICK]
        n = self.board.link.readinto(self._buffer)
        self._idle = now if self.state[image.ST_PHASE] else now + _FAR_TICKS
        if not n:
            return
        data = bytes(self._buffer[:n])
        answer = b"%d %s\0" % (now, data[:-1])
        try:
            if data[:1] == b"W":
                self.board.store.write(_SLOT, data[:8])
            elif data[:1] == b"R":
                self.board.store.readinto(_SLOT, self._store)
                answer = bytes(self._store)
        except OSError as exc:
            answer = b"E%d\0" % exc.args[0]
        self.board.link.write(answer)

    def idle_until(self):
        """Far, except while something happens."""
        return self._idle
