"""The emulated board's needle: what its wires say at any moment of a tick is where the plant's needle is."""

import pytest

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from sit_firmware import image
from sit_sim.clock import TICK_US
from sit_sim.emu.chip import Runner
from sit_sim.emu.needle_wires import NeedleWires
from sit_sim.emu.wiring import Wiring
from sit_sim.plant import Plant, nominal_unit
from sit_sim.plant.layout import X_S, X_V
from sit_sim.targets.fram import Fram

START_UM, SPEED_UM_PER_US = 400, 0.15  # the profile's cap
TICKS = 24
RAM, LONGEST_NS = 0x20000000, 24
IN_FROM_PAD = 17  # bit of a pin's STATUS


class Count:
    """Follows A and B as the chip's decoder does."""

    def __init__(self, mcu, pins):
        self._gpio = [mcu.gpio[pins[name].number] for name in ("enc_a", "enc_b")]
        self.um, self._last = START_UM, self._place()

    def _place(self):
        a, b = (pin.status >> IN_FROM_PAD & 1 for pin in self._gpio)
        return (a ^ b) | b << 1

    def look(self):
        place = self._place()
        step = (place - self._last + 1) % 4 - 1
        assert step != 2, "an edge was lost"
        self.um, self._last = self.um + step, place
        return self.um


@pytest.fixture
def looks():
    """Per tick of a needle that flies into the skin: (where it begins, where it ends, the count at each us)."""
    plant = Plant(nominal_unit(), 1)
    x = plant.arrays[0]
    x[X_S], x[X_V] = (START_UM + 0.5) * 1e-6, SPEED_UM_PER_US
    mcu = RP2040()
    wiring = Wiring(mcu, plant, Fram(), lambda: None)
    count = Count(mcu, wiring._pins)
    ticks = []
    for _ in range(TICKS):
        begun_um = x[X_S] * 1e6
        wiring.begin()
        seen = []
        for _ in range(TICK_US):
            seen.append(count.look())
            mcu.clock.tick(1000)
        ticks.append((begun_um, x[X_S] * 1e6, seen))
    return ticks[1:]  # in the first it finds its place on the comb


def test_the_count_goes_with_the_needle(looks):
    """Emulated board: at each us the count is the needle's place, within its own step, its gap and a comb edge's."""
    assert looks[0][1] - looks[0][0] > 30
    for begun_um, ended_um, seen in looks:
        for us, count in enumerate(seen):
            assert abs(count + 0.5 - (begun_um + (ended_um - begun_um) * us / TICK_US)) <= 3


def test_the_comb_comes_at_its_place():
    """Emulated board: an edge of the comb comes when the count is the one that its place has."""
    clock = RP2040().clock
    seen = image.new()[1]
    levels, captured = {}, []
    wires = None

    def drive(name, level):
        if name == "comb" and wires is not None:
            captured.append(round(clock.nanos))
        levels[name] = level

    wires = NeedleWires(clock, drive, seen)
    seen[image.IN_ENC_UM], seen[image.IN_COMB_N], seen[image.IN_COMB_ENC_UM] = 9, 1, 4
    wires.go(seen, 110_000)
    clock.tick(250_000)
    assert captured == [50_000]
    assert levels == {"enc_a": True, "enc_b": False, "comb": True}


def test_spans_of_emulated_time_add_up():
    """Emulated board: the plant's ticks stay where the chip's are, whatever instruction ends each of them."""
    simulator = Simulator(rp2040=RP2040())
    simulator.rp2040.write_uint32(RAM, 0xE7FEE7FE)  # b .
    simulator.rp2040.core.pc = RAM
    runner, spans, span_ns = Runner(simulator), 200, 1_003
    for _ in range(spans):
        runner.run_for(span_ns * 1e-9)
    assert 0 <= simulator.clock.nanos - spans * span_ns <= LONGEST_NS
