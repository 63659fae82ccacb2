"""The plunger's count: which syringe is fitted and how much of it is pushed, kept across power cuts by the ledger.

Background only. Counts are microsteps, forward positive. After a reset the hardware's counter starts anew, so the count
is taken again from the records since the last CHANGE of the syringe; a shot that ended unknown counts with its cap.
"""

import struct

from sit_firmware import codes, image, params, wire
from sit_firmware.store.access import StoreError

_ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED, codes.RECORD_PURGE)
# places in a record; a CHANGE holds codes.CHANGE_* in `attempt` and the type of the new syringe in `site`
_KIND = 1
_WHAT = 3
_SYRINGE = 4
_STEPS = 10
_CAP = 11


class Plunger:
    """Steps used of the syringe that is fitted."""

    def __init__(self, inputs):
        self._inputs = inputs
        self._base = 0
        self.syringe_id = 0
        self.capacity_steps = 0

    def used_steps(self):
        """Steps since the syringe was fitted."""
        return self._inputs[image.IN_STEPS] - self._base

    def left_steps(self):
        """Steps that are left; 0 when none or unknown."""
        left = self.capacity_steps - self.used_steps()
        return left if left > 0 else 0

    def fitted(self, syringe_id):
        """A full syringe of this type was fitted now."""
        self._take(syringe_id, 0)

    def recall(self, ledger, syringe_id):
        """Takes the count from the ledger; `syringe_id` is the calibrated type, fitted unless a record says otherwise.

        Where the record of the last change has been overwritten the count is unknown: the syringe counts as empty.
        """
        try:
            self._recall(ledger, syringe_id)
        except StoreError:
            self._take(syringe_id, 0)
            self._base -= self.capacity_steps

    def _recall(self, ledger, syringe_id):
        record = bytearray(wire.RECORD_LEN)
        used = 0
        known = ledger.tail <= 1
        for seq in range(ledger.tail, ledger.head):
            if not ledger.read(seq, record):
                continue
            fields = struct.unpack(wire.RECORD, record)
            kind = fields[_KIND]
            if kind in _ENDS:
                used += fields[_STEPS]
            elif kind == codes.RECORD_UNCERTAIN:
                used += fields[_CAP]
            elif kind == codes.RECORD_CHANGE and fields[_WHAT] == codes.CHANGE_SYRINGE:
                used = 0
                known = True
                syringe_id = fields[_SYRINGE]
        self._take(syringe_id, used)
        if not known:
            self._base -= self.capacity_steps

    def _take(self, syringe_id, used):
        self.syringe_id = syringe_id
        self.capacity_steps = params.capacity_steps(syringe_id)
        self._base = self._inputs[image.IN_STEPS] - used
