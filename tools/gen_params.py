"""Make firmware/sit_firmware/params_gen.py: the parameter block's defaults from hardware/reference.toml.

    tools/gen_params.py [--check]

Physical numbers come from the reference file; what is a choice of the control law stands in TUNING below. Worst cases
for the guard come from tools/guard_band.py. Rounding goes to the safe side where a number guards.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import guard_band
import late_boards

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "firmware" / "sit_firmware" / "params_gen.py"

# Choices of the control law. The needle's come from the feasibility study of reference A, the rest from runs of the
# bare loop (docs/control.md says which).
TUNING = {
    "observer_hz": 500.0,
    "loop_hz": 130.0,
    "accel_m_per_s2": 25.0,
    "decel_m_per_s2": 8.0,
    "cap_m_per_s": 0.15,
    "landing_ms": 4.0,
    "easy_m_per_s": 0.012,
    "easy_n": 0.22,
    "firm_n": 0.4,
    "settle_um": 10,
    "settle_ms": 3.0,
    "settle_min_ms": 20.0,
    "insert_ms": 250.0,
    "home_um": 40,
    "zero_seating_sd": 3.5,
    "creep_nl": 20,
    "back_steps": 4,  # a tick
    "dose_tol_nl": 20,
    "quiet_pa": 600,
    "quiet_ms": 2.0,
    "press_soft_kpa": 300,
    "probe_kpa": 8.0,
    "probe_nl": 120,
    "probe_settle_ms": 1.5,
    "probe_ms": 6.0,
    "probe_drop_kpa": 1.0,
    "probe_wait_ms": 15.0,
    "probe_tries": 8,
    "rest_kpa": 3.0,
    "retract_ms": 100.0,
    "early_um": 400,  # before the depth: the rest takes as long as the probe
    "look_ms": 12.0,  # a 34G needle that leaks falls by a third meanwhile, with the softest set of its type
    "look_drop_kpa": 0.8,
    "leak_ms": 35.0,  # a leaking line that falls more slowly isn't told from tissue
    "pull_mn": 100,  # noise of the force, 5 standard deviations
    "learn_kpa": 8.0,
    "soft_part": 0.1,  # of the type's tolerance, besides
    "slack_nl": 12,  # noise of force and pressure in the measure of the backlash
    "test_um": 300,
    "test_kpa": 8,  # what suck-back leaves, the meniscus of the thinnest needle, and noise
}
PER_MPA_Q14 = 16 * 16384 / 1e6  # nl/MPa -> nl per 16 Pa in Q14

# Choices of the guard. Limits with a time are ticks in a row.
GUARD = {
    "speed_um": 50,  # 0.2 m/s: the profile's cap is 0.15 m/s
    "jump_um": 220,  # the spring brings the needle home at 150 um a tick
    "jerk_um": 16,
    "jolt_um": 6,  # normal shots: 4
    "follow_um": 110,  # normal shots: 52 ahead, leaving park
    "lag_um": 45,  # normal shots: 25
    "near_um": 12,  # normal shots: 8, once the profile is slow
    "slow_m_per_s": 0.05,
    "still_um": 17,  # normal shots: 8
    "disturbance_n": 2.4,
    "rest_um": 4,
    "rest_ticks": 40,  # normal shots: 23
    "short_um": 2,
    "short_ticks": 8,  # normal shots: 2
    "home_ms": 25.0,
    "away_um": 150,
    "press_kpa": 450,
    "press_ms": 5.0,
    "load_n": 50.0,
    "supply_ms": 5.0,
    "background_ms": 100.0,
    "contact_ms": 500.0,
    "cut_ticks": 3,
    "push_n": 0.4,
    "turn_n": 1.5,  # less than twice the lowest friction of any type: the stopper still stands
    "sensor_kpa": 1000,
    "grip_ms": 2.0,
    "grip_mn": 100.0,  # noise of force and pressure, 5 standard deviations
    "slide_part": 1.1,  # of the way that stopper and backlash give, at the softest
}


def spring_acc(ref: dict[str, Any], force_n: float, step_s: float) -> float:
    """um per step^2 that a force gives the nominal needle."""
    return force_n / (ref["needle_axis"]["mass_g"] / 1000) * step_s**2 * 1e6


def observer_gains(hz: float, step_s: float) -> tuple[float, float, float]:
    """Gains of a three-state observer with one triple pole (position, speed, constant disturbance)."""
    p = math.exp(-2 * math.pi * hz * step_s)
    return 1 - p**3, 1.5 * (1 - p) ** 2 * (1 + p), (1 - p) ** 3


def needle(ref: dict[str, Any]) -> dict[str, float]:
    """Parameters of the position loop."""
    axis, coil, tick, t = ref["needle_axis"], ref["coil"], ref["tick"], TUNING
    step_s = tick["tick_us"] * tick["control_divider"] * 1e-6
    mass, k, r = axis["mass_g"] / 1000, coil["force_n_per_a"], coil["resistance_ohm"]
    gains = observer_gains(t["observer_hz"], step_s)
    w = 2 * math.pi * t["loop_hz"] * step_s
    mv_per_acc = r * mass / k / (step_s**2 * 1e6) * 1000
    lag_s = coil["inductance_mh"] / 1000 / r
    left = 1 - tick["output_delay_us"] * 1e-6 / step_s
    fresh = left - lag_s / step_s * (1 - math.exp(-left * step_s / lag_s))
    to_v = step_s * 1e6  # m/s -> um/step
    to_a = step_s**2 * 1e6
    ticks_ms = 1000 / tick["tick_us"]
    park_um = -axis["park_mm"] * 1000
    return {
        "OBS_X_Q8": gains[0] * 256,
        "OBS_V_Q8": gains[1] * 256,
        "OBS_D_Q8": gains[2] * 256,
        "KP_Q10": w**2 * 1024,
        "KD_Q10": 2 * w * 1024,
        "MV_PER_ACC": mv_per_acc,
        "ACC_PER_MV_Q10": 1024 * 256 / mv_per_acc,
        "EMF_MV": k / to_v * 1000,
        "DRIVE_MV": coil["current_limit_a"] * r * (1 + coil["resistance_tol"][1]) * 1000,
        "PARK_ACC_Q8": spring_acc(ref, axis["spring_park_n"], step_s) * 256,
        "SLOPE_Q16": spring_acc(ref, axis["spring_n_per_mm"] / 1000, step_s) * 65536,
        "FRESH_Q4": fresh * 16,
        "A1_Q8": t["accel_m_per_s2"] * to_a * 256,
        "AD_Q8": t["decel_m_per_s2"] * to_a * 256,
        "VCAP_Q8": t["cap_m_per_s"] * to_v * 256,
        "TAU_Q10": 1024 * step_s * 1000 / t["landing_ms"],
        "EASY_V_Q8": t["easy_m_per_s"] * to_v * 256,
        "EASY_ACC_Q8": t["easy_n"] / mass * to_a * 256,
        "FIRM_ACC_Q8": t["firm_n"] / mass * to_a * 256,
        "ZERO_V_Q8": ref["zero"]["speed_um_per_s"] * step_s * 256,
        "ZERO_END_UM": park_um + t["zero_seating_sd"] * ref["zero"]["seating_sd_um"],
        "SETTLE_UM": t["settle_um"],
        "SETTLE_N": t["settle_ms"] / 1000 / step_s,
        "SETTLE_TICKS": t["settle_min_ms"] * ticks_ms,
        "INSERT_TICKS": t["insert_ms"] * ticks_ms,
        "HOME_UM": t["home_um"],
        "TEST_UM": t["test_um"],
        "TEST_PA": t["test_kpa"] * 1000,
    }


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


def guard(ref: dict[str, Any]) -> dict[str, float]:
    """Parameters of the guard: worst cases, rounded to the safe side."""
    g, tick, axis = GUARD, ref["tick"], ref["needle_axis"]
    env, band = guard_band.envelope(ref), guard_band.derive(ref)
    step_s = tick["tick_us"] * tick["control_divider"] * 1e-6
    ticks_ms = 1000 / tick["tick_us"]
    park_um = -axis["park_mm"] * 1000
    return {
        "G_LIMIT_UM": band.limit_um,
        "G_ZERO_MIN_UM": park_um - TUNING["zero_seating_sd"] * ref["zero"]["seating_sd_um"],
        "G_AF_Q8": math.ceil(env.af * 256),
        "G_AF_SLOPE_Q16": math.floor(env.af_slope * 256 * 65536),
        "G_AS_Q8": math.floor(env.as_ * 256),
        "G_AS_SLOPE_Q16": math.floor(env.as_slope * 256 * 65536),
        **guard_band.horizon(env.t),
        "G_SPEED_UM": g["speed_um"],
        "G_JUMP_UM": g["jump_um"],
        "G_JERK_UM": g["jerk_um"],
        "G_FOLLOW_UM": g["follow_um"],
        "G_JOLT_UM": g["jolt_um"],
        "G_LAG_UM": g["lag_um"],
        "G_SLOW_Q8": g["slow_m_per_s"] * step_s * 1e6 * 256,
        "G_NEAR_UM": g["near_um"],
        "G_STILL_Q8": g["still_um"] * 256,
        "G_DIST_Q8": spring_acc(ref, g["disturbance_n"], step_s) * 256,
        "G_REST_UM": g["rest_um"],
        "G_REST_N": g["rest_ticks"],
        "G_SHORT_UM": g["short_um"],
        "G_SHORT_N": g["short_ticks"],
        "G_COMB_UM": ref["comb"]["pitch_um"],
        "G_COMB_TOL_UM": ref["comb"]["tolerance_um"],
        "G_COMB_HYST_UM": ref["comb"]["hysteresis_um"],
        "G_HOME_N": g["home_ms"] * ticks_ms,
        "G_AWAY_UM": g["away_um"],
        "G_PRESS_PA": g["press_kpa"] * 1000,
        "G_PRESS_N": g["press_ms"] * ticks_ms,
        "G_LOAD_MN": g["load_n"] * 1000,
        "G_SUPPLY_N": g["supply_ms"] * ticks_ms,
        "G_BEAT_N": g["background_ms"] * ticks_ms,
        "G_PER_US_Q16": math.ceil(65536 / tick["tick_us"]),
        "G_LATE_US": tick["tick_us"] + guard_band.LATE_US,
        "G_CONTACT_N": g["contact_ms"] * ticks_ms,
        "G_CUT_N": g["cut_ticks"],
        "G_PUSH_MN": g["push_n"] * 1000,
        "G_TURN_MN": g["turn_n"] * 1000,
        "G_CHUNK": chunk(ref),
        "G_SENSOR_PA": g["sensor_kpa"] * 1000,
        "G_GRIP_N": g["grip_ms"] * ticks_ms,
    }


def shared(ref: dict[str, Any]) -> dict[str, float]:
    """Parameters that background and tick share."""
    contact, coil = ref["contact"], ref["coil"]
    return {
        "TICK_US": ref["tick"]["tick_us"],
        "MAX_DEPTH_UM": guard_band.derive(ref).depth_um,
        "ZERO_NOM_UM": -ref["needle_axis"]["park_mm"] * 1000,
        "ZERO_WINDOW_UM": ref["zero"]["window_um"],
        "CONTACT_ON_MN": contact["threshold_mn"],
        "CONTACT_OFF_MN": contact["release_mn"],
        "DEBOUNCE_TICKS": contact["debounce_ms"] * 1000 / ref["tick"]["tick_us"],
        "SUPPLY_MIN_MV": coil["supply_range_mv"][0],
        "SUPPLY_MAX_MV": coil["supply_range_mv"][1],
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


def text(ref: dict[str, Any]) -> str:
    """The generated module."""
    values = {**shared(ref), **needle(ref), **plunger(ref), **guard(ref)}
    lines = [
        '"""Defaults of the parameter block.',
        "",
        "Generated by tools/gen_params.py from hardware/reference.toml; do not edit.",
        '"""',
        "",
        "from sit_firmware import image",
        "",
        "# slot, value",
        "DEFAULTS = (",
        *(f"    (image.P_{name}, {round(value)})," for name, value in values.items()),
        ")",
        "",
        "# what a board lays over them that is later than the reference's tick: its name -> ((slot, value), ...)",
        "BOARDS = {",
    ]
    for name, laid in late_boards.boards(ref, GUARD["still_um"], TUNING["cap_m_per_s"]).items():
        lines.append(f'    "{name}": (')
        lines += [f"        (image.P_{slot}, {value})," for slot, value in laid.items()]
        lines.append("    ),")
    lines += [
        "}",
        "",
        "# what a syringe type lays over them: its id -> ((slot, value), ...)",
        "SYRINGES = {",
    ]
    for entry in ref["syringe"].values():
        lines.append(f"    {entry['id']}: (  # {entry['name']}")
        lines += [f"        (image.P_{name}, {value})," for name, value in syringe(ref, entry).items()]
        lines.append("    ),")
    lines += ["}", "", "# syringe id -> nominal bore in um, capacity in nl", "BORES = {"]
    for entry in ref["syringe"].values():
        lines.append(f"    {entry['id']}: ({round(entry['bore_mm'] * 1000)}, {entry['capacity_ul'] * 1000}),")
    lines += ["}", "", "# needle id -> bevel in um, most uPa.s x P_SOFT_HIGH_Q14 at which a run's probe sees a leak"]
    lines += ["NEEDLES = {"]
    for entry in ref["needle"].values():
        lines.append(f"    {entry['id']}: ({entry['bevel_um']}, {leak(ref, entry)}),  # {entry['gauge']}")
    travel_pm = round(step_um(ref) * 1e6)
    lines += [
        "}",
        "",
        f"LOOK_TICKS = {round(values['LOOK_TICKS'])}  # tick: the longest look of a run",
        f"STEP_PM = {travel_pm}  # pm: travel of one microstep",
        f"TUBE_NL = {math.ceil(bore_nl(ref['tube']))}  # nl: air in the tube after a syringe change",
        f"NEEDLE_NL = {math.ceil(max(bore_nl(n) for n in ref['needle'].values()))}  # nl: air in the largest needle",
        f"NEEDLE_POINTS = {ref['reuse']['needle_points']}  # the most points that a needle may be used for",
        f"PER_MPA_Q34 = {round(PER_MPA_Q14 * 2**20)}  # 1/2^20: nl/MPa -> nl per 16 Pa in Q14",
        "",
    ]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Write the module, or with --check compare; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the file differs")
    args = parser.parse_args(argv)
    new = text(guard_band.reference())
    if OUT.is_file() and OUT.read_text(encoding="utf-8") == new:
        return 0
    if args.check:
        print(f"{OUT.relative_to(ROOT)} differs from hardware/reference.toml", file=sys.stderr)
        return 1
    OUT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
