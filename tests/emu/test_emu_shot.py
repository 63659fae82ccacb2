"""The deployed firmware on the emulated RP2040, from power-up to an injection and a power cut, by pins and buses alone.

The tests of this file share one board and run in their order.
"""

import pytest
from shotkit import LIMIT_UM, Bench
from sit_firmware import image
from sit_host._gen import enums, messages
from sit_host.outcome import expect
from sit_sim.clock import TICK_US

DEPTH_UM, VOLUME_NL = 1500, 2000
PRIME_NL = 40000


@pytest.fixture(scope="module")
def bench(open_board):
    """A client at the board, over its USB serial port."""
    return Bench(open_board())


@pytest.fixture(scope="module")
def shot(bench):
    """One point given; the plant's truth of it."""
    expect(bench.load([(1, DEPTH_UM, VOLUME_NL)]))
    expect(bench.arm(count=1))
    bench.press_and_trigger()
    bench.follow()
    return bench.truth()["shots"][-1]["shot"]


def test_hello(bench):
    """The deployed image boots and answers over USB CDC."""
    reply = bench.client.hello()
    assert reply.board == "rp2040"
    assert bench.target.machine.resets == 0


def test_selftest_on_pins(bench):
    """Sensors, cut-offs, dead-man and spring: what the self-test sees comes through PIO, ADC and the panel chain."""
    bench.work(messages.Selftest())
    assert bench.truth()["tip_max_um"] < 0


def test_zero(bench):
    """The tip's zero is the true one within its uncertainty."""
    bench.hand("adjust")
    bench.hand("fit_zero_tool")
    bench.work(messages.Zero())
    bench.hand("remove_zero_tool")
    zero_um = bench.target.process.probe.slot("state", image.ST_ZERO_UM)
    assert abs(zero_um - bench.truth()["zero_um"]) <= 20


def test_prime(bench):
    """Each step that the plunger makes leaves the chip and is counted there."""
    before = bench.truth()["plunger_steps"]
    bench.work(messages.Prime(PRIME_NL))
    steps = bench.truth()["plunger_steps"] - before
    assert steps > 0
    assert bench.status().plunger_steps == bench.truth()["plunger_steps"]


def test_injection(bench, shot):
    """Invariants 1, 4: one injection with true depth and volume within the figures; the ledger agrees."""
    assert abs(shot["depth_um"] - DEPTH_UM) <= 25
    (end,) = bench.ends()
    assert end.kind == enums.Record.DONE
    assert end.steps == shot["steps"]
    assert end.tissue_min_nl <= shot["tissue_nl"] <= end.tissue_max_nl
    # ISO 8655-2 type A for 2 uL: 4 % and 2 % of it, k = 2 on the random part
    assert abs(shot["tissue_nl"] - VOLUME_NL) <= 0.08 * VOLUME_NL
    assert bench.truth()["tip_max_um"] <= LIMIT_UM


def test_the_ticks_stay_together(bench, shot):
    """Emulated board: after all that the firmware still samples where the plant's tick begins, as after its start."""
    machine = bench.target.machine
    begun_us = TICK_US - (machine.chip.clock.nanos - machine.wiring.frame_ns) / 1000
    assert 10 <= begun_us <= 40


def test_power_cut_keeps_the_ledger(bench, shot):
    """Invariants 4, 5: after a power cut the record is read back from the FRAM, and the same point is refused."""
    before = bench.records()
    bench.lift()
    bench.target.control({"do": "power", "off_ms": 100})
    bench.target.reopen(bench.target.now() + 15)
    while not bench.target.machine.ticking():  # the port is there long before the firmware
        assert bench.target.now() < 60
        bench.target.control({"do": "run", "ms": 10})
    assert bench.target.machine.resets == 0
    again = Bench(bench.target)
    assert [record.hash for record in again.records()][: len(before)] == [record.hash for record in before]
    assert again.truth()["energised"] == 0
