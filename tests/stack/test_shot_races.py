"""The tick between any two lines of the background: no half-posted request, no second shot, no motion without INTENT.

The interrupt is a trace function: the poll runs under `sys.settrace`, and at its lines the plant moves on by a tick and
the firmware's tick runs, as a hard timer would interrupt it. A poll then lasts tens of milliseconds, which is worse
than any board.
"""

import sys

import pytest
from shotkit import Bench
from sit_firmware import codes, image, wire
from sit_firmware.store.layout import RING_ADDR
from sit_host.outcome import expect

pytestmark = pytest.mark.targets("sim:", reason="settrace interrupts the firmware in this process alone")
POINTS = [(1, 1500, 5000), (2, 1200, 5000)]
_KIND_AT = 4


class Interrupted:
    """Takes a prepared bench's firmware and plant over and runs them with ticks inside the poll."""

    def __init__(self, bench, every, offset):
        machine = bench.target.machine
        self.app = machine.process.app
        self._plant = machine.plant
        self._exchange = machine.process._exchange
        self._fram = machine.fram
        self._every = every
        self._line = offset
        self._phase = codes.PHASE_IDLE
        self.shots = 0
        self.ticks_in_polls = 0

    def world(self, key, value):
        self._plant.set(key, value)

    def intents(self):
        """INTENT records on the store, as they would be found after a reset at this moment."""
        data = self._fram.data
        slots = range(RING_ADDR, RING_ADDR + self.app.ledger.capacity * wire.RECORD_LEN, wire.RECORD_LEN)
        return sum(data[slot + _KIND_AT] == codes.RECORD_INTENT for slot in slots)

    def tick(self):
        """One tick of plant and firmware; whatever begins to move must have its INTENT on the store."""
        self._plant.sample(self._exchange.inputs)
        self.app.tick()
        self._plant.advance(self._exchange.outputs)
        phase = self.app.state[image.ST_PHASE]
        if phase == codes.PHASE_APPROACH and self._phase != phase:
            self.shots += 1
            assert self.shots == self.intents()
        self._phase = phase
        if self._exchange.outputs[image.OUT_STEPS] or self._exchange.outputs[image.OUT_BRIDGE]:
            assert self.shots, "something moves, and no shot has begun"

    def poll(self):
        """One poll with ticks at its lines."""
        sys.settrace(self._on_call)
        try:
            self.app.poll()
        finally:
            sys.settrace(None)

    def run(self, ticks):
        """Ticks outside polls and polls with ticks inside, until about this many have passed."""
        end = self.ticks_in_polls + ticks
        while self.ticks_in_polls < end:
            self.tick()
            self.poll()
            self.ticks_in_polls += 1

    def _on_call(self, frame, event, argument):
        return self._on_line if frame.f_globals.get("__name__", "").startswith("sit_firmware") else None

    def _on_line(self, frame, event, argument):
        if event == "line":
            self._line += 1
            if self._line % self._every == 0:
                self.ticks_in_polls += 1
                sys.settrace(None)
                try:
                    self.tick()
                finally:
                    sys.settrace(self._on_call)
        return self._on_line


@pytest.mark.parametrize(("every", "offset"), [(1, 0), (2, 0), (2, 1), (5, 2), (17, 3), (61, 5)])
def test_ticks_between_the_lines(open_sim, every, offset):
    """Invariants 2, 4, 5: with a tick at every n-th line of each poll two presses give two shots, each after INTENT."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    rig = Interrupted(bench, every, offset)
    for _ in POINTS:
        rig.world("press_n", 2.0)
        rig.run(600)
        rig.world("trigger", 1)
        rig.run(3000)
        rig.world("trigger", 0)
        rig.world("press_n", 0.0)
        rig.run(1200)
        # the host stays in charge; how it talks is tested elsewhere
        rig.app.session.renew(2000)
    kinds = [record.kind for record in bench.ends()]
    assert kinds == [codes.RECORD_DONE] * 2
    assert rig.shots == 2 == rig.intents()
    assert rig.app.state[image.ST_FAULT] == 0
    assert bench.status().plunger_steps == bench.truth()["plunger_steps"]
    bench.check_depth()


@pytest.mark.parametrize("line", range(0, 60, 4))
def test_disarm_at_any_line_of_the_press(open_sim, line):
    """Invariant 3: an arming that ends between two lines while a press is looked at gives one whole shot or none."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS[:1])
    rig = Interrupted(bench, 1 << 30, 0)
    rig.world("press_n", 2.0)
    rig.run(60)
    rig.world("trigger", 1)
    while rig.app.state[image.ST_TRIGGER_N] == rig.app.session._presses:
        rig.tick()
    seen = []

    def on_line(frame, event, argument):
        if event == "line":
            seen.append(1)
            if len(seen) == line:
                # what the lease's end or a DISARM does first, seen by a tick here
                rig.app.state[image.ST_ARMED] = 0
                sys.settrace(None)
                rig.tick()
                sys.settrace(on_call)
        return on_line

    def on_call(frame, event, argument):
        name = frame.f_globals.get("__name__", "")
        return on_line if name in ("sit_firmware.session", "sit_firmware.shot", "sit_firmware.mailbox") else None

    sys.settrace(on_call)
    try:
        rig.app.poll()
    finally:
        sys.settrace(None)
    rig.run(2500)
    ends = [(record.kind, record.cause) for record in bench.ends()]
    assert len(ends) == rig.intents() <= 1
    assert rig.shots == 0 or ends[0][0] == codes.RECORD_DONE
    if ends and not rig.shots:
        assert ends == [(codes.RECORD_ABORTED, codes.CAUSE_NOT_READY)]
    expect(bench.client.disarm())
