"""What ticks that come some us early or late do to the guard's checks of a tick's way; table of docs/guard-band.md.

    tools/tick_jitter.py [--check]

The way of a tick is its speed times the time between two samples; a change of it sees four errors of a sampling moment,
since the middle one counts twice. The guard knows the time to the microsecond and takes that part off.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import guard_band
import marked
from param_blocks.choices import GUARD, TUNING

HOME_M_PER_S = 0.6  # the spring brings the needle home at most this fast: docs/plant.md
SMOOTH_UM = 4  # change of a driven tick's way, normal shots: tools/param_blocks/choices.py
CLOCK_US = 2  # two readings of a clock in whole us
ROUND_UM = 0.5


def way_home_um(ref: dict[str, Any]) -> float:
    """um/tick^2: the greatest change of a tick's way when let go, strongest spring, lightest needle, weight helping."""
    axis = ref["needle_axis"]
    force = (axis["spring_park_n"] + axis["spring_n_per_mm"] * 2) * (1 + axis["spring_tol"])
    light = axis["mass_g"] / 1000 * (1 - axis["mass_tol"])
    weight = axis["gravity_g"] * guard_band.G_M_PER_S2
    return float((force / light + weight) * ref["tick"]["tick_us"] ** 2 * 1e-6)


def rows(ref: dict[str, Any], limits: dict[str, Any], cap_m_per_s: float) -> list[tuple[str, ...]]:
    """Check, fastest motion, what a smooth one shows without and with the period, limit; ValueError beyond that."""
    tick_us, jitter_us = ref["tick"]["tick_us"], ref["tick"]["jitter_us"]
    found = []
    for name, speed, smooth, limit in (
        ("change of a tick's way, driven", cap_m_per_s, SMOOTH_UM, limits["jolt_um"]),
        ("the same, let go", HOME_M_PER_S, way_home_um(ref), limits["jerk_um"]),
    ):
        unknown, known = (smooth + us * speed for us in (4 * jitter_us, CLOCK_US))
        found.append((name, speed, f"{unknown:.1f}", known + ROUND_UM, limit))
    for name, speed, limit in (
        ("way of a tick, driven", cap_m_per_s, limits["speed_um"]),
        ("way of a tick, let go", HOME_M_PER_S, limits["jump_um"]),
    ):
        found.append((name, speed, "", speed * (tick_us + 2 * jitter_us), limit))
    for name, _, _, seen, limit in found:
        if seen > limit:
            raise ValueError(f"{name}: a smooth motion shows {seen:.1f} um, beyond the limit of {limit} um")
    return [
        (name, f"{speed * tick_us:.0f}", unknown, f"{seen:.1f}", str(limit))
        for name, speed, unknown, seen, limit in found
    ]


def envelope_um(ref: dict[str, Any], way_um: float) -> float:
    """How far the envelope would be off if it took the shortest tick for a whole one, at `way_um` a tick."""
    env = guard_band.envelope(ref)
    place = guard_band.derive(ref).limit_um - ref["needle_axis"]["park_mm"] * 1000
    af, as_ = env.af - env.af_slope * place, env.as_ + env.as_slope * place

    def stop(w: float) -> float:
        return w * env.t + (w + af * env.t) ** 2 / (2 * as_)

    return stop(way_um) - stop(way_um * (1 - 2 * ref["tick"]["jitter_us"] / ref["tick"]["tick_us"]))


def text(ref: dict[str, Any], limits: dict[str, Any], cap_m_per_s: float) -> str:
    """The table and what the envelope gains by it."""
    head = ("check", "fastest, um a tick", "seen without the period, um", "seen, um", "limit, um")
    lines = marked.table(head, rows(ref, limits, cap_m_per_s))
    worst = math.ceil(envelope_um(ref, cap_m_per_s * ref["tick"]["tick_us"]))
    lines += ["", f"The envelope would look {worst} um too short at the profile's highest speed."]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Write the table into the page, or with --check compare; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the page differs")
    args = parser.parse_args(argv)
    made = text(guard_band.reference(), GUARD, TUNING["cap_m_per_s"])
    return marked.put(guard_band.PAGE, "jitter", made, "hardware/reference.toml", args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
