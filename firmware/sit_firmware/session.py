"""What the device is doing and whether it may: states, arming, the lease and the trigger.

Background only. An injection has one way to begin: `_press`, reached by a fresh debounced press of the physical
trigger while armed, or by one that is still held in a run. The host prepares (loads, arms, renews) and can only end
things.
"""

from sit_firmware import codes, dose, image, limits, readiness
from sit_firmware.clock import Timer, ticks_of_ms
from sit_firmware.run import Run
from sit_firmware.store.access import StoreError

_STOP_TICKS = 8  # a stop asked for stays posted at least this long, so that the control law has seen it


class Session:
    """State machine of the device and the host's session with it."""

    def __init__(self, dev):
        self._dev = dev
        self.state = codes.STATE_BOOT
        self.schema_ok = False  # the host of the last HELLO has this schema
        self.tested = False
        self.primed = False
        self.zero_offset_um = 0  # of the last touch-off, also of one outside the window
        self.armed = False
        self.cursor = 0
        self.to_give = 0  # rows to give before disarming
        self.limit = 0  # codes.LIMIT_* that refused the last press
        self.lease = Timer()
        self.lease_lost = False  # the host fell silent while armed, until the next arming
        self.run = Run(dev)
        self._lifted = False  # contact was released since the last shot
        self._presses = 0  # of the trigger, as many as were looked at; one not obeyed is gone
        self._stop = Timer()
        self._gap = Timer()

    def start_idle(self):
        """Boot has ended."""
        self._enter(codes.STATE_IDLE)

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return (self.lease, self._gap, self._stop) + self.run.timers()

    def may_press(self):
        """Armed, and a press in contact would count as that of a new point: what the panel's lights say."""
        return self.armed and self._lifted and not self._in_gap()

    def must_lift(self):
        """Armed, but contact hasn't been released since the last shot or the arming."""
        return self.armed and not self._lifted

    # --- what a host may ask -----------------------------------------------------------------------

    def hello(self, schema_ok):
        """A host has opened a session: whoever armed before has lost it, so nothing stays armed."""
        self.schema_ok = schema_ok
        self.disarm()

    def arm(self, lease_ms, cursor, count):
        """Arms for `count` rows from `cursor` on, or says why not."""
        dev = self._dev
        refusal = readiness.arm_refusal(dev)
        if refusal:
            return refusal
        if lease_ms > dev.settings.lease_max_ms or cursor + count > dev.table.count:
            return codes.REFUSED_BAD_VALUE
        first = dev.table.next_open(cursor)
        if first >= dev.table.count:
            return codes.REFUSED_BAD_VALUE
        refusal = self._row_refusal(first)
        if refusal:
            return refusal
        self.cursor = first
        self.to_give = count
        self.lease_lost = False
        self.armed = True
        self._lifted = not dev.state[image.ST_CONTACT_OK]
        self._lease(lease_ms)
        dev.state[image.ST_ARMED] = 1
        dev.alarms.settle()
        self._enter(codes.STATE_ARMED)
        return 0

    def renew(self, lease_ms):
        """Renews the lease; BAD_STATE once it is lost, so that a late renewal never arms again."""
        if not self.armed:
            return codes.REFUSED_BAD_STATE
        if lease_ms > self._dev.settings.lease_max_ms:
            return codes.REFUSED_BAD_VALUE
        self._lease(lease_ms)
        return 0

    def disarm(self):
        """Starts no further shot; one under way is finished."""
        self.armed = False
        self.run.end()
        self.lease.stop()
        self._dev.state[image.ST_ARMED] = 0
        if self.state == codes.STATE_ARMED:
            self._enter(codes.STATE_IDLE)

    def halt(self):
        """Ends whatever moves, at once."""
        self._dev.state[image.ST_STOP] = 1
        self._stop.start(self._dev.now, _STOP_TICKS)

    def stop(self):
        """Ends whatever moves, at once, and disarms."""
        self.halt()
        self.disarm()
        self._dev.work.stop()

    # --- what the rest of the background tells -----------------------------------------------------

    def busy(self, on):
        """Long work begins or ends."""
        if on:
            self._enter(codes.STATE_BUSY)
        elif self.state == codes.STATE_BUSY:
            self._enter(codes.STATE_IDLE)

    def faulted(self):
        """A fault is latched, and what was under way is booked."""
        self._enter(codes.STATE_FAULT)

    def fault_cleared(self):
        """The fault is unlatched."""
        self._enter(codes.STATE_IDLE)

    def lose_zero(self):
        """The needle may sit elsewhere now."""
        self._dev.state[image.ST_ZEROED] = 0

    # --- each poll ---------------------------------------------------------------------------------

    def poll(self):
        """One slice: the stop, the lease, the shot under way, the trigger."""
        dev = self._dev
        if self._stop.due(dev.now) and dev.box.at_rest():
            self._stop.stop()
            dev.state[image.ST_STOP] = 0
        if self.lease.due(dev.now):
            self._lose_lease()
        if dev.shot.poll():
            self._after_shot()
        if self._gap.due(dev.now):
            self._gap.stop()
        if not dev.inputs[image.IN_CARTRIDGE]:
            self.primed = False  # what comes back may be another syringe, with air before it
            dev.screw.forget()  # and its pusher is set back by hand
        if not dev.state[image.ST_CONTACT_OK]:
            self._lifted = True
        presses = dev.state[image.ST_TRIGGER_N]
        if presses != self._presses:
            self._presses = presses
            self._press()
        elif self.run.poll(self._lifted):
            self._press()

    def _press(self):
        """A fresh press of the trigger, or one held in a run: starts the next point, or tells why not."""
        try:
            refusal = self._press_refusal() or self._start()
        except StoreError:
            refusal = self._dev.booking.unreadable()
        if refusal:
            self.run.end()
            self._dev.events.push(codes.EVENT_TRIGGER, refusal, self.limit, 0)
            if self.armed and self.state == codes.STATE_ARMED:
                self._dev.panel.not_obeyed()
            else:
                self._dev.panel.pause()

    def _start(self):
        dev = self._dev
        row = dev.table.row(self.cursor)
        self.run.prepare()
        refusal = dev.shot.start(self.cursor, row, dose.plan(row[4], dev.table, dev.params, self.run.possible()))
        if not refusal:
            self._lifted = False
            self.run.started(row[2])
            self._enter(codes.STATE_INJECTING)
        return refusal

    def _press_refusal(self):
        """Every condition of a start; 0 when all hold."""
        dev = self._dev
        if dev.state[image.ST_FAULT]:
            return codes.REFUSED_FAULTED
        if not self.armed or self.state != codes.STATE_ARMED or dev.state[image.ST_STOP]:
            return codes.REFUSED_BAD_STATE
        if not dev.state[image.ST_CONTACT_OK]:
            return codes.REFUSED_NO_CONTACT
        if not self._lifted and not self.run.glides():
            return codes.REFUSED_STILL_CONTACT
        if self._in_gap():
            return codes.REFUSED_BAD_STATE
        return readiness.arm_refusal(dev) or self._row_refusal(self.cursor)

    def _row_refusal(self, index):
        """Why the row of this index may not be given now, or 0. Leaves the limit that is in force in `limit`."""
        dev = self._dev
        point, attempt, site, depth_um, volume_nl = dev.table.row(index)
        if dev.ledger.has(dev.table.treatment, point, attempt):
            return codes.REFUSED_DUPLICATE
        refusal = limits.row_refusal(depth_um, volume_nl, dev.table.bevel_um, dev.settings)
        refusal = refusal or self.run.place_refusal(site, volume_nl)
        if refusal:
            return refusal
        self.limit = dose.limit(dev, volume_nl, site)
        if self.limit:
            return codes.REFUSED_TOO_MUCH
        cap_steps = dose.plan(volume_nl, dev.table, dev.params).cap_steps
        refusal = limits.room_refusal(cap_steps, dev.plunger.used_steps(), dev.plunger.capacity_steps)
        if refusal:
            self.limit = codes.LIMIT_RESERVOIR
        return refusal

    def _after_shot(self):
        """The shot is booked: on to the next row, or done. One that isn't DONE disarms: somebody must look at it."""
        dev = self._dev
        self.to_give -= 1
        self.cursor = dev.table.next_open(self.cursor)
        self.run.shot_ended(dev.shot.high_nl)
        dev.alarms.shot_ended(dev.shot.kind, dev.shot.cause)
        if self.to_give <= 0 or self.cursor >= dev.table.count or dev.shot.kind != codes.RECORD_DONE:
            self.disarm()
        if not self.run.on:  # in a run the time counts from start to start
            self._gap.start(dev.now, ticks_of_ms(dev.settings.min_gap_ms, dev.board.tick_us))
        dev.panel.shot_ended(dev.shot.kind, self.run.on)
        if self.state == codes.STATE_INJECTING and not dev.state[image.ST_FAULT]:
            self._enter(codes.STATE_ARMED if self.armed else codes.STATE_IDLE)

    def _in_gap(self):
        return self._gap.on and not self._gap.due(self._dev.now)

    def _lease(self, lease_ms):
        self.lease.start(self._dev.now, ticks_of_ms(lease_ms, self._dev.board.tick_us))

    def _lose_lease(self):
        """The host fell silent: no further shot; the one under way is finished."""
        self.lease_lost = True
        self.limit = codes.LIMIT_LEASE
        self.disarm()
        self._dev.events.push(codes.EVENT_LEASE, 0, 0, 0)

    def _enter(self, new):
        """Changes the state and tells."""
        old = self.state
        if new != old:
            self.state = new
            self._dev.events.push(codes.EVENT_STATE, new, old, 0)
