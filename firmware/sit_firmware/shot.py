"""One shot: INTENT on the store before any motion, the request to the tick, the end record after it.

Background only. A shot is started by `Session` alone, once all its conditions hold; this module sees it through and
books it. The end record counts the steps the hardware emitted, not the steps the control law meant to make.
"""

from sit_firmware import codes, image, interval
from sit_firmware.bore import Bore
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.store.access import StoreError
from sit_firmware.treatment import GIVEN, MISSED

_AFTER_FAULT_MS = 200  # once a fault has cut the drive, until needle and plunger certainly stand
_CHECKPOINT_MS = 10  # how old the checkpoint of a running shot may be


class Shot:
    """The shot under way, or none (`active` False)."""

    def __init__(self, dev):
        self._dev = dev
        self.active = False
        self.cause = 0  # codes.CAUSE_* or fault of the last shot
        self.kind = 0  # codes.RECORD_* of the last shot
        self.high_nl = 0  # the most that the last shot can have given
        self._intent_seq = 0
        self._index = 0
        self._row = (0, 0, 0, 0, 0)
        self._steps0 = 0
        self._bore = Bore()
        self._fault_wait = Timer()
        self._checkpoint = Timer()

    def start(self, index, row, plan):
        """Books INTENT, then asks the tick. STORE or LEDGER_FULL: nothing was asked and nothing moves."""
        dev = self._dev
        point, attempt, site, depth_um, volume_nl = row
        self._steps0 = dev.inputs[image.IN_STEPS]
        refusal = dev.booking.before(
            codes.RECORD_INTENT,
            attempt=attempt,
            site=site,
            point=point,
            depth_um=depth_um,
            asked_nl=volume_nl,
            steps=self._steps0,
            cap_steps=plan.cap_steps,
        )
        if refusal:
            return refusal
        self._intent_seq = dev.booking.seq
        dev.plunger.shot_begun(dev.table.treatment)
        self._index = index
        self._row = row
        self.active = True
        self._bore.begin(dev.now)
        self._fault_wait.stop()
        self._checkpoint.start(dev.now, ticks_of_ms(_CHECKPOINT_MS, dev.board.tick_us))
        dev.recorder.begin(self._intent_seq)
        dev.box.post(
            codes.REQ_SHOT,
            depth_um=depth_um,
            steps=plan.steps,
            volume_nl=dev.screw.asked_nl(volume_nl, dev.state, dev.inputs, dev.params, plan.skin_ticks != 0),
            flow_q8=plan.flow_q8,
            dwell_ticks=plan.dwell_ticks,
            max_steps=plan.cap_steps,
            skin_ticks=plan.skin_ticks,
        )
        return 0

    def poll(self):
        """Follows the shot; True in the poll that booked its end."""
        if not self.active:
            return False
        dev = self._dev
        if self._ended():
            self._book()
            return True
        self._bore.look(dev.now, dev.state, dev.inputs, dev.params)
        dev.screw.watch(dev.state, dev.inputs)
        if self._checkpoint.due(dev.now) and dev.booking.ok:
            self._checkpoint.start(dev.now, ticks_of_ms(_CHECKPOINT_MS, dev.board.tick_us))
            self._save_progress()
        return False

    def steps(self):
        """Net plunger steps of the shot so far, as the hardware counted them."""
        return self._dev.inputs[image.IN_STEPS] - self._steps0

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return (self._fault_wait,)

    def _save_progress(self):
        """The checkpoint only narrows what a power cut leaves unknown, so that without it the shot goes on."""
        dev = self._dev
        try:
            dev.ledger.checkpoint(self.steps(), dev.state[image.ST_PRESS_PA])
        except StoreError:
            dev.booking.ok = False

    def _ended(self):
        dev = self._dev
        if not dev.state[image.ST_FAULT]:
            return dev.box.ended()
        if not self._fault_wait.on:
            self._fault_wait.start(dev.now, ticks_of_ms(_AFTER_FAULT_MS, dev.board.tick_us))
        return self._fault_wait.due(dev.now)

    def _end(self):
        """(kind, cause) of the end record."""
        state = self._dev.state
        given = self.steps() > 0
        if state[image.ST_FAULT]:
            return (codes.RECORD_PARTIAL if given else codes.RECORD_ABORTED), state[image.ST_FAULT]
        result = self._dev.box.result()
        if result == codes.RESULT_DONE:
            return codes.RECORD_DONE, codes.CAUSE_NONE
        given = given or result == codes.RESULT_PARTIAL
        return (codes.RECORD_PARTIAL if given else codes.RECORD_ABORTED), state[image.ST_CAUSE]

    def _book(self):
        """Writes the end record and tells; one that can't be written is owed, and that is the fault STORE."""
        dev = self._dev
        state = dev.state
        point, attempt, site, _, volume_nl = self._row
        steps = self.steps()
        kind, cause = self._end()
        screw_nl = dev.screw.given_nl(state, dev.inputs)
        low_nl, high_nl = interval.tissue(kind, steps, state, dev.params, screw_nl)
        if kind == codes.RECORD_DONE and not interval.narrow(low_nl, high_nl, volume_nl):
            kind = codes.RECORD_PARTIAL  # what nobody can vouch for isn't done
            cause = codes.CAUSE_NONE if interval.in_tissue(state, dev.params) else codes.CAUSE_NO_PUNCTURE
        self.active = False
        self.kind = kind
        self.cause = cause
        self.high_nl = high_nl
        self._fault_wait.stop()
        dev.table.mark(self._index, GIVEN if kind == codes.RECORD_DONE else MISSED)
        written = dev.booking.after(
            kind,
            cause=cause,
            attempt=attempt,
            site=site,
            point=point,
            depth_um=state[image.ST_END_UM],
            asked_nl=volume_nl,
            steps=steps,
            cap_steps=self._bore.area(),
            tissue_min_nl=low_nl,
            tissue_max_nl=high_nl,
            needle_nl=state[image.ST_NEEDLE_NL],
            ref=self._intent_seq,
        )
        dev.recorder.freeze(dev.booking.seq if written else self._intent_seq)
        dev.events.push(codes.EVENT_SHOT, dev.booking.seq if written else 0, kind, point)
