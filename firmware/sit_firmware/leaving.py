"""UPDATE: the way from the running firmware to MicroPython's prompt, where the host can put new files on the board.

Background only. Nothing may move, hold anything or be armed. The reply goes out first; then `poll` raises SystemExit,
which ends board.run() with everything off, and main.py resets the board into the prompt, once.
"""

from sit_firmware import codes, image, readiness
from sit_firmware.clock import Timer, ticks_of_ms

_REPLY_MS = 100  # for the reply to reach the host


class Leaving:
    """Whether the firmware is about to end."""

    def __init__(self, dev):
        self._dev = dev
        self._timer = Timer()

    def begin(self):
        """Starts; 0 or a refusal. Files are written afterwards: not with the needle out or touching somebody."""
        dev = self._dev
        if not dev.board.updates:
            return codes.REFUSED_HARDWARE
        if not dev.box.still() or dev.inputs[image.IN_ENC_UM] > dev.params[image.P_HOME_UM]:
            return codes.REFUSED_BAD_STATE
        if readiness.touched(dev):
            return codes.REFUSED_STILL_CONTACT
        dev.session.disarm()
        self._timer.start(dev.now, ticks_of_ms(_REPLY_MS, dev.board.tick_us))
        return 0

    def poll(self):
        """One slice; SystemExit once the reply is out. What has begun since is not cut off: then nothing ends."""
        dev = self._dev
        if not self._timer.due(dev.now):
            return
        self._timer.stop()
        if dev.session.state in (codes.STATE_IDLE, codes.STATE_FAULT) and dev.box.still():
            raise SystemExit

    def timers(self):
        """The timer that wakes the firmware when nothing changes."""
        return (self._timer,)
