"""SELFTEST: the session self-test, one step after the other, each with the fault it stands for.

Background only. The motions are the tick's (image.TEST_*): the needle stays behind the nose-piece plane, and nothing
moves while anything touches the nose-piece. A step that fails latches its fault, so that nothing can be armed.
"""

from sit_firmware import codes, image, params, readiness
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.work import Piece

_LAMP_MS = 300


def _store(dev):
    return dev.booking.mend()


def _params(dev):
    return params.sum_ok(dev.params)


def _trigger(dev):
    return not dev.inputs[image.IN_TRIGGER]


# (check or None, motion or 0, fault); the number of a step, from 1, is the measure of the WORK event when it fails
STEPS = (
    (_store, 0, codes.FAULT_STORE),
    (_params, 0, codes.FAULT_PARAMS),
    (_trigger, 0, codes.FAULT_TRIGGER),
    (None, image.TEST_SENSORS, codes.FAULT_SENSOR),
    (None, image.TEST_CUTOFFS, codes.FAULT_CUTOFF),
    (None, image.TEST_DEADMAN, codes.FAULT_DEADMAN),
    (None, image.TEST_SPRING, codes.FAULT_SPRING),
)


class SelfTest(Piece):
    """The work of SELFTEST. Its measure is the number of the step that failed, 0 for none."""

    def __init__(self):
        super().__init__()
        self._step = 0
        self._posted = False
        self._lamp = Timer()

    def begin(self, dev):
        """Starts; what the last self-test has shown counts no more."""
        if not readiness.can_move(dev):
            return codes.REFUSED_NOT_READY
        if readiness.touched(dev):
            return codes.REFUSED_STILL_CONTACT
        dev.session.tested = False
        dev.panel.play(codes.TONE_CONTACT)
        self._lamp.start(dev.now, ticks_of_ms(_LAMP_MS, dev.board.tick_us))
        return 0

    def poll(self, dev):
        """One slice: at most one step."""
        if not self._lamp.due(dev.now):
            return False
        if readiness.touched(dev):
            return self._touched(dev)
        check, motion, fault = STEPS[self._step]
        if check is not None:
            passed = check(dev)
        elif not self._posted:
            dev.box.post(codes.REQ_TEST, steps=motion)
            self._posted = True
            return False
        elif not dev.box.ended():
            return False
        else:
            passed = dev.box.result() == codes.RESULT_DONE
            fault = dev.state[image.ST_CAUSE] if dev.state[image.ST_CAUSE] >= codes.FAULT_ENVELOPE else fault
        self._posted = False
        self._step += 1
        if not passed:
            dev.faults.report(fault)
            self.result = fault
            self.measure = self._step
            return True
        if self._step < len(STEPS):
            return False
        dev.session.tested = True
        return True

    def fault_measure(self, dev):
        """The step that was under way."""
        return self._step + 1

    def waits(self, dev):
        """The light and the tone are on."""
        return self._lamp.on and not self._lamp.due(dev.now)

    def timers(self):
        """The time to see the light and hear the tone."""
        return (self._lamp,)

    def _touched(self, dev):
        """Somebody touches the nose-piece: end what moves, then give up."""
        if self._posted and not dev.box.ended():
            dev.session.halt()
            return False
        self.result = codes.REFUSED_STILL_CONTACT
        self.measure = self._step + 1
        return True
