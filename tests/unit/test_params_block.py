"""The parameter block: made from the reference, sealed, and what is laid over it."""

import math
import sys
from array import array
from pathlib import Path

import pytest
from sit_firmware import image, params, params_gen
from sit_sim.plant import reference

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import gen_params
import guard_band

REFERENCE = reference()


class Settings:
    """What `apply` reads of the settings."""

    def __init__(self, max_depth_um=1900):
        self.max_depth_um = max_depth_um


class Calibration:
    """What `apply` reads of the calibration."""

    def __init__(self, syringe_id=1, bore_um=4699, offset_nl=0, compliance_nl_per_mpa=7007):
        self.syringe_id = syringe_id
        self.bore_um = bore_um
        self.offset_nl = offset_nl
        self.compliance_nl_per_mpa = compliance_nl_per_mpa


@pytest.fixture
def block():
    made = array("i", [0] * image.N_PARAMS)
    params.defaults(made)
    return made


def test_generated_file_is_that_of_the_reference():
    """One source of the numbers: the generated module is what the reference gives today."""
    assert gen_params.main(["--check"]) == 0
    assert gen_params.OUT.read_text() == gen_params.text(guard_band.reference())


def test_every_named_slot_is_filled(block):
    """No parameter is left at nothing by an oversight: only the dose offset is 0 by nature."""
    named = {name: slot for name, slot in vars(image).items() if name.startswith("P_")}
    assert [name for name, slot in named.items() if block[slot] == 0] == ["P_OFFSET_NL"]
    assert len(set(named.values())) == len(named)


def test_seal_notices_every_slot_and_their_order(block):
    """Invariant 6: a changed slot or two exchanged ones break the sum; sealing mends it."""
    assert params.sum_ok(block)
    for slot in range(1, image.N_PARAMS):
        block[slot] ^= 1
        assert not params.sum_ok(block), slot
        block[slot] ^= 1
    a, b = image.P_G_LIMIT_UM, image.P_G_SPEED_UM
    block[a], block[b] = block[b], block[a]
    assert not params.sum_ok(block)
    params.seal(block)
    assert params.sum_ok(block)


@pytest.mark.parametrize(("asked_um", "got_um"), [(1500, 1500), (1900, 1900), (2500, 1900)])
def test_a_setting_lowers_the_depth_and_never_raises_it(block, asked_um, got_um):
    """Invariant 1: settings can't reach beyond the derived depth."""
    params.apply(block, Settings(asked_um), Calibration())
    assert block[image.P_MAX_DEPTH_UM] == got_um
    assert params.sum_ok(block)


def test_nominal_calibration_changes_nothing(block):
    """The factory's calibration gives the block of the reference design, to a rounding."""
    nominal = array("i", block)
    params.apply(block, Settings(), Calibration())
    for slot in range(1, image.N_PARAMS):
        assert abs(block[slot] - nominal[slot]) <= 1, slot


def test_calibration_moves_steps_and_compliance(block):
    """A wider bore gives more per step; what the calibration finds beyond the stopper is barrel and tube."""
    params.apply(block, Settings(), Calibration(bore_um=4793, offset_nl=-30, compliance_nl_per_mpa=9007))
    step = block[image.P_STEP_NL_Q10] / 1024
    assert step == pytest.approx(math.pi / 4 * 4.793**2 * 0.3125, rel=2e-4)
    assert block[image.P_OFFSET_NL] == -30
    assert block[image.P_BUBBLE_Q14] == pytest.approx(6000 * 16 * 16384 / 1e6, abs=2)
    params.apply(block, Settings(), Calibration(compliance_nl_per_mpa=1000))
    assert block[image.P_BUBBLE_Q14] == 0


@pytest.mark.parametrize("entry", REFERENCE["syringe"].values(), ids=lambda e: e["name"])
def test_syringe_types(block, entry):
    """Each syringe of the reference: step volume, capacity and stiffness as geometry has them."""
    params.use_syringe(block, entry["id"])
    area = math.pi / 4 * entry["bore_mm"] ** 2
    assert block[image.P_STEP_NL_Q10] / 1024 == pytest.approx(area * 0.3125, rel=2e-4)
    assert block[image.P_STOPPER_Q10] / 1024 == pytest.approx(area / entry["stopper_n_per_mm"], rel=5e-3)
    steps = params.capacity_steps(entry["id"])
    assert steps * area * 0.3125 == pytest.approx(entry["capacity_ul"] * 1000, rel=1e-3)
    assert params.sum_ok(block)


def test_unknown_types(block):
    """A type that isn't known has no capacity and no bevel, and can't be laid over the block."""
    assert params.capacity_steps(99) == 0
    assert params.bevel_um(99) == 0
    with pytest.raises(KeyError):
        params.use_syringe(block, 99)
    with pytest.raises(KeyError):
        params.use_needle(block, 99, 1000)


def test_needle_sets_the_bevel(block):
    """The needle's bevel is what the tick itself refuses shallower shots by."""
    for entry in REFERENCE["needle"].values():
        params.use_needle(block, entry["id"], 1000)
        assert block[image.P_BEVEL_UM] == entry["bevel_um"] == params.bevel_um(entry["id"])
        assert params.sum_ok(block)


@pytest.mark.parametrize(
    ("syringe_id", "needle_id", "viscosity_upas", "look_ms", "quiet_ms"),
    [
        (1, 1, 1000, 6.0, 2.0),
        (1, 2, 1000, 6.0, 3.0),
        (1, 3, 1000, 16.75, 8.25),
        (1, 3, 3000, 50.75, 25.25),
        (3, 1, 1000, 11.25, 5.5),
    ],
)
def test_a_slow_line_is_looked_at_for_longer(block, syringe_id, needle_id, viscosity_upas, look_ms, quiet_ms):
    """Metering: half and a quarter of the time constant of the softest syringe of the type; quick lines as ever."""
    params.use_syringe(block, syringe_id)
    for viscosity, ms in ((2_000_000, (100.0, 50.0)), (viscosity_upas, (look_ms, quiet_ms))):  # nothing is remembered
        params.use_needle(block, needle_id, viscosity)
        assert (block[image.P_PROBE_TICKS] / 4, block[image.P_QUIET_TICKS] / 4) == ms
    params.use_look(block, 1, 1000)
    assert block[image.P_PROBE_TICKS] / 4 == look_ms


def test_guard_numbers_are_rounded_to_the_safe_side(block):
    """Invariant 1: the guard's acceleration, time and limit are never kinder than the derivation."""
    env, band = guard_band.envelope(guard_band.reference()), guard_band.derive(guard_band.reference())
    assert block[image.P_G_AF_Q8] >= env.af * 256 and block[image.P_G_AS_Q8] <= env.as_ * 256
    assert block[image.P_G_AF_SLOPE_Q16] <= env.af_slope * 2**24
    assert block[image.P_G_AS_SLOPE_Q16] <= env.as_slope * 2**24
    assert block[image.P_G_T_Q8] >= env.t * 256 and block[image.P_G_T2_Q8] >= env.t**2 / 2 * 256
    assert block[image.P_G_LIMIT_UM] <= band.limit_um


def test_step_volume_rounds_to_the_nearest():
    """The background's integers give the generator's step volume."""
    for entry in REFERENCE["syringe"].values():
        generated = dict(params_gen.SYRINGES[entry["id"]])[image.P_STEP_NL_Q10]
        assert params.step_nl_q10(round(entry["bore_mm"] * 1000)) == generated
