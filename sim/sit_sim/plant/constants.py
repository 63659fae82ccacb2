"""The kernels' constants `p`, worked out from a unit and from how needle, zero and stop are fitted."""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from typing import Any

from sit_sim.plant.layout import *
from sit_sim.plant.unit import Unit

_PI = 3.141592653589793
_G = 9.80665


def tube_resistance(viscosity_pa_s: float, length_m: float, bore_m: float) -> float:
    """Hagen-Poiseuille: 8 mu L / (pi r^4), Pa s/m^3."""
    radius = bore_m / 2
    return 8.0 * viscosity_pa_s * length_m / (_PI * radius * radius * radius * radius)


def entrance_factor(unit: Unit) -> float:
    """Velocity heads lost at the needle's ends: K rho / (2 A^2), Pa s^2/m^6; pressure = this x flow^2."""
    area = _PI * unit.needle_bore_m * unit.needle_bore_m / 4
    return unit.entrance_loss * unit.density_kg_per_m3 / (2 * area * area)


def line_volume(unit: Unit) -> float:
    """Volume of tube and needle, m^3: the air to purge after a syringe change."""
    tube = _PI / 4 * unit.tube_bore_m * unit.tube_bore_m * unit.tube_m
    return tube + needle_volume(unit)


def needle_volume(unit: Unit) -> float:
    """Volume of the needle's bore, m^3."""
    return _PI / 4 * unit.needle_bore_m * unit.needle_bore_m * unit.needle_m


def fill_constants(p: Any, unit: Unit, plane_m: float, gate_m: float, stop_fitted: bool) -> None:
    """Write all of `p`; `plane_m` is the carriage's place with the tip in the plane, `gate_m` the gate's error."""
    damping = DT_S * unit.viscous_n_s_per_m / unit.mass_kg
    winding = DT_S / unit.inductance_h
    area = _PI / 4 * unit.bore_m * unit.bore_m
    p[P_DT_PER_M] = DT_S / unit.mass_kg
    p[P_MASS] = unit.mass_kg
    p[P_VISCOUS] = 1.0 / (1.0 + damping)
    p[P_VISCOUS_B] = unit.viscous_n_s_per_m
    p[P_SPRING_N] = unit.spring_park_n
    p[P_SPRING_K] = unit.spring_n_per_m
    p[P_WEIGHT] = unit.mass_kg * _G * unit.tilt_g
    p[P_COULOMB] = unit.coulomb_n
    p[P_KF] = unit.force_n_per_a
    p[P_COIL_A] = 1.0 / (1.0 + winding * unit.resistance_ohm)
    p[P_COIL_B] = winding
    p[P_I_MAX] = unit.current_limit_a
    p[P_I_DECAY] = unit.current_limit_a * DT_S / unit.decay_s
    p[P_FLAG] = unit.flag_m
    p[P_END] = unit.stop_m if stop_fitted else unit.travel_end_m
    p[P_COMB_PITCH] = unit.comb_pitch_m
    p[P_COMB_ERROR] = unit.comb_error_m
    p[P_COMB_SEED] = unit.comb_seed
    p[P_COMB_HYSTERESIS] = unit.comb_hysteresis_m
    p[P_HOLD] = unit.deadman_ticks * SUBSTEPS
    p[P_DELAY] = round(unit.output_delay_s / DT_S)
    p[P_PER_COUNT] = 1.0 / unit.encoder_m
    p[P_STEP] = unit.lead_m / unit.steps_per_turn
    p[P_TURN] = unit.steps_per_turn
    p[P_CYCLE] = unit.steps_per_cycle
    p[P_SLIP] = max(1.0, round(unit.steps_per_cycle * DT_S / unit.slip_s))
    p[P_CYCLIC] = unit.cyclic_m
    p[P_BACKLASH] = unit.backlash_m
    p[P_STALL] = unit.stall_n
    p[P_MAX_CHUNK] = unit.max_steps_per_tick
    p[P_AREA] = area
    p[P_Z_END] = unit.capacity_m3 / area
    p[P_STOPPER_K] = unit.stopper_n_per_m
    p[P_STOPPER_F] = unit.stopper_friction_n
    p[P_COMPLIANCE] = unit.compliance_m3_per_pa
    p[P_PER_C] = 1.0 / unit.compliance_m3_per_pa
    p[P_AREA_PER_C] = area / unit.compliance_m3_per_pa
    p[P_PER_STIFF] = 1.0 / (unit.stopper_n_per_m + area * area / unit.compliance_m3_per_pa)
    p[P_R_FLOW] = tube_resistance(unit.viscosity_pa_s, unit.tube_m, unit.tube_bore_m) + tube_resistance(
        unit.viscosity_pa_s, unit.needle_m, unit.needle_bore_m
    )
    p[P_K_FLOW] = entrance_factor(unit)
    p[P_MENISCUS] = 4.0 * unit.surface_tension_n_per_m / unit.needle_bore_m
    p[P_BACK] = unit.back_pressure_pa
    p[P_BACK_SD] = unit.back_pressure_sd_pa
    p[P_SURFACE] = unit.surface_m
    p[P_SKIN_K] = unit.skin_n_per_m
    p[P_PUNCTURE] = unit.puncture_n
    p[P_CREEP] = unit.creep_fraction
    p[P_CREEP_STEP] = DT_S / unit.creep_s
    p[P_DROP_S] = unit.drop_s
    p[P_CUTTING] = unit.cutting_n
    p[P_SKIN_F] = unit.skin_friction_n_per_m
    p[P_BEVEL] = unit.bevel_m
    p[P_PLANE] = plane_m
    p[P_GATE] = gate_m
    p[P_LOAD_SD] = unit.load_noise_n
    p[P_PRESS_SD] = unit.pressure_noise_pa
    p[P_CONTACT_SD] = unit.contact_noise_n
    p[P_SUPPLY_SD] = unit.supply_noise_v
    p[P_CONTACT_ON] = unit.contact_n
    p[P_BUBBLE] = unit.bubble_m3
    p[P_R_THIN] = unit.thinning * tube_resistance(unit.viscosity_pa_s, unit.needle_m, unit.needle_bore_m)
    p[P_Q_HALF] = unit.thinning_half_per_s * _PI / 4 * (unit.needle_bore_m / 2) ** 3
    p[P_ENC_CYCLIC] = unit.encoder_cyclic_m
    p[P_PER_ENC_PITCH] = 1.0 / unit.encoder_pitch_m
    p[P_LOAD_DRIFT] = unit.load_drift_n_per_s * TICK_S
    p[P_PRESS_DRIFT] = unit.pressure_drift_pa_per_s * TICK_S
