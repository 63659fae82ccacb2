"""The plunger's count: which syringe is fitted, how much of it is pushed, how much air its line still holds; and what
syringe and needle have been used for.

Background only. Counts are microsteps, forward positive. After a reset the hardware's counter starts anew, so both are
taken again from the ledger's records since the last CHANGE of the syringe; a shot that ended unknown counts with its
cap, one that was begun as a use. Where that record has been overwritten the syringe counts as empty and the line as
full of air.
"""

import struct

from sit_firmware import codes, image, params, params_gen, wire
from sit_firmware.store.access import StoreError
from sit_firmware.store.entry import NO_TREATMENT

_ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED, codes.RECORD_PURGE)
# places in a record; a CHANGE holds codes.CHANGE_* in `attempt` and the type of the new syringe in `site`
_KIND = 1
_WHAT = 3
_SYRINGE = 4
_TREATMENT = 6
_STEPS = 10
_CAP = 11
_AIR_SHARE = 105  # percent of the line's volume that must have been pushed before it counts as free of air


class Plunger:
    """Steps used of the syringe that is fitted. `parameters` gives the calibrated volume of a step."""

    def __init__(self, inputs, parameters):
        self._inputs = inputs
        self._params = parameters
        self._base = 0
        self._filled_at = 0  # steps of this syringe at which the line is free of air
        self.syringe_id = 0
        self.capacity_steps = 0
        self.used_on = NO_TREATMENT  # the treatment that this syringe has been used in
        self.needle_points = 0  # shots begun with this needle

    def used_steps(self):
        """Steps since the syringe was fitted."""
        return self._inputs[image.IN_STEPS] - self._base

    def left_steps(self):
        """Steps that are left; 0 when none or unknown."""
        left = self.capacity_steps - self.used_steps()
        return left if left > 0 else 0

    def air_steps(self):
        """Steps that must still be pushed before tube and needle hold no air; 0 for none."""
        air = self._filled_at - self.used_steps()
        return air if air > 0 else 0

    def syringe_changed(self, syringe_id):
        """A full syringe of this type was fitted now, with a needle: tube and needle hold air."""
        self._take(syringe_id, 0, self._line_steps())
        self.used_on = NO_TREATMENT
        self.needle_points = 0

    def needle_changed(self):
        """A needle was fitted now: it holds air."""
        self._filled_at = self.used_steps() + self.air_steps() + self._needle_steps()
        self.needle_points = 0

    def shot_begun(self, treatment):
        """A shot of this treatment is booked: syringe and needle are used from now on, whatever becomes of it."""
        self.used_on = treatment
        self.needle_points += 1

    def recall(self, ledger, calibration):
        """Takes the count from the ledger. The calibrated type is fitted unless a record says otherwise."""
        syringe_id = calibration.syringe_id
        try:
            known = self._recall(ledger, syringe_id)
        except StoreError:
            known = False
        if not known:
            self._take(syringe_id, 0, 0)
            self._base -= self.capacity_steps
            self._filled_at = self.capacity_steps + self._line_steps()

    def _recall(self, ledger, syringe_id):
        record = bytearray(wire.RECORD_LEN)
        known = ledger.tail <= 1
        used = 0
        filled_at = self._line_steps()
        for seq in range(ledger.tail, ledger.head):
            if not ledger.read(seq, record):
                continue
            fields = struct.unpack(wire.RECORD, record)
            kind = fields[_KIND]
            if kind in _ENDS:
                used += fields[_STEPS]
            elif kind == codes.RECORD_UNCERTAIN:
                used += fields[_CAP]
                # what it has pushed at least is unknown, so it may have freed nothing
                filled_at += fields[_CAP]
            elif kind == codes.RECORD_INTENT:
                self.shot_begun(fields[_TREATMENT])
            elif kind == codes.RECORD_CHANGE and fields[_WHAT] == codes.CHANGE_SYRINGE:
                self.used_on = NO_TREATMENT
                self.needle_points = 0
                known = True
                used = 0
                filled_at = self._line_steps()
                syringe_id = fields[_SYRINGE]
            elif kind == codes.RECORD_CHANGE:
                self.needle_points = 0
                filled_at = (filled_at if filled_at > used else used) + self._needle_steps()
        self._take(syringe_id, used, filled_at)
        return known

    def _take(self, syringe_id, used, filled_at):
        self.syringe_id = syringe_id
        self.capacity_steps = params.capacity_steps(syringe_id)
        self._base = self._inputs[image.IN_STEPS] - used
        self._filled_at = filled_at

    def _line_steps(self):
        return self._steps_of(params_gen.TUBE_NL + params_gen.NEEDLE_NL)

    def _needle_steps(self):
        return self._steps_of(params_gen.NEEDLE_NL)

    def _steps_of(self, volume_nl):
        """Steps for this volume of air, with the share on top, rounded up."""
        return volume_nl * _AIR_SHARE * 1024 // (100 * self._params[image.P_STEP_NL_Q10]) + 1
