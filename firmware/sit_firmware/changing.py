"""CHANGE: the operator changes the needle or the syringe; the light says which until the host says that it is done.

Background only; nothing moves. What the change makes unknown is forgotten when it begins, so that breaking it off is
safe too. A syringe counts as a full one only when the one before was seen to leave: a host's word alone would turn an
empty syringe into a full one. The pusher is set back by hand.
"""

from sit_firmware import codes, image, readiness
from sit_firmware.work import Piece

_LIGHTS = {codes.CHANGE_NEEDLE: codes.LIGHT_CHANGE_NEEDLE, codes.CHANGE_SYRINGE: codes.LIGHT_CHANGE_SYRINGE}


class Changing(Piece):
    """The work of CHANGE: `what` is codes.CHANGE_*, `syringe_id` the new syringe's type, 0 to keep."""

    def __init__(self, what, syringe_id):
        super().__init__()
        self._what = what
        self._syringe_id = syringe_id
        self._done = False
        self._left = what != codes.CHANGE_SYRINGE  # a needle has no sensor
        self.light = _LIGHTS[what]

    def begin(self, dev):
        """Starts; 0 or WRONG_SYRINGE when the type isn't the calibrated one."""
        if not readiness.can_move(dev):
            return codes.REFUSED_NOT_READY
        if not self._syringe_id:
            self._syringe_id = dev.plunger.syringe_id
        if self._syringe_id != dev.calibration.syringe_id:
            return codes.REFUSED_WRONG_SYRINGE
        dev.session.lose_zero()
        dev.session.primed = False
        return 0

    def finish(self, dev, what):
        """The host says that the change is done; 0 or a refusal, and then the change goes on."""
        if what != self._what or self._done:
            return codes.REFUSED_BAD_STATE
        if not self._left or not dev.inputs[image.IN_CARTRIDGE]:
            return codes.REFUSED_NOT_READY
        refusal = dev.booking.before(codes.RECORD_CHANGE, attempt=self._what, site=self._syringe_id)
        if refusal:
            return refusal
        if self._what == codes.CHANGE_SYRINGE:
            dev.plunger.syringe_changed(self._syringe_id)
        else:
            dev.plunger.needle_changed()
        self._done = True
        return 0

    def poll(self, dev):
        """True once the host has said that it is done."""
        if not dev.inputs[image.IN_CARTRIDGE]:
            self._left = True
        return self._done

    def waits(self, dev):
        """It waits for the operator."""
        return not self._done
