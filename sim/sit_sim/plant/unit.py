"""One device, one fluid and one skin as numbers in SI units: the nominal unit and named changes of it.

Distances of the needle axis count from park, positive into the skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sit_sim.plant.reference import reference


@dataclass(frozen=True)
class Unit:
    """All that the plant's physics depends on, apart from what the world does. Unit in the name; SI."""

    # needle axis
    mass_kg: float
    spring_park_n: float
    spring_n_per_m: float
    coulomb_n: float
    viscous_n_s_per_m: float
    tilt_g: float  # gravity along the axis, -1..1, positive into the skin
    park_m: float  # from park to the nose-piece plane, with a tip that sits nominally
    travel_end_m: float
    stop_m: float  # the optional mechanical stop, from park
    # coil and drive
    force_n_per_a: float
    resistance_ohm: float
    inductance_h: float
    current_limit_a: float
    decay_s: float  # full current to zero after the bridge opens
    supply_v: float
    # position sensors
    encoder_m: float
    flag_m: float
    comb_pitch_m: float
    comb_error_m: float
    comb_seed: int
    comb_hysteresis_m: float
    adjusted_sd_m: float
    seating_sd_m: float
    gate_sd_m: float
    gate_limit_m: float
    deadman_ticks: int
    output_delay_s: float
    # plunger axis
    lead_m: float
    steps_per_turn: int
    steps_per_cycle: int
    slip_s: float  # in which a motor that has lost its field falls back by a cycle
    backlash_m: float
    cyclic_m: float
    stall_n: float
    max_steps_per_tick: float
    # syringe, tube, needle, fluid
    syringe_id: int
    bore_m: float
    capacity_m3: float
    stopper_n_per_m: float
    stopper_friction_n: float
    compliance_m3_per_pa: float
    tube_bore_m: float
    tube_m: float
    needle_id: int
    needle_bore_m: float
    needle_m: float
    bevel_m: float
    density_kg_per_m3: float
    viscosity_pa_s: float
    entrance_loss: float
    surface_tension_n_per_m: float
    # tissue and skin
    back_pressure_pa: float
    back_pressure_sd_pa: float
    surface_m: float  # skin surface, from the nose-piece plane
    skin_n_per_m: float
    puncture_n: float
    creep_fraction: float
    creep_s: float
    drop_s: float
    cutting_n: float
    skin_friction_n_per_m: float
    site_fraction_sd: float
    site_surface_sd_m: float
    # sensors
    contact_n: float  # the contact switch closes
    load_noise_n: float
    pressure_noise_pa: float
    contact_noise_n: float
    supply_noise_v: float
    # what the reference design leaves out and a worn or badly filled device has; ranges: [worn] in reference.toml
    bubble_m3: float = 0.0  # air in the syringe, at the pressure around it
    thinning: float = 0.0  # share of the viscosity that high shear takes away, below 1
    thinning_half_per_s: float = 1e4  # wall shear rate at which half of that is gone
    encoder_cyclic_m: float = 0.0  # interpolation error, amplitude, once in each pitch
    encoder_pitch_m: float = 20e-6
    load_drift_n_per_s: float = 0.0
    pressure_drift_pa_per_s: float = 0.0
    growth_m_per_k: float = 0.0  # of hub and needle against the carriage's sensors
    expansion_per_k: float = 0.0  # of the fluid, by volume

    def replace(self, **changes: float) -> Unit:
        """A copy with fields changed, in their own units; TypeError for an unknown field."""
        return replace(self, **changes)  # type: ignore[arg-type]


ALIASES: Mapping[str, tuple[str, ...]] = {
    "bore": ("bore_m",),
    "compliance": ("compliance_m3_per_pa",),
    "stopper_stiffness": ("stopper_n_per_m",),
    "stopper_friction": ("stopper_friction_n",),
    "spring": ("spring_park_n", "spring_n_per_m"),
    "mass": ("mass_kg",),
    "force": ("force_n_per_a",),
    "resistance": ("resistance_ohm",),
    "inductance": ("inductance_h",),
    "current_limit": ("current_limit_a",),
    "coulomb": ("coulomb_n",),
    "viscous": ("viscous_n_s_per_m",),
    "backlash": ("backlash_m",),
    "cyclic": ("cyclic_m",),
    "viscosity": ("viscosity_pa_s",),
    "needle_bore": ("needle_bore_m",),
    "bevel": ("bevel_m",),
    "back_pressure": ("back_pressure_pa",),
    "skin_stiffness": ("skin_n_per_m",),
    "puncture": ("puncture_n",),
    "cutting": ("cutting_n",),
    "noise": ("load_noise_n", "pressure_noise_pa", "contact_noise_n", "supply_noise_v"),
}
"""Names a scenario may scale, and the fields each stands for."""


def perturbed(unit: Unit, factors: Mapping[str, float]) -> Unit:
    """`unit` with named quantities multiplied, e.g. {"bore": 1.02}; ValueError for an unknown name or a factor <= 0."""
    for name, factor in factors.items():
        if name not in ALIASES:
            raise ValueError(f"the plant has no quantity {name!r}: use one of {', '.join(sorted(ALIASES))}.")
        if not factor > 0:
            raise ValueError(f"the factor of {name!r} is {factor}: give a number above 0.")
        unit = replace(unit, **{field: getattr(unit, field) * factor for field in ALIASES[name]})
    return unit


def syringe_values(syringe_id: int) -> dict[str, Any]:
    """The nominal fields of a syringe type; ValueError for an unknown id."""
    for table in reference()["syringe"].values():
        if table["id"] == syringe_id:
            return {
                "syringe_id": syringe_id,
                "bore_m": table["bore_mm"] * 1e-3,
                "capacity_m3": table["capacity_ul"] * 1e-9,
                "stopper_n_per_m": table["stopper_n_per_mm"] * 1e3,
                "stopper_friction_n": table["stopper_friction_n"],
                "compliance_m3_per_pa": table["compliance_ul_per_100kpa"] * 1e-14,
            }
    raise ValueError(f"there is no syringe {syringe_id}: see [syringe] in hardware/reference.toml.")


def needle_values(needle_id: int) -> dict[str, Any]:
    """The nominal fields of a needle type; ValueError for an unknown id."""
    for table in reference()["needle"].values():
        if table["id"] == needle_id:
            return {
                "needle_id": needle_id,
                "needle_bore_m": table["inner_mm"] * 1e-3,
                "needle_m": table["length_mm"] * 1e-3,
                "bevel_m": table["bevel_um"] * 1e-6,
            }
    raise ValueError(f"there is no needle {needle_id}: see [needle] in hardware/reference.toml.")


@cache
def nominal_unit() -> Unit:
    """The reference design as drawn: the stiff 1 mL syringe, the 30G needle, saline, middle skin."""
    ref = reference()
    axis, coil, plunger = ref["needle_axis"], ref["coil"], ref["plunger_axis"]
    zero, skin, sensor = ref["zero"], ref["skin"], ref["sensor"]
    park_m = -axis["park_mm"] * 1e-3
    microsteps_per_m = plunger["steps_per_rev"] * plunger["microsteps"] / (plunger["lead_mm"] * 1e-3)
    fastest_m_per_s = plunger["max_speed_mm_per_s"] * plunger["pull_out_factor"] * 1e-3
    return Unit(
        mass_kg=axis["mass_g"] * 1e-3,
        spring_park_n=axis["spring_park_n"],
        spring_n_per_m=axis["spring_n_per_mm"] * 1e3,
        coulomb_n=axis["coulomb_n"],
        viscous_n_s_per_m=axis["viscous_n_s_per_m"],
        tilt_g=0.0,
        park_m=park_m,
        travel_end_m=axis["runaway_stop_mm"] * 1e-3,
        stop_m=park_m + axis["mechanical_stop_mm"] * 1e-3,
        force_n_per_a=coil["force_n_per_a"],
        resistance_ohm=coil["resistance_ohm"],
        inductance_h=coil["inductance_mh"] * 1e-3,
        current_limit_a=coil["current_limit_a"],
        decay_s=coil["decay_us"] * 1e-6,
        supply_v=coil["supply_mv"] * 1e-3,
        encoder_m=ref["encoder"]["count_um"] * 1e-6,
        flag_m=park_m + ref["flag"]["position_um"] * 1e-6,
        comb_pitch_m=ref["comb"]["pitch_um"] * 1e-6,
        comb_error_m=0.0,
        comb_seed=0,
        comb_hysteresis_m=ref["comb"]["hysteresis_um"] * 1e-6,
        adjusted_sd_m=zero["adjusted_sd_um"] * 1e-6,
        seating_sd_m=zero["seating_sd_um"] * 1e-6,
        gate_sd_m=zero["gate_sd_um"] * 1e-6,
        gate_limit_m=zero["uncertainty_um"] * 1e-6,
        deadman_ticks=ref["deadman"]["hold_ticks"],
        output_delay_s=ref["tick"]["output_delay_us"] * 1e-6,
        lead_m=plunger["lead_mm"] * 1e-3,
        steps_per_turn=plunger["steps_per_rev"] * plunger["microsteps"],
        slip_s=plunger["slip_ms"] * 1e-3,
        steps_per_cycle=plunger["full_steps_per_cycle"] * plunger["microsteps"],
        backlash_m=plunger["backlash_um"] * 1e-6,
        cyclic_m=plunger["cyclic_um"] * 1e-6,
        stall_n=plunger["stall_force_n"],
        max_steps_per_tick=fastest_m_per_s * microsteps_per_m * ref["tick"]["tick_us"] * 1e-6,
        **syringe_values(1),
        tube_bore_m=ref["tube"]["inner_mm"] * 1e-3,
        tube_m=ref["tube"]["length_mm"] * 1e-3,
        **needle_values(1),
        density_kg_per_m3=ref["fluid"]["density_kg_per_m3"],
        viscosity_pa_s=ref["fluid"]["viscosity_mpa_s"] * 1e-3,
        entrance_loss=ref["fluid"]["entrance_loss"],
        surface_tension_n_per_m=ref["fluid"]["surface_tension_n_per_m"],
        back_pressure_pa=ref["tissue"]["back_pressure_kpa"] * 1e3,
        back_pressure_sd_pa=ref["tissue"]["back_pressure_shot_sd_kpa"] * 1e3,
        surface_m=skin["surface_um"] * 1e-6,
        skin_n_per_m=skin["stiffness_n_per_mm"] * 1e3,
        puncture_n=skin["puncture_n"],
        creep_fraction=skin["creep_fraction"],
        creep_s=skin["creep_ms"] * 1e-3,
        drop_s=skin["drop_ms"] * 1e-3,
        cutting_n=skin["cutting_n"],
        skin_friction_n_per_m=skin["friction_n_per_mm"] * 1e3,
        site_fraction_sd=skin["site_fraction_sd"],
        site_surface_sd_m=skin["site_surface_sd_um"] * 1e-6,
        contact_n=ref["contact"]["threshold_mn"] * 1e-3,
        load_noise_n=sensor["load_noise_mn"] * 1e-3,
        pressure_noise_pa=sensor["pressure_noise_pa"],
        contact_noise_n=sensor["contact_noise_mn"] * 1e-3,
        supply_noise_v=sensor["supply_noise_mv"] * 1e-3,
    )
