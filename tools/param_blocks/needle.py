"""The position loop: observer, profile, drive."""

import math
from typing import Any

from param_blocks.choices import TUNING


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
