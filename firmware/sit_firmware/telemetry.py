"""What the device sends unasked: every event once, and telemetry at the subscribed period.

Background only. Nothing here waits: what the link has no room for is dropped, events can be read again.
"""

import struct

from sit_firmware import codes, image, wire
from sit_firmware.clock import Timer, ticks_of_ms


class Telemetry:
    """The stream of events and samples to the host of the last HELLO."""

    def __init__(self, dev):
        self._dev = dev
        self._sent = 1  # the next event to send
        self._period_ticks = 0
        self._due = Timer()
        self._event = bytearray(wire.EVENT_LEN)
        self._sample = bytearray(wire.TELEMETRY_LEN)

    def subscribe(self, period_ms):
        """Sends a sample each `period_ms`; 0 ends it."""
        dev = self._dev
        self._period_ticks = ticks_of_ms(period_ms, dev.board.tick_us)
        if period_ms:
            self._due.start(dev.now, self._period_ticks)
        else:
            self._due.stop()

    def poll(self):
        """Sends the events that are new, and a sample when it is due."""
        dev = self._dev
        while self._sent < dev.events.head:
            if dev.events.read(self._sent, self._event):
                dev.link.push(codes.PUSH_EVENT, self._event)
            self._sent += 1
        if self._due.due(dev.now):
            self._due.start(dev.now, self._period_ticks)
            self._fill()
            dev.link.push(codes.PUSH_TELEMETRY, self._sample)

    def timers(self):
        """The next sample."""
        return (self._due,)

    def _fill(self):
        dev = self._dev
        inputs = dev.inputs
        state = dev.state
        struct.pack_into(
            wire.FMT_TELEMETRY,
            self._sample,
            0,
            dev.now,
            dev.session.state,
            state[image.ST_PHASE],
            state[image.ST_DEPTH_UM],
            inputs[image.IN_CONTACT_MN],
            inputs[image.IN_LOAD_MN],
            inputs[image.IN_PRESS_PA],
            inputs[image.IN_SUPPLY_MV] & 0xFFFF,
            dev.plunger.used_steps(),
            dev.session.cursor,
        )
