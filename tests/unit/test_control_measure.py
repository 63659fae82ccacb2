"""The measure of a suck-back (control/learn.py), the probe's pressure, two ends of waiting: on arrays set by hand."""

import pytest
from sit_firmware import codes, image, params
from sit_firmware.control import learn, meter, probe, rapid, work

STILL, SLIDES = 1, 2
KPA = 1000


class Arrays:
    """A device at 40 kPa in the dwell of a shot, its parameters those of the first syringe type."""

    def __init__(self):
        self.all = self.state, self.inputs, self.outputs, self.params = image.new()
        params.defaults(self.params)
        self.put(ST_PHASE=codes.PHASE_DWELL, ST_QUIET_N=2, ST_PRESS_PA=40 * KPA, IN_PRESS_PA=40 * KPA, IN_CONTACT=1)

    def put(self, **values):
        for name, value in values.items():
            {"IN": self.inputs, "ST": self.state}[name[:2]][getattr(image, name)] = value
        return self

    def get(self, name):
        return {"ST": self.state, "P_": self.params}[name[:2]][getattr(image, name)]


@pytest.mark.parametrize(
    ("phase", "quiet_n", "stage"),
    [("DWELL", 2, STILL), ("DWELL", 3, STILL), ("DWELL", 1, 0), ("DISPENSE", 2, 0), ("PURGE", 9, 0)],
)
def test_a_measure_begins_with_standing_pressure_in_tissue(phase, quiet_n, stage):
    """Invariant 4: compliance is measured from a pressure that has stood for two looks, with the opening in tissue."""
    here = Arrays().put(ST_PHASE=getattr(codes, f"PHASE_{phase}"), ST_QUIET_N=quiet_n, ST_LEARN=SLIDES)
    learn.begin(*here.all)
    assert here.get("ST_LEARN") == stage
    assert here.get("ST_BEFORE_PA") == 40 * KPA


@pytest.mark.parametrize("pulled_mn", [0, 1])
@pytest.mark.parametrize("fallen_pa", [0, 1])
def test_it_is_measured_from_a_stopper_that_slides_back(pulled_mn, fallen_pa):
    """Invariant 4: only once the rod pulls and the pressure has fallen has the stopper let go: before, steps vanish."""
    here = Arrays()
    learn.begin(*here.all)
    press_pa = 40 * KPA - here.get("P_LEARN_PA") + 1 - fallen_pa
    here.put(IN_PRESS_PA=press_pa, IN_LOAD_MN=-here.get("P_PULL_MN") + 1 - pulled_mn, IN_STEPS=700)
    learn.watch(*here.all)
    slides = pulled_mn and fallen_pa
    assert here.get("ST_LEARN") == (SLIDES if slides else STILL)
    assert (here.get("ST_LEARN_STEPS"), here.get("ST_LEARN_PA")) == ((700, press_pa) if slides else (0, 0))


def test_a_push_is_no_pull():
    """Invariant 4: a rod that still pushes as hard as it should pull measures nothing."""
    here = Arrays()
    learn.begin(*here.all)
    learn.watch(*here.put(IN_PRESS_PA=0, IN_LOAD_MN=here.get("P_PULL_MN")).all)
    assert here.get("ST_LEARN") == STILL


def measured(known, soft_n, steps=28):
    """(compliance before, measured, after) in nl per 16 Pa, Q14: a fall of 20 kPa while `steps` were pulled back."""
    here = Arrays()
    step_q10 = here.get("P_STEP_NL_Q10")
    soft = ((steps * step_q10) << 8) // (20 * KPA)
    assert here.get("P_SOFT_LOW_Q14") <= soft <= here.get("P_SOFT_HIGH_Q14")
    before = known(soft)
    here.put(ST_LEARN=SLIDES, ST_LEARN_STEPS=steps, ST_LEARN_PA=30 * KPA, ST_BEFORE_PA=40 * KPA)
    here.put(IN_PRESS_PA=10 * KPA, IN_STEPS=0, ST_SOFT_Q14=before, ST_SOFT_N=soft_n)
    learn.end(*here.all)
    assert here.get("ST_SOFT_N") == soft_n + 1
    return before, soft, here.get("ST_SOFT_Q14")


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("soft_n", "less", "share"), [(0, 1, 1), (1, 1, 4), (3, 1, 4), (1, 0, 1), (3, -9, 1)])
def test_noise_is_averaged_and_a_change_is_taken(way, soft_n, less, share):
    """Metering: the first measure and a change of a sixteenth or more count whole, smaller ones by a quarter."""
    before, soft, after = measured(lambda soft: soft - way * ((soft >> 4) - less), soft_n)
    assert after == before + (soft - before) // share


@pytest.mark.parametrize("above_pa", [-1, 0])
def test_the_probe_presses_beyond_what_the_sensor_shows_too_much(above_pa):
    """Invariant 2: what a sensor shows too much at rest is no pressure of the probe."""
    here = Arrays().put(ST_ZERO_PA=5 * KPA, ST_PROBE=image.PROBE_PRESS)
    probe.probe(*here.put(ST_PRESS_PA=here.get("P_PROBE_PA") + 5 * KPA + above_pa).all)
    assert here.get("ST_PROBE") == (image.PROBE_PRESS if above_pa else image.PROBE_LOOK)


def test_a_look_at_the_flow_begins_anew_while_the_plunger_moves():
    """Metering: what is pushed and what flows out could make up for each other, so nothing stands meanwhile."""
    here = Arrays().put(ST_PL_SPEED_Q8=256, ST_QUIET_N=2, ST_FLOW_TICK=100, IN_TICK=102, ST_PRESS_PA=40 * KPA)
    here.put(ST_FLOW_PA=40 * KPA)
    meter.quiet(*here.all)
    assert (here.get("ST_QUIET_N"), here.get("ST_FLOW_TICK")) == (0, 102)
    for tick, looks in ((109, 0), (110, 1), (118, 2)):
        meter.quiet(*here.put(ST_PL_SPEED_Q8=0, IN_TICK=tick).all)
        assert here.get("ST_QUIET_N") == looks


@pytest.mark.parametrize("late", [0, 1])
def test_a_purge_that_never_stands_still_ends(late):
    """Work: a purge whose pressure never stands ends when its wait is over, in the tick when it is."""
    here = Arrays().put(ST_PHASE=codes.PHASE_PURGE, ST_ARG_DWELL_TICKS=400, ST_PHASE_TICK=50)
    wait = 400 + here.get("P_RETRACT_TICKS")
    # the look before was this tick, so there is none in this one
    here.put(IN_TICK=50 + wait - 1 + late, ST_FLOW_TICK=50 + wait - 1 + late, ST_QUIET_N=0)
    work.purge(*here.all)
    assert here.get("ST_SUCK") == late


@pytest.mark.parametrize("late", [0, 1])
def test_a_test_stroke_that_never_arrives_fails(late):
    """Invariant 6: a stroke of the self-test that doesn't arrive in its time is a fault, in that tick."""
    here = Arrays().put(ST_PHASE=codes.PHASE_TEST, ST_ARG_STEPS=image.TEST_SPRING, ST_PHASE_TICK=50)
    here.put(ST_TARGET_UM=500, IN_SUPPLY_MV=12000, IN_TICK=50 + here.get("P_INSERT_TICKS") - 1 + late)
    work.test(*here.all)
    assert here.get("ST_END_CAUSE") == (codes.FAULT_FOLLOWING if late else 0)


@pytest.mark.parametrize("press_kpa", [0, 40, 299, 300, 320])
def test_a_run_pushes_no_more_than_the_line_holds(press_kpa):
    """Invariant 4: near the highest pressure a run's push slows down, beyond it none is left to go."""
    here = Arrays().put(ST_PROBE=image.PROBE_IN_TISSUE, ST_SETTLE_N=1000, ST_GOAL_NL=20_000, ST_ARG_MAX_STEPS=9000)
    here.put(ST_SOFT_Q14=here.get("P_STORED_Q14"), ST_PRESS_PA=press_kpa * KPA)
    rapid.give(*here.all)
    room_nl = (here.get("P_PRESS_SOFT_PA") - press_kpa * KPA) * here.get("P_STORED_Q14") / 2**18
    assert here.get("ST_PL_GO_NL") == pytest.approx(max(0, room_nl), abs=2)
    assert here.get("ST_PL_GO_NL") == 0 or room_nl > 0
