"""PRIME: pushes air and then product out of the parked needle, and books what the plunger moved.

Background only. The needle stays behind the nose-piece plane; the tick ends the purge with no pressure stored. The
device counts as primed once enough was pushed since the last change to leave no air in tube and needle. What is pushed
beyond that shows the screw's error (screw.py).
"""

from sit_firmware import codes, dose, image, limits, readiness
from sit_firmware.work import Piece

_FLOW_NL_PER_S = 50000


class Priming(Piece):
    """The work of PRIME for one volume. Its measure is the volume pushed, in nl; NOT_READY while air is left."""

    def __init__(self, volume_nl):
        super().__init__()
        self._volume_nl = volume_nl
        self._steps0 = 0

    def begin(self, dev):
        """Starts; 0 or a refusal."""
        steps = dose.steps_of(self._volume_nl, dev.params)
        if not readiness.can_move(dev) or not dev.inputs[image.IN_CARTRIDGE]:
            return codes.REFUSED_NOT_READY
        refusal = limits.room_refusal(steps, dev.plunger.used_steps(), dev.plunger.capacity_steps)
        if refusal:
            return refusal
        if not dev.booking.ok:
            return codes.REFUSED_STORE
        if not readiness.ledger_room(dev):
            return codes.REFUSED_LEDGER_FULL
        self._steps0 = dev.inputs[image.IN_STEPS]
        dev.screw.begin(self._steps0 + dev.plunger.air_steps(), self._steps0 + steps)
        dev.box.post(codes.REQ_PURGE, steps=steps, flow_q8=dose.flow_q8(_FLOW_NL_PER_S, dev.params), max_steps=steps)
        return 0

    def poll(self, dev):
        """One slice: books the steps once the purge has ended."""
        if not dev.box.ended():
            dev.screw.look(dev.state, dev.inputs)
            return False
        done = dev.box.result() == codes.RESULT_DONE
        if done:
            dev.screw.learn(dev.params)
        booked = self._book(dev, codes.CAUSE_NONE if done else dev.state[image.ST_CAUSE])
        if booked and done and not dev.plunger.air_steps():
            dev.session.primed = True
        else:
            self.result = codes.REFUSED_NOT_READY
        return True

    def broken_off(self, dev):
        """Books what was pushed until then."""
        self._book(dev, dev.state[image.ST_FAULT] or codes.CAUSE_STOP)

    def _book(self, dev, cause):
        steps = dev.inputs[image.IN_STEPS] - self._steps0
        self.measure = steps * dev.params[image.P_STEP_NL_Q10] // 1024
        return dev.booking.after(codes.RECORD_PURGE, cause=cause, steps=steps, asked_nl=self._volume_nl)
