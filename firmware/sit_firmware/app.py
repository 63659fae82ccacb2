"""The firmware: `tick()` in interrupt context, `poll()` in a plain loop, both on the four arrays of the process image.

    app = App(board)
    board.run(app)        ticks every tick_us, polls for ever

`tick` runs cycle.py: read, control, guard, write, record. It allocates nothing, and an exception in it ends
with the drive off and a latched fault. `poll` is a cyclic executive: a slice of each part, none of which waits. The
parts find each other here, as attributes of the app; they call it `dev`.
"""

import sys

from sit_firmware import codes, image, opening, params
from sit_firmware.access import Access
from sit_firmware.alarms import Alarms
from sit_firmware.booking import Booking
from sit_firmware.calibration import Calibration
from sit_firmware.clock import LONGEST_TICKS, TICK_MASK, WallClock, after
from sit_firmware.cycle import cycle
from sit_firmware.dispatch import Dispatch
from sit_firmware.events import Events
from sit_firmware.faults import Faults
from sit_firmware.leaving import Leaving
from sit_firmware.ledger import Ledger
from sit_firmware.link import Link
from sit_firmware.mailbox import Mailbox
from sit_firmware.panel import Panel
from sit_firmware.plunger import Plunger
from sit_firmware.recorder import Recorder, new_log
from sit_firmware.screw import Screw
from sit_firmware.service import Service
from sit_firmware.session import Session
from sit_firmware.settings import Settings
from sit_firmware.shot import Shot
from sit_firmware.store.layout import Layout
from sit_firmware.store.superblock import Superblock
from sit_firmware.telemetry import Telemetry
from sit_firmware.treatment import Table
from sit_firmware.version import board_ok
from sit_firmware.work import Runner

# what an exception in the tick forces, besides board.off()
_SAFE_OUTPUTS = (image.OUT_DUTY, image.OUT_BRIDGE, image.OUT_SWITCH, image.OUT_TOKEN, image.OUT_STEPS)


class App:
    """Builds the firmware on a board; see docs/architecture.md for the board's contract."""

    def __init__(self, board, log=None):
        """`log`: the flight recorder's ring, where RAM is so short that it was made before anything else."""
        self.board = board
        self.state, self.inputs, self.outputs, self.params = image.new()
        params.defaults(self.params, board.name)
        self._cycle = cycle
        # bound once: a bound method made in the tick would allocate
        self._off = board.off
        self._ticks = 0
        self._fed_at = 0
        self._polled_at = -1
        self.now = 0
        self.hellos = 0
        self.board_ok = board_ok(sys.platform, sys.implementation.version)
        self.wall = WallClock(board.tick_us)
        self.box = Mailbox(self.state)
        self.table = Table()
        self.events = Events(self)
        self.recorder = Recorder(board.tick_us, log or new_log())
        image_of_tick = (self.state, self.inputs, self.outputs, self.params, self.recorder.log)
        self._images = image_of_tick + (board.work, board.read, board.write)
        self.settings = Settings(board.store)
        self.calibration = Calibration(board.store)
        self.access = Access(self)
        self.service = Service(self)
        layout = Layout(board.store.size)
        self.ledger = Ledger(board.store, layout, self.params)
        self.booking = Booking(self)
        self.plunger = Plunger(self.inputs, self.params)
        self.screw = Screw()
        self.faults = Faults(self)
        self.alarms = Alarms(self)
        self.panel = Panel(self)
        self.work = Runner(self)
        self.shot = Shot(self)
        self.session = Session(self)
        self.telemetry = Telemetry(self)
        self.leaving = Leaving(self)
        self.link = Link(board.link, Dispatch(self).handle, self.access.refusal)
        self._sources = (
            self.box,
            self.session,
            self.shot,
            self.work,
            self.panel,
            self.telemetry,
            self.leaving,
            self.access,
            self.service,
        )
        block = Superblock(board.store, layout)
        self.booking.ours = self.booking.ok = opening.open_store(self, block)
        self.boot_count = block.boot_count
        self.access.load()
        if self.booking.ok:
            self.booking.note(codes.RECORD_BOOT)

    # --- tick domain -------------------------------------------------------------------------------

    def tick(self, _timer=None):
        """One tick; a timer that calls it hands itself over. Interrupt context: allocates nothing, never raises."""
        try:
            self._cycle(self._images)
        except Exception:
            self._tick_failed()
        self._ticks = (self._ticks + 1) & TICK_MASK

    def _tick_failed(self):
        """Drive off, plunger stopped, the first cause latched. The next ticks run: with a fault latched all is safe."""
        self._off()
        for slot in _SAFE_OUTPUTS:
            self.outputs[slot] = 0
        state = self.state
        if not state[image.ST_FAULT]:
            state[image.ST_FAULT] = codes.FAULT_TICK_EXCEPTION
            state[image.ST_FAULT_TICK] = self.inputs[image.IN_TICK]
            state[image.ST_FAULT_VALUE] = state[image.ST_PHASE]
        state[image.ST_PHASE] = codes.PHASE_FAULT

    # --- background domain -------------------------------------------------------------------------

    def poll(self):
        """One slice of everything that isn't the tick's. Never waits."""
        self.now = self.inputs[image.IN_TICK]
        if self.session.state == codes.STATE_BOOT:
            self._finish_boot()
        self.wall.advance(self.now)
        self.box.poll(self.now)
        self.link.poll()
        self.session.poll()
        self.faults.poll()
        self.work.poll()
        self.alarms.poll()
        self.panel.poll()
        self.telemetry.poll()
        self.leaving.poll()
        self.access.poll()
        self.service.poll()
        # the heartbeat comes last: a poll that hangs anywhere is one that doesn't beat
        self.state[image.ST_BEAT] = (self.state[image.ST_BEAT] + 1) & TICK_MASK
        if self._ticks != self._fed_at:
            self._fed_at = self._ticks
            self.board.feed()
        self._polled_at = self.now

    def idle_until(self):
        """The first tick with something to do if no input changes and no byte comes; the current one when busy."""
        now = self.inputs[image.IN_TICK]
        if self._busy(now):
            return now
        wait = LONGEST_TICKS
        for source in self._sources:
            for timer in source.timers():
                if timer.on:
                    left = timer.left(now)
                    if left < wait:
                        wait = left
        return after(now, wait)

    def _busy(self, now):
        """Something moves, settles, is under way in this very poll, or the poll hasn't seen this tick."""
        state = self.state
        inputs = self.inputs
        return (
            self._polled_at != now
            or not self.box.at_rest()
            or state[image.ST_STOP]
            or self.link.pending
            or state[image.ST_REPORT]
            or self.outputs[image.OUT_LIGHT] != state[image.ST_LIGHT]
            or self.outputs[image.OUT_TONE] != state[image.ST_TONE]
            or state[image.ST_FAULT] != self.faults.handled
            or inputs[image.IN_TRIGGER] != state[image.ST_TRIGGER_OK]
            or inputs[image.IN_CONTACT] != state[image.ST_CONTACT_OK]
            or self.work.busy()
        )

    def _finish_boot(self):
        """The first poll after the first tick: the inputs are known."""
        self.plunger.recall(self.ledger, self.calibration)
        self.session.start_idle()
