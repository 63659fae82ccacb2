"""Service mode: settings and calibration are written in it alone. Opened with the service code. Background only.

The code itself never comes here: the host sends a proof made from the code and this session, so a proof heard on the
line opens no other session, and a session is opened once at most. The mode ends by itself, with the session and at a
reset. What was written comes into force at the next start, by the same path as at every start; until then the device
doesn't arm, since limits and calibration that were just replaced must not be worked with.
"""

from sit_firmware import codes, hmac
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.keys import KEY_BYTES, NO_KEY

OPEN_MS = 600000
_LABEL = b"OpenSIT service"


class Service:
    """Whether service mode is open, and whether something written waits for a restart."""

    def __init__(self, dev):
        self._dev = dev
        self._timer = Timer()
        self._used = False  # this session has opened it once
        self.written = False

    def is_open(self):
        """Service mode is open."""
        return self._timer.on

    def hello(self):
        """A session begins: service mode ends."""
        self.close()
        self._used = False

    def close(self):
        """Ends service mode."""
        self._timer.stop()

    def open(self, proof):
        """Opens it; 0, LOCKOUT, BAD_STATE for a second time in a session, NEEDS_OPERATOR without a code, NEEDS_KEY.

        Raises StoreError when the try can't be counted: then nothing was compared.
        """
        dev = self._dev
        access = dev.access
        if access.codes.locked():
            return codes.LIMIT_LOCKOUT
        if self._used or not access.seed:
            return codes.REFUSED_BAD_STATE
        if access.keys.code == NO_KEY:
            return codes.REFUSED_NEEDS_OPERATOR
        if not dev.box.still():
            return codes.REFUSED_BAD_STATE
        # counted and kept before it is looked at: no power cut takes back a guess that was answered
        access.codes.failed()
        access.keep_counts()
        right = hmac.digest(hmac.pads(access.keys.code), _LABEL, access.seed)[:KEY_BYTES]
        if not hmac.same(right, proof):
            return codes.REFUSED_NEEDS_KEY
        access.codes.passed()
        self._used = True
        self._timer.start(dev.now, ticks_of_ms(OPEN_MS, dev.board.tick_us))
        return 0

    def set_code(self, key):
        """Makes `key` the code's key; 0 or a refusal. Raises StoreError: nothing is changed."""
        access = self._dev.access
        if not any(key):
            return codes.REFUSED_BAD_VALUE
        if not access.pressed() or not access.keys.whole:
            return codes.REFUSED_NEEDS_OPERATOR
        access.keys.keep(access.keys.host, key)
        access.use_press()
        access.codes.passed()
        self.close()
        return 0

    def write_refusal(self):
        """Why settings and calibration can't be written now, or 0."""
        if not self.is_open():
            return codes.REFUSED_NEEDS_OPERATOR
        return 0 if self._dev.box.still() else codes.REFUSED_BAD_STATE

    def poll(self):
        """One slice: the mode ends by itself."""
        if self._timer.due(self._dev.now):
            self.close()

    def timers(self):
        """The timer that wakes the firmware when nothing changes."""
        return (self._timer,)
