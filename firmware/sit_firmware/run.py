"""A run: shots that follow each other while the trigger is held (docs/decisions/0007).

Background only. A run begins with a fresh press, like every shot, and only once a careful shot has measured the
syringe. It goes on while the trigger is held, the device is armed and contact keeps to the table's kind of run:
released between two shots (hop), or never (glide), and then all shots of one contact together get no more than one
place may. Whatever else happens ends it, and only a fresh press begins another.
"""

from sit_firmware import codes, dose, image
from sit_firmware.clock import Timer, ticks_of_ms

_WAIT_MS = 1500  # a run that finds no next place for so long is over: a trigger that sticks must not wait for skin


class Run:
    """The run under way (`on`), or none."""

    def __init__(self, dev):
        self._dev = dev
        self.on = False
        self._next = Timer()
        self._wait = Timer()
        self._place_nl = 0  # the most that went in since contact was made
        self._site = 0

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return (self._next, self._wait)

    def possible(self):
        """The table's shots may follow each other: a careful one has measured the syringe since the last purge."""
        return self._dev.table.run != codes.RUN_NONE and self._dev.state[image.ST_SOFT_N] > 0

    def prepare(self):
        """Before a shot: the first of a table's run begins with the planner's guess of the time of flight."""
        dev = self._dev
        if self.possible() and dev.table.flight_us:
            soft_q14 = dev.state[image.ST_SOFT_Q14]
            dev.state[image.ST_FLIGHT_Q4] = dose.flight_q4(dev.table.flight_us, soft_q14, dev.params)
            dev.table.flight_us = 0

    def glides(self):
        """A run is on that keeps its contact."""
        return self.on and self._dev.table.run == codes.RUN_GLIDE

    def place_refusal(self, site, volume_nl):
        """STILL_CONTACT when this place has had enough, or belongs to another site; 0 when the shot may go there."""
        table = self._dev.table
        if table.run != codes.RUN_GLIDE or not self._place_nl:
            return 0
        full = self._place_nl + volume_nl > table.place_nl
        return codes.REFUSED_STILL_CONTACT if full or site != self._site else 0

    def started(self, site):
        """A shot has begun."""
        dev = self._dev
        self._site = site
        self.on = self.possible()
        if self.on:
            self._next.start(dev.now, ticks_of_ms(dev.table.period_ms, dev.board.tick_us))
            self._wait.stop()

    def shot_ended(self, high_nl):
        """A shot has ended that gave `high_nl` at most."""
        dev = self._dev
        self._place_nl += high_nl
        if self.on:
            self._wait.start(dev.now, ticks_of_ms(_WAIT_MS, dev.board.tick_us))

    def end(self):
        """No further shot without a fresh press."""
        self.on = False
        self._next.stop()
        self._wait.stop()

    def light(self):
        """What the panel shows while a run is on, LIGHT_OFF without one."""
        if not self.on:
            return codes.LIGHT_OFF
        return codes.LIGHT_GLIDE if self.glides() else codes.LIGHT_HOP

    def poll(self, lifted):
        """Once each poll: True when the next shot is to begin now. `lifted`: contact was released since the last."""
        dev = self._dev
        session = dev.session
        contact = dev.state[image.ST_CONTACT_OK] != 0
        if not contact and session.state != codes.STATE_INJECTING:
            self._place_nl = 0
        if not self.on:
            return False
        lost = self.glides() and not contact
        if not dev.state[image.ST_TRIGGER_OK] or not session.armed or lost or self._wait.due(dev.now):
            self.end()
        elif session.state == codes.STATE_ARMED:
            if contact and (lifted or self.glides()) and self._next.due(dev.now):
                _, _, site, _, volume_nl = dev.table.row(session.cursor)
                if not self.place_refusal(site, volume_nl):
                    return True
                self.end()
                dev.panel.run_over()
        return False
