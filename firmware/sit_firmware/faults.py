"""Faults as the background sees them: what the guard has latched is booked, what the background finds is reported.

Background only. The guard latches the first cause and keeps all outputs safe; here it is told to the host, written to
the ledger and, when the operator asks and its cause is gone, cleared through the tick.
"""

from sit_firmware import codes, image, readiness

# Every fault takes trust in the position away, so that a new self-test and zero are needed, but these.
_KEEPS_ZERO = (
    codes.FAULT_OCCLUSION,
    codes.FAULT_ESTOP,
    codes.FAULT_BACKGROUND,
    codes.FAULT_TRIGGER,
    codes.FAULT_STORE,
    codes.FAULT_CONTACT_SENSOR,
    codes.FAULT_VOLUME,
    codes.FAULT_PLUNGER_MOVED,
    codes.FAULT_STEPS_LOST,
    codes.FAULT_REPEATED,
)
# After these the fluid path can't be trusted: prime again.
_LOSES_PRIME = (
    codes.FAULT_OCCLUSION,
    codes.FAULT_VOLUME,
    codes.FAULT_PLUNGER_MOVED,
    codes.FAULT_STEPS_LOST,
)


def cause_remains(dev, fault):
    """True when the background can see that what caused the fault is still there; the guard looks as well."""
    inputs = dev.inputs
    if fault == codes.FAULT_ESTOP:
        return inputs[image.IN_ESTOP] != 0
    if fault == codes.FAULT_DRIVER:
        return inputs[image.IN_DRIVER_FAULT] != 0
    if fault == codes.FAULT_FLAG:
        return inputs[image.IN_FLAG] != 0
    if fault == codes.FAULT_TRIGGER:
        return inputs[image.IN_TRIGGER] != 0
    if fault == codes.FAULT_SUPPLY:
        return not readiness.supply_ok(dev)
    if fault == codes.FAULT_STORE:
        return not dev.booking.mend()
    return False


class Faults:
    """The latched fault and its clearing. `handled` is the fault that has been told and booked, 0 for none."""

    def __init__(self, dev):
        self._dev = dev
        self._clearing = False
        self._found = (0, 0)  # the fault reported last, and its value
        self.handled = 0

    def report(self, fault, value=0):
        """The background has found a fault: the guard latches it in its next tick. `value` is what was seen."""
        state = self._dev.state
        if not state[image.ST_REPORT]:
            state[image.ST_REPORT] = fault
            self._found = (fault, value)

    def clear(self, fault):
        """The operator asks to unlatch `fault`; 0 when the tick was asked (a WORK event tells the end) or a refusal."""
        dev = self._dev
        if fault != dev.state[image.ST_FAULT]:
            return codes.REFUSED_BAD_VALUE
        if self._clearing or not dev.box.at_rest():
            return codes.REFUSED_BAD_STATE
        if cause_remains(dev, fault):
            return codes.REFUSED_CAUSE_REMAINS
        dev.box.post(codes.REQ_CLEAR)
        self._clearing = True
        return 0

    def poll(self):
        """One slice: a new fault is told and booked once the shot under way is booked; a clearing is followed."""
        dev = self._dev
        fault = dev.state[image.ST_FAULT]
        if fault and dev.state[image.ST_REPORT]:
            dev.state[image.ST_REPORT] = 0
        if self._clearing and dev.box.result() != codes.RESULT_NONE:
            self._clearing = False
            self._cleared(fault)
        if not fault or fault == self.handled:
            return
        dev.session.disarm()
        dev.work.fault(fault)
        if dev.shot.active or dev.work.current is not None:
            return
        self._take(fault)

    def _take(self, fault):
        dev = self._dev
        self.handled = fault
        if fault == self._found[0]:
            dev.state[image.ST_FAULT_VALUE] = self._found[1]
        value = dev.state[image.ST_FAULT_VALUE]
        if fault not in _KEEPS_ZERO:
            dev.session.tested = False
            dev.session.lose_zero()
        if fault in _LOSES_PRIME:
            dev.session.primed = False
        dev.screw.forget()
        dev.events.push(codes.EVENT_FAULT, fault, value, 0)
        dev.session.faulted()
        dev.booking.note(codes.RECORD_FAULT, cause=fault, ref=value & 0xFFFFFFFF)

    def _cleared(self, fault):
        """The tick has taken the clearing: the fault is gone, or one is latched still or anew."""
        dev = self._dev
        gone = fault == 0
        if gone:
            dev.booking.note(codes.RECORD_CLEAR, cause=self.handled)
            self.handled = 0
            dev.session.fault_cleared()
        result = 0 if gone else codes.REFUSED_CAUSE_REMAINS
        dev.events.push(codes.EVENT_WORK, codes.MSG_CLEAR_FAULT, result, fault)
