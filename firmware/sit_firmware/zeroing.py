"""ZERO: the tip is touched off at the light gate of the zero tool, at the nose-piece plane.

Background only. The light asks for the tool. A gate without a tool is dark, which reads as broken, so the needle stays
parked until a tool gives light; a moment later, fingers off, it advances slowly until the tip breaks the light. The
needle doesn't move while anything touches the nose-piece.
"""

from sit_firmware import codes, image, readiness
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.work import Piece

_OFF_MS = 1500  # from light in the gate to motion: fingers off
_WAIT_MS = 45000  # for the tool


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
        self._off = Timer()
        self._wait = Timer()
        self._moving = False

    def begin(self, dev):
        """Starts; the old zero is lost at once."""
        if not dev.session.tested or not readiness.can_move(dev):
            return codes.REFUSED_NOT_READY
        if readiness.touched(dev):
            return codes.REFUSED_STILL_CONTACT
        dev.session.lose_zero()
        self._wait.start(dev.now, ticks_of_ms(_WAIT_MS, dev.board.tick_us))
        return 0

    def poll(self, dev):
        """One slice: waits for the tool, then for the tip."""
        return self._follow(dev) if self._moving else self._look_for_tool(dev)

    def waits(self, dev):
        """It waits for the tool or for fingers."""
        return not self._moving

    def timers(self):
        """The two waits."""
        return (self._off, self._wait)

    def _look_for_tool(self, dev):
        if dev.inputs[image.IN_GATE] or readiness.touched(dev):
            self._off.stop()
            self.result = codes.REFUSED_NOT_READY
            self.measure = codes.CAUSE_NO_GATE
            return self._wait.due(dev.now)
        if not self._off.on:
            self._off.start(dev.now, ticks_of_ms(_OFF_MS, dev.board.tick_us))
        elif self._off.due(dev.now):
            self._off.stop()
            self._wait.stop()
            self._moving = True
            dev.box.post(codes.REQ_ZERO)
        return False

    def _follow(self, dev):
        if readiness.touched(dev):
            dev.session.halt()
        if not dev.box.ended():
            return False
        if dev.box.result() == codes.RESULT_DONE:
            self.result = take_zero(dev.state, dev.params)
            self.measure = dev.session.zero_offset_um = offset_um(dev.state, dev.params)
        else:
            self.result = codes.REFUSED_NOT_READY
            self.measure = dev.state[image.ST_CAUSE]
        return True
