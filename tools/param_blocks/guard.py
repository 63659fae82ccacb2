"""The guard: worst cases from tools/guard_band.py, rounded to the safe side; and what it shares with the rest."""

import math
from typing import Any

import guard_band

from param_blocks.choices import GUARD, TUNING
from param_blocks.needle import spring_acc
from param_blocks.plunger import chunk


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
