"""Metering: the plunger axis, and what a syringe or a needle lays over it."""

import math
from typing import Any

from param_blocks.choices import GUARD, PER_MPA_Q14, TUNING


def step_um(ref: dict[str, Any]) -> float:
    """Travel of one microstep."""
    axis = ref["plunger_axis"]
    return axis["lead_mm"] * 1000 / axis["steps_per_rev"] / axis["microsteps"]


def chunk(ref: dict[str, Any]) -> int:
    """The largest chunk of a tick."""
    return math.ceil(ref["plunger_axis"]["max_speed_mm_per_s"] * 1e-3 * ref["tick"]["tick_us"] / step_um(ref)) + 1


def turned_steps(ref: dict[str, Any], entry: dict[str, Any], to_n: float) -> int:
    """Forward steps after which the rod pushes with at least `to_n`, wherever the stopper stood, worst unit of a type.

    From a stopper that the rod has pulled: its highest friction, backlash and screw error, and what is on its way.
    """
    axis = ref["plunger_axis"]
    turned_um = 1000 * (entry["stopper_friction_range_n"][1] + to_n) / entry["stopper_n_per_mm"]
    way_um = turned_um + axis["backlash_range_um"][1] + 2 * axis["cyclic_um"]
    return math.ceil(GUARD["slide_part"] * way_um / step_um(ref)) + 2 * chunk(ref)


def slip_n(ref: dict[str, Any], entry: dict[str, Any]) -> float:
    """Fall of the plunger force that a motor's slip is told by: what noise never makes. Less than the least slip.

    The noise between two samples: the force's and, by the area, the pressure's. A slip takes off a whole electrical
    cycle, less a tick's steps and the widest backlash, in which nothing pulls.
    """
    axis, sensor = ref["plunger_axis"], ref["sensor"]
    pressure_n = math.pi / 4 * entry["bore_mm"] ** 2 * sensor["pressure_noise_pa"] * 1e-6
    limit_n = GUARD["slip_sd"] * math.sqrt(2) * math.hypot(sensor["load_noise_mn"] / 1000, pressure_n)
    cycle = axis["full_steps_per_cycle"] * axis["microsteps"]
    way_um = (cycle - chunk(ref)) * step_um(ref) - axis["backlash_range_um"][1]
    least_n = way_um * entry["stopper_n_per_mm"] / 1000
    if limit_n > least_n:
        raise ValueError(f"{entry['name']}: a slip of {least_n:.3f} N can't be told from noise, {limit_n:.3f} N.")
    return limit_n


def plunger_guard(ref: dict[str, Any], entry: dict[str, Any]) -> dict[str, int]:
    """What plunger force and pressure of one syringe type may differ by, and what its steps must do (docs/control.md).

    The area's tolerance counts at the highest pressure.
    """
    low_n, high_n = entry["stopper_friction_range_n"]
    area_mm2 = math.pi / 4 * entry["bore_mm"] ** 2
    margin = GUARD["grip_mn"] + 2 * entry["bore_tol"] * area_mm2 * GUARD["press_kpa"]
    return {
        "G_GRIP_MOST_MN": math.ceil(high_n * 1000 + margin),
        "G_GRIP_LEAST_MN": math.floor(low_n * 1000 - margin),
        "G_SLIDE_STEPS": turned_steps(ref, entry, high_n),
        "G_PUSH_STEPS": turned_steps(ref, entry, GUARD["push_n"]),
        "G_SLIP_MN": round(slip_n(ref, entry) * 1000),
        "G_TURN_STEPS": round(1000 * GUARD["turn_n"] / entry["stopper_n_per_mm"] / step_um(ref)),
    }


def syringe(ref: dict[str, Any], entry: dict[str, Any]) -> dict[str, int]:
    """What a syringe type means for metering."""
    area_mm2 = math.pi / 4 * entry["bore_mm"] ** 2
    step_nl = area_mm2 * step_um(ref)
    stopper = area_mm2 / entry["stopper_n_per_mm"] * 1000  # nl/N
    bubble = entry["compliance_ul_per_100kpa"] * 10000  # nl/MPa
    least, most = entry["compliance_range_ul_per_100kpa"]
    backlash = ref["plunger_axis"]["backlash_range_um"]
    accel = ref["plunger_axis"]["max_accel_mm_per_s2"] * (ref["tick"]["tick_us"] * 1e-6) ** 2 * 1000 / step_um(ref)
    return {
        "STEP_NL_Q10": round(step_nl * 1024),
        "COMPL_NL_PER_MPA": round(bubble + stopper * area_mm2),
        "BUBBLE_Q14": round(bubble * PER_MPA_Q14),
        "STOPPER_Q10": round(stopper / 1000 * 1024),
        "BACKLASH_NL": round(area_mm2 * ref["plunger_axis"]["backlash_um"]),
        "STORED_Q14": round((bubble + stopper * area_mm2) * PER_MPA_Q14),
        "SOFT_LOW_Q14": math.floor((least * (1 - TUNING["soft_part"]) * 10000 + stopper * area_mm2) * PER_MPA_Q14),
        "SOFT_HIGH_Q14": math.ceil((most * (1 + TUNING["soft_part"]) * 10000 + stopper * area_mm2) * PER_MPA_Q14),
        "SLACK_LOW_NL": math.floor(area_mm2 * backlash[0]) - TUNING["slack_nl"],
        "SLACK_HIGH_NL": math.ceil(area_mm2 * backlash[1]) + TUNING["slack_nl"],
        "FRICTION_MN": round(entry["stopper_friction_n"] * 1000),
        "BORE_Q14": round(area_mm2 * 1000 * PER_MPA_Q14),
        "PL_STOP_Q16": round(step_nl / (2 * accel) * 256),
        **plunger_guard(ref, entry),
    }


def plunger(ref: dict[str, Any]) -> dict[str, float]:
    """Parameters of metering that no syringe changes."""
    axis, tick, t = ref["plunger_axis"], ref["tick"], TUNING
    tick_s = tick["tick_us"] * 1e-6
    ticks_ms = 1000 / tick["tick_us"]
    bevel = ref["needle"]["30G4"]["bevel_um"]
    return {
        "PL_ACC_Q8": math.floor(
            axis["max_accel_mm_per_s2"] * tick_s**2 * 1000 / step_um(ref) * tick["control_divider"] * 256
        ),
        "PL_VMAX_Q8": math.floor(axis["max_speed_mm_per_s"] * tick_s * 1000 / step_um(ref) * 256),
        "PL_BACK_Q8": t["back_steps"] * 256,
        "BACK_MIN_PA": (ref["tissue"]["back_pressure_range_kpa"][0] * 1000),
        "CREEP_NL": t["creep_nl"],
        "BEVEL_UM": bevel,
        "DOSE_TOL_NL": t["dose_tol_nl"],
        "QUIET_PA": t["quiet_pa"],
        "QUIET_TICKS": t["quiet_ms"] * ticks_ms,
        "PRESS_SOFT_PA": t["press_soft_kpa"] * 1000,
        "PROBE_PA": t["probe_kpa"] * 1000,
        "PROBE_NL": t["probe_nl"],
        "PROBE_SETTLE": t["probe_settle_ms"] * ticks_ms,
        "PROBE_TICKS": t["probe_ms"] * ticks_ms,
        "PROBE_DROP_PA": t["probe_drop_kpa"] * 1000,
        "PROBE_WAIT": t["probe_wait_ms"] * ticks_ms,
        "PROBE_TRIES": t["probe_tries"],
        "REST_PA": t["rest_kpa"] * 1000,
        "RETRACT_TICKS": t["retract_ms"] * ticks_ms,
        "PULL_MN": t["pull_mn"],
        "LEARN_PA": t["learn_kpa"] * 1000,
        "EARLY_UM": t["early_um"],
        "LOOK_TICKS": t["look_ms"] * ticks_ms,
        "LOOK_DROP_PA": t["look_drop_kpa"] * 1000,
    }


def leak(ref: dict[str, Any], entry: dict[str, Any]) -> int:
    """Viscosity in uPa.s times compliance in nl per 16 Pa, Q14, at which a leaking line falls with TUNING's leak_ms."""
    resistance = 0.0  # Pa s / m^3 for 1 Pa s, Hagen-Poiseuille
    for part in (entry, ref["tube"]):
        resistance += 128 * part["length_mm"] * 1e-3 / (math.pi * (part["inner_mm"] * 1e-3) ** 4)
    return math.floor(TUNING["leak_ms"] * 1e-3 * PER_MPA_Q14 / (1e-24 * resistance))


def bore_nl(part: dict[str, Any]) -> float:
    """Volume of a tube or needle, nl."""
    return float(math.pi / 4 * part["inner_mm"] ** 2 * part["length_mm"] * 1000)
