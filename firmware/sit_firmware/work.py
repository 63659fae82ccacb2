"""Long work: accepted at once, ended by a WORK event. One piece at a time; `Runner` holds it.

Background only. Work that a STOP or a fault ends is reported only when nothing moves any more, so that a piece which
moved the plunger can book it.
"""

from sit_firmware import codes, image


class Piece:
    """One kind of long work. `poll` leaves the end in `result` (0, a refusal or a fault) and `measure`."""

    light = codes.LIGHT_BUSY

    def __init__(self):
        self.result = 0
        self.measure = 0

    def begin(self, dev):
        """Starts; 0 or a refusal, and then nothing has happened."""
        raise NotImplementedError

    def poll(self, dev):
        """One slice; True when it has ended."""
        raise NotImplementedError

    def broken_off(self, dev):
        """A STOP or a fault has ended it, and everything stands."""

    def fault_measure(self, dev):
        """What the WORK event tells beside a fault: what the fault saw."""
        return dev.state[image.ST_FAULT_VALUE]

    def waits(self, dev):
        """True while nothing but its timers or the outside world can bring it on."""
        return False

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return ()


class Runner:
    """Runs the piece of work under way, `current`; None for none."""

    def __init__(self, dev):
        self._dev = dev
        self._broken = 0  # why the work is to end early: a fault or REFUSED_NOT_READY after STOP
        self.current = None
        self.message = 0

    def begin(self, message, piece):
        """Starts a piece of work for a message; 0 or its refusal."""
        refusal = piece.begin(self._dev)
        if refusal:
            return refusal
        self.current = piece
        self.message = message
        self._broken = 0
        self._dev.alarms.settle()
        self._dev.session.busy(True)
        return 0

    def poll(self):
        """One slice."""
        dev = self._dev
        piece = self.current
        if piece is None:
            return
        if not self._broken:
            if piece.poll(dev):
                self._end(piece.result, piece.measure)
        elif dev.box.still():
            piece.broken_off(dev)
            stopped = self._broken == codes.REFUSED_NOT_READY
            self._end(self._broken, codes.CAUSE_STOP if stopped else piece.fault_measure(dev))

    def stop(self):
        """STOP: ends the work; what moves has been told by ST_STOP."""
        if self.current is not None and not self._broken:
            self._broken = codes.REFUSED_NOT_READY

    def fault(self, fault):
        """A fault has latched: it ends the work, also one that a STOP was ending."""
        if self.current is not None:
            self._broken = fault

    def busy(self):
        """True while the work itself has something to do."""
        return self.current is not None and (self._broken != 0 or not self.current.waits(self._dev))

    def light(self):
        """What the panel shows while work is under way."""
        return self.current.light if self.current is not None else codes.LIGHT_OFF

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return self.current.timers() if self.current is not None else ()

    def _end(self, result, measure):
        self.current = None
        self._dev.events.push(codes.EVENT_WORK, self.message, result, measure)
        self._dev.session.busy(False)
