"""Units drawn within the reference design's tolerances, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

from sit_sim.plant.noise import CH_UNIT, CH_WORN, uniform
from sit_sim.plant.reference import reference
from sit_sim.plant.unit import Unit, nominal_unit, syringe_values


def spread_unit(seed: int, syringe_id: int = 1) -> Unit:
    """A unit drawn within reference.toml's tolerances and ranges (each uniform); the same for the same seed, type."""
    ref = reference()
    axis, coil, plunger, skin = ref["needle_axis"], ref["coil"], ref["plunger_axis"], ref["skin"]
    syringe = next(table for table in ref["syringe"].values() if table["id"] == syringe_id)
    base = replace(nominal_unit(), **syringe_values(syringe_id))
    drawn = 0

    def between(low: float, high: float) -> float:
        nonlocal drawn
        drawn += 1
        return low + (high - low) * (uniform(seed, drawn, CH_UNIT) + 1.0) / 2

    def about(middle: float, tolerance: float) -> float:
        return middle * between(1.0 - tolerance, 1.0 + tolerance)

    spring = between(1.0 - axis["spring_tol"], 1.0 + axis["spring_tol"])
    unit = replace(
        base,
        mass_kg=about(base.mass_kg, axis["mass_tol"]),
        spring_park_n=base.spring_park_n * spring,
        spring_n_per_m=base.spring_n_per_m * spring,
        coulomb_n=between(*axis["coulomb_range_n"]),
        viscous_n_s_per_m=between(*axis["viscous_range_n_s_per_m"]),
        tilt_g=between(-axis["gravity_g"], axis["gravity_g"]),
        force_n_per_a=about(base.force_n_per_a, coil["force_tol"]),
        resistance_ohm=base.resistance_ohm * (1.0 + between(*coil["resistance_tol"])),
        supply_v=between(*coil["supply_range_mv"]) * 1e-3,
        flag_m=base.flag_m + between(-1.0, 1.0) * ref["flag"]["tolerance_um"] * 1e-6,
        comb_error_m=ref["comb"]["slot_error_um"] * 1e-6,
        comb_seed=seed,
        backlash_m=between(*plunger["backlash_range_um"]) * 1e-6,
        bore_m=about(base.bore_m, syringe["bore_tol"]),
        stopper_friction_n=between(*syringe["stopper_friction_range_n"]),
        compliance_m3_per_pa=between(*syringe["compliance_range_ul_per_100kpa"]) * 1e-14,
        back_pressure_pa=between(*ref["tissue"]["back_pressure_range_kpa"]) * 1e3,
        surface_m=between(*skin["surface_range_um"]) * 1e-6,
        skin_friction_n_per_m=between(*skin["friction_range_n_per_mm"]) * 1e3,
    )
    # the hardware limits the force, so the current limit is set on the unit's own coil constant
    force_limit_n = about(base.current_limit_a * base.force_n_per_a, coil["current_limit_tol"])
    stiffness = between(*skin["stiffness_range_n_per_mm"]) * 1e3
    # force and indentation both within what has been measured
    low, high = skin["puncture_range_n"]
    shortest, longest = (mm * 1e-3 for mm in skin["indentation_range_mm"])
    puncture = between(max(low, stiffness * shortest), min(high, stiffness * longest))
    # what is left after the pop-through can't exceed a third of the force before it, or there is no drop
    cutting = min(between(*skin["cutting_range_n"]), puncture / 3)
    return replace(
        unit,
        current_limit_a=force_limit_n / unit.force_n_per_a,
        skin_n_per_m=stiffness,
        puncture_n=puncture,
        cutting_n=cutting,
    )


def worn_unit(seed: int) -> Unit:
    """`spread_unit(seed)` with what [worn] of reference.toml adds, each drawn uniformly in its range."""
    worn = reference()["worn"]
    drawn = 0

    def between(name: str) -> float:
        nonlocal drawn
        drawn += 1
        low, high = worn[name]
        return float(low + (high - low) * (uniform(seed, drawn, CH_WORN) + 1.0) / 2)

    return replace(
        spread_unit(seed),
        bubble_m3=between("bubble_range_nl") * 1e-12,
        thinning=between("thinning_range"),
        thinning_half_per_s=worn["thinning_half_per_s"],
        encoder_cyclic_m=between("encoder_cyclic_range_um") * 1e-6,
        encoder_pitch_m=worn["encoder_pitch_um"] * 1e-6,
        load_drift_n_per_s=between("load_drift_range_mn_per_min") * 1e-3 / 60,
        pressure_drift_pa_per_s=between("pressure_drift_range_pa_per_min") / 60,
        growth_m_per_k=worn["growth_um_per_k"] * 1e-6,
        expansion_per_k=worn["expansion_per_k"],
    )
