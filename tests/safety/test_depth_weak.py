"""The weakest coil against the strongest spring: what happens when the force doesn't reach, on the bare loop."""

import pytest
from sit_firmware import codes, image
from sit_sim.campaign import Bench
from sit_sim.plant import nominal_unit, reference

FAULTS = {value: name[6:] for name, value in vars(codes).items() if name.startswith("FAULT_")}
REF = reference()
AXIS, COIL, SKIN = REF["needle_axis"], REF["coil"], REF["skin"]
WORST = {
    "spring_park_n": AXIS["spring_park_n"] * (1 + AXIS["spring_tol"]),
    "spring_n_per_m": AXIS["spring_n_per_mm"] * 1e3 * (1 + AXIS["spring_tol"]),
    "mass_kg": AXIS["mass_g"] * 1e-3 * (1 + AXIS["mass_tol"]),
    "tilt_g": -AXIS["gravity_g"],
    "coulomb_n": AXIS["coulomb_range_n"][1],
    "viscous_n_s_per_m": AXIS["viscous_range_n_s_per_m"][1],
    "force_n_per_a": COIL["force_n_per_a"] * (1 - COIL["force_tol"]),
    "resistance_ohm": COIL["resistance_ohm"] * (1 + COIL["resistance_tol"][1]),
    "current_limit_a": COIL["current_limit_a"] * (1 - COIL["current_limit_tol"]),
    "supply_v": COIL["supply_range_mv"][0] * 1e-3,
    "skin_n_per_m": SKIN["stiffness_range_n_per_mm"][1] * 1e3,
    "puncture_n": SKIN["puncture_range_n"][1],
    "cutting_n": SKIN["cutting_range_n"][1],
    "skin_friction_n_per_m": SKIN["friction_range_n_per_mm"][1] * 1e3,
}
"""Every tolerance at its bad end at once, the needle pointing up: hardware/power.md."""


def towards_worst(share):
    """The unit that lies this share of the way from the nominal one to the worst corner."""
    nominal = nominal_unit()
    return nominal.replace(
        **{name: getattr(nominal, name) + share * (worst - getattr(nominal, name)) for name, worst in WORST.items()}
    )


@pytest.mark.parametrize("depth_um", [1200, 1900])
def test_a_coil_too_weak_is_a_told_fault(depth_um, figure):
    """Invariants 1 and 6: where the force doesn't reach, a fault ends the shot: needle home, nothing given."""
    told = {}
    for tenth in range(11):
        device = Bench(towards_worst(tenth / 10), 3)
        device.purge(1600)
        before = device.plant.truth()["plunger_steps"]
        device.post_shot(depth_um, 3000)
        device.run(8000, until_idle=True)
        device.run(800)
        truth, fault = device.plant.truth(), FAULTS.get(int(device.state[image.ST_FAULT]))
        assert truth["carriage_um"] == 0 and truth["tip_max_um"] <= 1980
        told[tenth] = fault or f"cause {int(device.state[image.ST_CAUSE])}"
        if fault is None and device.state[image.ST_RESULT] == codes.RESULT_DONE:
            told[tenth] = "DONE"
            assert truth["shot"]["depth_um"] == pytest.approx(depth_um, abs=25)
        elif fault:
            assert fault in ("FOLLOWING", "FROZEN"), fault
            assert truth["plunger_steps"] == before
    figure(f"{depth_um} um, from the nominal unit to the worst corner in tenths: {list(told.values())}")
    assert told[0] == "DONE" and told[10] in FAULTS.values()
