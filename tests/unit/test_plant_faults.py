"""The closed lists of faults: each plant fault does what it says, and only while it lasts."""

import pytest
from plant_rig import Bench
from sit_sim.faults import BY_NAME, F1, F2, arguments, find
from sit_sim.plant import faulting

PLANT_FAULTS = sorted(name for name, fault in BY_NAME.items() if fault.value.where == "plant")


def test_f2_is_what_only_hardware_covers():
    """Invariant 1: F2 is closed; a fault moves there only by a decision record."""
    assert {fault.name for fault in F2} == {"BOTH_CUTOFFS", "SPRING_BROKEN", "COUPLING_SLIPPED", "NEEDLE_RESEATED"}
    assert not {fault.name for fault in F1} & {fault.name for fault in F2}
    assert len({fault.value.doc for fault in BY_NAME.values()}) == len(BY_NAME) == len(F1) + len(F2)


@pytest.mark.parametrize("name", PLANT_FAULTS)
def test_every_plant_fault_does_something_and_ends(name):
    """F1 and F2: no name without an effect; ended, the fault's slots are clean again."""
    bench = Bench()
    before = list(bench.plant._w), bench.truth("zero_um")
    bench.plant.fault(name)
    assert (list(bench.plant._w), bench.truth("zero_um")) != before
    bench.plant.unfault(name)
    assert list(bench.plant._w) == before[0]


def test_other_faults_name_who_brings_them_about():
    """Bad input: a fault of the firmware, the link or the hand isn't silently swallowed by the plant."""
    for name, fault in BY_NAME.items():
        if fault.value.where != "plant":
            with pytest.raises(ValueError, match=f"the {fault.value.where} brings it about"):
                faulting.begin(name, {}, [], 0.0)
    with pytest.raises(ValueError, match="no fault 'gremlins'"):
        find("gremlins")
    with pytest.raises(ValueError, match="no argument 'fector'"):
        arguments(F1.ENCODER_SCALED, {"fector": 0.5})


@pytest.mark.parametrize(
    ("name", "args", "count"),
    [
        ("encoder_frozen", {}, lambda true, at: at),
        ("encoder_scaled", {"factor": 0.5}, lambda true, at: at + (true - at) * 0.5),
        ("encoder_reversed", {}, lambda true, at: at - (true - at)),
        ("encoder_jump", {"jump_um": -100}, lambda true, at: true - 100),
    ],
)
def test_encoder_faults(name, args, count):
    """F1: the encoder lies from where it was; the true tip goes on."""
    bench = Bench()
    bench.go(300)
    at = bench.truth("carriage_um")
    bench.plant.fault(name, **args)
    bench.go(700)
    true = bench.truth("carriage_um")
    assert true - at > 390
    assert bench.read("IN_ENC_UM") == pytest.approx(count(true, at), abs=1.01)


def test_flag_and_comb_faults():
    """F1: a dead flag neither shows nor cuts; a dead comb counts no more."""
    bench = Bench()
    bench.plant.fault("flag_stuck_off")
    bench.plant.fault("comb_dead")
    bench.run(400, duty=1900)
    assert bench.truth("tip_um") > 2000
    assert (bench.read("IN_FLAG"), bench.read("IN_COMB_N"), bench.read("IN_BRIDGE_ON")) == (0, 0, 1)
    bench = Bench()
    bench.plant.fault("flag_stuck_on")
    bench.run(100, duty=4096)
    assert bench.truth("carriage_um") == 0 and bench.read("IN_FLAG") == 1


def test_stuck_full_drive_passes_two_millimetres_when_nothing_stops_it():
    """Invariant 1: the plant isn't too kind: with the drive stuck and flag and switch gone the tip passes 2 mm."""
    bench = Bench()
    bench.plant.fault("drive_stuck_full")
    bench.plant.fault("flag_stuck_off")
    bench.run(200)
    assert bench.truth("tip_max_um") > 4000


def test_wrong_zero_shifts_the_gate():
    """F1: the gate breaks exactly so much too late."""
    bench = Bench()
    bench.plant.set("zero_tool", 1)
    bench.plant.fault("wrong_zero", error_um=20)
    for _ in range(600):
        bench.hold(60, speed_mm_s=10.0)
        assert bench.read("IN_GATE") == int(bench.truth("tip_um") >= 20.0)
    assert bench.read("IN_GATE") == 1


def test_sensor_faults():
    """F1: contact, load, pressure, supply and level sensors read what the fault says."""
    bench = Bench()
    bench.plant.set("zero_tool", 1)  # else the gate is dark, which reads as broken
    for fault, args, slot, value in (
        ("contact_stuck_on", {}, "IN_CONTACT", 1),
        ("contact_offset", {"offset_mn": 700}, "IN_CONTACT_MN", 700),
        ("load_offset", {"offset_mn": 900}, "IN_LOAD_MN", 900),
        ("pressure_offset", {"offset_pa": 5000}, "IN_PRESS_PA", 5000),
        ("supply_drop", {"supply_mv": 7000}, "IN_SUPPLY_MV", 7000),
        ("driver_fault", {}, "IN_DRIVER_FAULT", 1),
        ("trigger_stuck", {}, "IN_TRIGGER", 1),
        ("estop", {}, "IN_ESTOP", 1),
        ("gate_stuck_on", {}, "IN_GATE", 1),
    ):
        usual = bench.read(slot)
        bench.plant.fault(fault, **args)
        assert bench.read(slot) == value != usual
        bench.plant.unfault(fault)
        assert bench.read(slot) == usual


def test_plunger_faults():
    """F1: a runaway generator moves by itself, a blocked line gives nothing."""
    bench = Bench()
    bench.rest(3)
    bench.plant.fault("steps_extra", steps_per_tick=1.5)
    bench.rest(100)
    assert bench.truth("plunger_steps") == 150 and not bench.plant.at_rest
    flows = []
    for factor in (0.0, 1000.0):
        bench = Bench()
        bench.plant.set("purged", 1)
        if factor:
            bench.plant.fault("occlusion", factor=factor)
        bench.run(100, steps=4)
        flows.append(bench.truth("passed_nl"))
    assert flows[1] < flows[0] / 20


CYCLE = 64  # microsteps of an electrical cycle: four full steps of a two-phase motor
SLIP_TICKS = 7  # 1.6 ms, and a part of a tick on either side


@pytest.mark.parametrize("way", [1, -1])
def test_a_motor_slips_by_whole_cycles(way):
    """F1, source: a stepper's torque repeats each electrical cycle, so that lost steps come by the cycle, at once."""
    bench = Bench()
    bench.plant.fault("steps_lost", lost_fraction=0.25)
    bench.run(2 * CYCLE - 1, steps=2 * way).run(1)
    assert bench.truth("plunger_moved_steps") == way * (4 * CYCLE - 2), "what it lags behind isn't lost yet"
    bench.run(1, steps=2 * way).run(SLIP_TICKS)
    assert (bench.truth("plunger_steps"), bench.truth("plunger_moved_steps")) == (way * 4 * CYCLE, way * 3 * CYCLE)


def test_a_motor_that_loses_all_goes_nowhere():
    """F1: it runs along for a cycle, falls back by one, and so on: nothing on the mean; a slip outlasts the steps."""
    bench = Bench()
    bench.plant.fault("steps_lost", lost_fraction=1.0)
    bench.rest(3)
    places = []
    for _ in range(10 * CYCLE):
        bench.run(1, steps=1)
        places.append(bench.truth("plunger_moved_steps"))
    assert min(places) >= 0 and max(places) <= CYCLE
    assert bench.truth("plunger_steps") >= 10 * CYCLE - 1
    bench.rest(2)
    assert not bench.plant.at_rest, "the motor still falls back"
    bench.rest(SLIP_TICKS)
    assert bench.truth("plunger_moved_steps") == 0


def test_mechanical_faults_of_f2():
    """F2: a broken spring leaves the needle out, a slipped coupling or a reseated needle moves the true tip."""
    bench = Bench()
    bench.go(800)
    bench.plant.fault("spring_broken")
    bench.rest(400)
    assert bench.truth("tip_um") > 700
    for name, argument in (("coupling_slipped", "slip_um"), ("needle_reseated", "shift_um")):
        bench = Bench()
        tip, count = bench.truth("tip_um"), bench.read("IN_ENC_UM")
        bench.plant.fault(name, **{argument: 180})
        assert bench.truth("tip_um") == pytest.approx(tip + 180) and bench.read("IN_ENC_UM") == count
