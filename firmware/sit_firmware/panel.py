"""The panel: which light and which tone the operator gets, from what the device is doing.

Background only. `light` is a pure choice by priority. Tones are short patterns, played one after the other; a high
alarm goes first and sounds again while it stands. A pull of the trigger that can't begin a shot pauses that sound, for
two minutes at most; the light stays, and an alarm that rises meanwhile is heard. A real board and the simulated hand
get the same two codes, codes.LIGHT_* and codes.TONE_*.
"""

from sit_firmware import codes, image
from sit_firmware.clock import Timer, ticks_of_ms

_HIGH = 3
_MEDIUM = 2
_LOW = 1
_ALARM_LIGHTS = (codes.LIGHT_OFF, codes.LIGHT_ALARM_LOW, codes.LIGHT_ALARM_MEDIUM, codes.LIGHT_ALARM_HIGH)
_ALARM_TONES = (codes.TONE_OFF, codes.TONE_ALARM_LOW, codes.TONE_ALARM_MEDIUM, codes.TONE_ALARM_HIGH)
# lights of work that ask the operator for something: without them he can't end the work
_ASKS = (codes.LIGHT_CHANGE_NEEDLE, codes.LIGHT_CHANGE_SYRINGE, codes.LIGHT_ZERO)
_TONE_MS = {
    codes.TONE_CONTACT: 50,
    codes.TONE_DONE: 300,
    codes.TONE_MISSED: 300,
    codes.TONE_ALARM_LOW: 400,
    codes.TONE_ALARM_MEDIUM: 800,
    codes.TONE_ALARM_HIGH: 2000,
}
_AGAIN_MS = 10000  # a high alarm sounds again after this (IEC 60601-1-8: 2.5 to 15 s)
_PAUSE_MS = 120000  # the longest pause of its sound
_WAITING = 4  # tones that may wait; more aren't played


def light(alarm, work, session_state, contact, may_press, lift, run=codes.LIGHT_OFF):
    """The light to show, codes.LIGHT_*.

    alarm: priority in force, 0-3. work: light of the work under way, LIGHT_OFF for none. may_press: armed, and a press
    in contact would start the next point. lift: contact must be released before the next point. run: light of the run
    that is on, LIGHT_OFF for none.
    """
    if alarm == _HIGH:
        return codes.LIGHT_ALARM_HIGH
    if work in _ASKS:
        return work
    if session_state == codes.STATE_INJECTING:
        return run if run == codes.LIGHT_GLIDE else codes.LIGHT_INJECT
    if alarm == _MEDIUM:
        return codes.LIGHT_ALARM_MEDIUM
    if run != codes.LIGHT_OFF:
        return run
    if lift:
        return codes.LIGHT_LIFT
    if session_state == codes.STATE_ARMED:
        return codes.LIGHT_CONTACT if contact and may_press else codes.LIGHT_READY
    if work != codes.LIGHT_OFF:
        return work
    return _ALARM_LIGHTS[alarm]


class Panel:
    """Keeps ST_LIGHT and ST_TONE."""

    def __init__(self, dev):
        self._dev = dev
        self._lift = False
        self._contact = False
        self._tones = []
        self._playing = Timer()
        self._again = Timer()
        self._pause = Timer()

    def shot_ended(self, kind, goes_on=False):
        """A shot has been booked; in a run that goes on it is one short tick."""
        if goes_on:
            self.play(codes.TONE_CONTACT)
            return
        self._lift = True
        self.play(codes.TONE_DONE if kind == codes.RECORD_DONE else codes.TONE_MISSED)

    def run_over(self):
        """A run has ended because its place has had enough."""
        self._lift = True
        self.play(codes.TONE_DONE)

    def not_obeyed(self):
        """A press of the trigger while armed has started nothing."""
        self.play(codes.TONE_MISSED)

    def pause(self):
        """The operator has heard the high alarm: its sound waits, its light stays. Nothing when none is in force."""
        dev = self._dev
        if dev.alarms.priority() == _HIGH:
            self._pause.start(dev.now, ticks_of_ms(_PAUSE_MS, dev.board.tick_us))
            self._again.stop()
            self._tones.clear()
            self._playing.stop()

    def play(self, tone):
        """Plays a tone after those that wait; a high alarm at once."""
        if tone == codes.TONE_ALARM_HIGH:
            self._tones.insert(0, tone)
            self._playing.stop()
        elif len(self._tones) < _WAITING:
            self._tones.append(tone)

    def poll(self):
        """Chooses the light, plays the next tone."""
        dev = self._dev
        state = dev.state
        contact = state[image.ST_CONTACT_OK] != 0
        may_press = dev.session.may_press()
        if not contact:
            self._lift = False
        elif may_press and not self._contact:
            self.play(codes.TONE_CONTACT)
        self._contact = contact and may_press
        risen = dev.alarms.take_risen()
        if risen:
            self._pause.stop()
            self.play(_ALARM_TONES[risen])
        self._repeat(dev.alarms.priority())
        lift = self._lift or (contact and dev.session.must_lift())
        state[image.ST_LIGHT] = light(
            dev.alarms.priority(),
            dev.work.light(),
            dev.session.state,
            contact,
            may_press,
            lift,
            dev.session.run.light(),
        )
        self._play_next()

    def timers(self):
        """The end of the tone that plays, of the pause, and the next time a high alarm sounds."""
        return (self._playing, self._again, self._pause)

    def _repeat(self, priority):
        """Sounds a high alarm again and again while it stands and isn't paused."""
        dev = self._dev
        if self._pause.due(dev.now):
            self._pause.stop()
        if priority != _HIGH:
            self._again.stop()
            self._pause.stop()
        elif not self._pause.on and not self._again.on:
            self._again.start(dev.now, ticks_of_ms(_AGAIN_MS, dev.board.tick_us))
        elif self._again.due(dev.now):
            self._again.start(dev.now, ticks_of_ms(_AGAIN_MS, dev.board.tick_us))
            self.play(codes.TONE_ALARM_HIGH)

    def _play_next(self):
        dev = self._dev
        if self._playing.on and not self._playing.due(dev.now):
            return
        self._playing.stop()
        tone = self._tones.pop(0) if self._tones else codes.TONE_OFF
        dev.state[image.ST_TONE] = tone
        if tone:
            self._playing.start(dev.now, ticks_of_ms(_TONE_MS[tone], dev.board.tick_us))
