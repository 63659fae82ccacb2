"""The plant's truth as a dictionary, in the units people read."""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from typing import Any

from sit_sim.plant.layout import *

_UM, _NL = 1e6, 1e12


def truth_of(x: Any, k: Any, p: Any, w: Any) -> dict[str, Any]:
    """Positions in um of the true tip from the nose-piece plane, volumes in nl, the rest as named.

    plunger + warmed = needle + air out + stored, to rounding: stored is what compliance, stopper and backlash hold.
    """
    area, plane = p[P_AREA], p[P_PLANE]
    plunger = area * x[X_NUT]
    skin = w[W_PRESS_N] > 0.0
    started = k[K_SHOT_STARTED] != 0
    needle = x[X_NEEDLE] - x[X_SHOT_NEEDLE]
    tissue = x[X_TISSUE] - x[X_SHOT_TISSUE]
    peak_um = (x[X_SHOT_S_MAX] - plane) * _UM if k[K_SHOTS] else 0.0
    shot = {
        "number": int(k[K_SHOTS]),
        "tip_peak_um": peak_um,
        "depth_um": (x[X_SHOT_S_START] - plane) * _UM if started else peak_um,
        "depth_end_um": (x[X_SHOT_S_END] - plane) * _UM if x[X_SHOT_S_END] > 0.0 else peak_um,
        "buried_um": x[X_SHOT_BURIED_START] * _UM,
        "buried_max_um": x[X_SHOT_BURIED_MAX] * _UM,
        "steps": int(k[K_STEPS] - k[K_SHOT_STEPS]),
        "needle_nl": needle * _NL,
        "tissue_nl": tissue * _NL,
        "lost_nl": (needle - tissue) * _NL,
        "back_pressure_pa": float(x[X_BACK]),
    }
    return {
        "tick": int(k[K_TICK]),
        "tip_um": float((x[X_S] - plane) * _UM),
        "tip_max_um": float((x[X_S_MAX] - plane) * _UM),
        "tip_max_shot_um": float(peak_um),
        "tissue_depth_um": float(x[X_BURIED] * _UM),
        "carriage_um": float(x[X_S] * _UM),
        "zero_um": float(plane * _UM),
        "speed_mm_per_s": float(x[X_V] * 1e3),
        "coil_a": float(x[X_I]),
        "energised": int(x[X_I] != 0.0 or (k[K_BRIDGE_ON] != 0 and k[K_SWITCH_ON] != 0)),
        "bridge_on": int(k[K_BRIDGE_ON]),
        "switch_on": int(k[K_SWITCH_ON]),
        "plunger_steps": int(k[K_STEPS]),
        "plunger_moved_steps": int(k[K_MOTOR]),
        "plunger_nl": float(plunger * _NL),
        "needle_nl": float(x[X_NEEDLE] * _NL),
        "tissue_nl": float(x[X_TISSUE] * _NL),
        "lost_nl": float((x[X_NEEDLE] - x[X_TISSUE]) * _NL),
        "passed_nl": float((x[X_V_OUT] + x[X_WARMED]) * _NL),
        "warmed_nl": float(x[X_WARMED] * _NL),
        "stored_nl": float((plunger - x[X_V_OUT]) * _NL),
        "air_nl": float(x[X_AIR] * _NL),
        "flow_nl_per_ms": float(x[X_Q] * 1e9),
        "pressure_pa": float(x[X_P]),
        "load_n": float(x[X_ROD]),
        "skin_present": int(skin),
        "skin_surface_um": float(p[P_SURFACE] * _UM),
        "skin_force_n": float(x[X_ELASTIC]),
        "contact_n": float(w[W_PRESS_N]),
        "punctured": int(k[K_PUNCTURED]),
        "punctures": int(k[K_PUNCTURES]),
        "comb_n": int(k[K_COMB_N]),
        "shot": {name: value if isinstance(value, int) else float(value) for name, value in shot.items()},
    }
