"""The hardware gates, each alone: they open whatever the outputs say."""

import pytest
from plant_rig import Bench, quiet_unit

PINNED = {"spring_park_n": 100.0}  # a carriage that can't leave park


def driven():
    """A bench with the coil at full current."""
    bench = Bench(quiet_unit(**PINNED))
    bench.run(40, duty=4096)
    assert bench.read("IN_BRIDGE_ON") == 1 and bench.read("IN_SWITCH_ON") == 1
    return bench


def is_off(bench):
    """No current, both read-backs open."""
    return bench.truth("coil_a") == 0.0 and not bench.read("IN_BRIDGE_ON") and not bench.read("IN_SWITCH_ON")


def test_estop_opens_both_cut_offs_at_once():
    """Invariant 6: e-stop to drive off within one tick, in hardware, with the outputs still asking for drive."""
    bench = driven()
    bench.plant.set("estop", 1)
    bench.run(1, duty=4096)
    assert is_off(bench)


def test_flag_opens_both_cut_offs():
    """Invariant 1: while the flag is set the drive is off in hardware, though the outputs go on asking for it."""
    bench = Bench(quiet_unit(coulomb_n=0.0))
    set_for = 0
    for _ in range(1200):
        bench.run(1, duty=1450)
        set_for = set_for + 1 if bench.read("IN_FLAG") else 0
        if set_for > 1:  # a flag that came in the last 25 us shows in the read-backs a tick later
            assert is_off(bench)
    # driven at 160 mm/s into the flag it coasts on; with the drive left on it would pass 2.5 mm
    assert 1935 < bench.truth("tip_max_um") < 2150


def test_deadman_lets_go_two_ticks_after_the_last_token():
    """Figure: dead CPU to drive off within 2 ticks of the last token, plus the current's decay."""
    bench = driven()
    bench.run(1, duty=4096, token=0)
    assert bench.truth("energised") == 1  # 1.7 ticks after the last token, which acted at 0.3 of its tick
    bench.run(1, duty=4096, token=0)
    assert is_off(bench)


def test_no_token_ever_no_drive():
    """Dead-man: from power-up nothing drives without a token."""
    bench = Bench(quiet_unit(**PINNED))
    bench.run(40, duty=4096, token=0)
    assert is_off(bench)


@pytest.mark.parametrize(("bridge", "switch"), [(0, 1), (1, 0)])
def test_either_cut_off_alone_opens_the_drive(bridge, switch):
    """Two cut-offs in series: either one is enough; the other's read-back stays on."""
    bench = driven()
    bench.run(2, duty=4096, bridge=bridge, switch=switch)
    assert bench.truth("coil_a") == 0.0
    assert (bench.read("IN_BRIDGE_ON"), bench.read("IN_SWITCH_ON")) == (bridge, switch)


@pytest.mark.parametrize(
    ("fault", "opens"),
    [("bridge_stuck_on", "switch"), ("switch_stuck_on", "bridge"), ("drive_stuck_full", "switch")],
)
def test_one_stuck_cut_off_leaves_the_other(fault, opens):
    """Invariant 1, F1: with one cut-off stuck the other still opens the drive, and the read-backs tell which."""
    bench = driven()
    bench.plant.fault(fault)
    bench.rest(2)
    assert bench.truth("coil_a") == 0.0
    stuck = {"bridge": "IN_SWITCH_ON", "switch": "IN_BRIDGE_ON"}[opens]
    assert bench.read(stuck) == 1


def test_a_stuck_cut_off_does_not_pass_the_estop():
    """Invariant 6: with the bridge stuck on at full duty the e-stop still cuts the drive by the switch."""
    bench = driven()
    bench.plant.fault("drive_stuck_full")
    bench.plant.set("estop", 1)
    bench.run(1, duty=4096)
    assert bench.truth("coil_a") == 0.0


def test_hung_processor_lets_go():
    """Figure: dead CPU, outputs frozen as they were: drive off within 2 ticks, no more plunger steps."""
    bench = driven()
    bench.run(1, duty=4096, steps=5)
    steps = bench.truth("plunger_steps")
    bench.plant.fault("tick_hung")
    bench.run(3, duty=4096, steps=5)
    assert is_off(bench)
    assert bench.truth("plunger_steps") <= steps + 5
    steps = bench.truth("plunger_steps")
    bench.run(5, duty=4096, steps=5)
    assert bench.truth("plunger_steps") == steps
