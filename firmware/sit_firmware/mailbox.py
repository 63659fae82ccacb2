"""The background's side of the mailbox: posts a request to the tick and sees it end.

Arguments first, then the request, then its number: the tick takes a request when the number changes, so it never sees
half of one. Called from the background only; allocates nothing.
"""

from sit_firmware import codes, image
from sit_firmware.clock import Timer

_SEQ_MASK = (1 << 30) - 1
_STILL_TICKS = 4  # after the tick is at rest, until the hardware's counts have caught up with the last chunk


class Mailbox:
    """Requests through the slots of `state`; one at a time."""

    def __init__(self, state):
        self._state = state
        self._still = Timer()
        self._was_still = False

    def post(self, request, depth_um=0, steps=0, volume_nl=0, flow_q8=0, dwell_ticks=0, max_steps=0, skin_ticks=0):
        """Posts a request (codes.REQ_*). The one before must have been taken: see `taken`."""
        state = self._state
        self._still.stop()
        self._was_still = False
        state[image.ST_ARG_DEPTH_UM] = depth_um
        state[image.ST_ARG_STEPS] = steps
        state[image.ST_ARG_VOLUME_NL] = volume_nl
        state[image.ST_ARG_FLOW_SPT] = flow_q8
        state[image.ST_ARG_DWELL_TICKS] = dwell_ticks
        state[image.ST_ARG_MAX_STEPS] = max_steps
        state[image.ST_ARG_SKIN_TICKS] = skin_ticks
        state[image.ST_REQ] = request
        state[image.ST_REQ_SEQ] = (state[image.ST_REQ_SEQ] + 1) & _SEQ_MASK

    def taken(self):
        """True when the tick has seen the last request."""
        return self._state[image.ST_ACK_SEQ] == self._state[image.ST_REQ_SEQ]

    def result(self):
        """The end of the last request, codes.RESULT_*; RESULT_NONE while it waits or is under way."""
        return self._state[image.ST_RESULT] if self.taken() else codes.RESULT_NONE

    def at_rest(self):
        """True when the tick does nothing: the phase is idle or a fault holds all outputs safe."""
        phase = self._state[image.ST_PHASE]
        return phase == codes.PHASE_FAULT or (phase == codes.PHASE_IDLE and self.taken())

    def still(self):
        """True when the tick is at rest and everything that it moved is counted."""
        return self._was_still

    def ended(self):
        """True when the last request has ended and everything that it moved is counted."""
        return self._was_still and self.result() != codes.RESULT_NONE

    def poll(self, now):
        """Once each poll, before anybody asks."""
        if not self.at_rest():
            self._still.stop()
            self._was_still = False
        elif not self._was_still:
            if not self._still.on:
                self._still.start(now, _STILL_TICKS)
            elif self._still.due(now):
                self._still.stop()
                self._was_still = True

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return (self._still,)
