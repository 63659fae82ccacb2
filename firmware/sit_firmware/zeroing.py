"""ZERO: the tip is touched off at the light gate of the zero tool, at the nose-piece plane.

Background only. The light asks for the tool; after a pause for fitting it the needle advances slowly until the gate
breaks. Without a gate it tries again a few times. The needle doesn't move while anything touches the nose-piece.
"""

from sit_firmware import codes, image, readiness
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.work import Piece

_FIT_MS = 4000  # for fitting the tool, before each try
_TRIES = 5


def offset_um(state, params):
    """How far the gate broke from where a well adjusted nose-piece would have it."""
    return state[image.ST_GATE_UM] - params[image.P_ZERO_NOM_UM]


def take_zero(state, params):
    """Takes the gate's place as the zero when it lies in the window, or leaves the device unzeroed; 0 or WRONG_ZERO."""
    offset = offset_um(state, params)
    window = params[image.P_ZERO_WINDOW_UM]
    if offset > window or offset < -window:
        state[image.ST_ZEROED] = 0
        return codes.REFUSED_WRONG_ZERO
    state[image.ST_ZERO_UM] = state[image.ST_GATE_UM]
    state[image.ST_ZEROED] = 1
    return 0


class Zeroing(Piece):
    """The work of ZERO. Its measure is the offset from nominal in um, or CAUSE_* when the gate wasn't met."""

    light = codes.LIGHT_ZERO

    def __init__(self):
        super().__init__()
        self._fit = Timer()
        self._moving = False
        self._tries = 0

    def begin(self, dev):
        """Starts; the old zero is lost at once."""
        if not dev.session.tested or not readiness.can_move(dev):
            return codes.REFUSED_NOT_READY
        if readiness.touched(dev):
            return codes.REFUSED_STILL_CONTACT
        dev.session.lose_zero()
        self._tries = 0
        self._moving = False
        self._wait(dev)
        return 0

    def poll(self, dev):
        """One slice: waits for the tool, then for the gate."""
        if not self._moving:
            if readiness.touched(dev):
                self._wait(dev)
            elif self._fit.due(dev.now):
                self._fit.stop()
                self._moving = True
                self._tries += 1
                dev.box.post(codes.REQ_ZERO)
            return False
        if readiness.touched(dev):
            dev.session.halt()
        if not dev.box.ended():
            return False
        self._moving = False
        if dev.box.result() == codes.RESULT_DONE:
            self.result = take_zero(dev.state, dev.params)
            self.measure = dev.session.zero_offset_um = offset_um(dev.state, dev.params)
            return True
        self._wait(dev)
        self.result = codes.REFUSED_NOT_READY
        self.measure = dev.state[image.ST_CAUSE]
        return self._tries >= _TRIES

    def waits(self, dev):
        """It waits for the tool, with nothing in touch."""
        return not self._moving and not readiness.touched(dev)

    def timers(self):
        """The wait for the tool."""
        return (self._fit,)

    def _wait(self, dev):
        self._fit.start(dev.now, ticks_of_ms(_FIT_MS, dev.board.tick_us))
