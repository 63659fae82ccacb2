"""Derive the highest settable depth from the reference design, term by term.

    tools/guard_band.py [--check]

Two chains end at the 2000 um limit; the shorter one gives the depth.
Envelope: the guard cuts the drive when the tip could no longer be stopped in time, so a normal shot must stay below the
limit by the distance that the guard must assume at rest, and by how far a normal shot overshoots.
Flag: the optical flag must not be set by a normal shot, and must stop the needle where the encoder lies.
Writes the table into docs/guard-band.md between its marks; tools/gen_params.py takes the numbers from here.
"""

import argparse
import math
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import marked

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "hardware" / "reference.toml"
PAGE = ROOT / "docs" / "guard-band.md"

LIMIT_UM = 2000
LATE_US = 25  # a tick this late is still in time: the guard's own limit on IN_PERIOD_US
OVERSHOOT_UM = 20  # normal shots, pop-through included; tests/safety/test_depth_normal.py holds them to it
COUNT_UM = 1  # the zero was read in whole counts too
G_M_PER_S2 = 9.81


class Envelope(NamedTuple):
    """Worst-case motion in ticks and um, at park, with its slope over position."""

    af: float  # um/tick^2 outward, drive stuck at full force, weight helping
    af_slope: float  # its fall per um
    as_: float  # um/tick^2 inward, drive off, weight hindering
    as_slope: float  # its rise per um
    t: float  # tick: from a sample to the drive off when the next tick trips


class Band(NamedTuple):
    """What the derivation gives."""

    limit_um: int
    depth_um: int
    terms: list[tuple[str, str, str]]


def reference() -> dict[str, Any]:
    """Read hardware/reference.toml."""
    return tomllib.loads(REFERENCE.read_text(encoding="utf-8"))


def envelope(ref: dict[str, Any]) -> Envelope:
    """Worst unit of the stated spreads: strongest force limit, weakest spring, lightest or heaviest needle."""
    axis, coil, tick_us = ref["needle_axis"], ref["coil"], ref["tick"]["tick_us"]
    force = coil["force_n_per_a"] * coil["current_limit_a"] * (1 + coil["current_limit_tol"])
    weak = 1 - axis["spring_tol"]
    light, heavy = (axis["mass_g"] / 1000 * (1 + s * axis["mass_tol"]) for s in (-1, 1))
    weight = axis["gravity_g"] * G_M_PER_S2
    scale = tick_us**2 * 1e-6  # m/s^2 -> um/tick^2
    delay_us = tick_us + LATE_US + ref["tick"]["output_delay_us"] + coil["decay_us"]
    return Envelope(
        af=((force - weak * axis["spring_park_n"]) / light + weight) * scale,
        af_slope=weak * axis["spring_n_per_mm"] / 1000 / light * scale,
        as_=(weak * axis["spring_park_n"] / heavy - weight) * scale,
        as_slope=weak * axis["spring_n_per_mm"] / 1000 / heavy * scale,
        t=delay_us / tick_us,
    )


def rest_um(env: Envelope, enc_um: float) -> float:
    """How far the guard must assume that a needle goes which seems to rest at `enc_um`."""
    af = env.af - env.af_slope * enc_um
    as_ = env.as_ + env.as_slope * enc_um
    v = COUNT_UM + af / 2
    return v * env.t + af * env.t**2 / 2 + (v + af * env.t) ** 2 / (2 * as_)


def horizon(t: float) -> dict[str, int]:
    """How far ahead the guard looks, as parameters: t ticks from a sample to the drive off, and t^2 / 2."""
    return {"G_T_Q8": math.ceil(t * 256), "G_T2_Q8": math.ceil(t**2 / 2 * 256)}


def derive(ref: dict[str, Any]) -> Band:
    """The chains, their terms and the highest settable depth."""
    zero, flag = ref["zero"]["uncertainty_um"], ref["flag"]
    limit = LIMIT_UM - zero - COUNT_UM - ref["encoder"]["count_um"]
    env = envelope(ref)
    stop = math.ceil(rest_um(env, limit - 50 - ref["needle_axis"]["park_mm"] * 1000))
    by_envelope = limit - stop - OVERSHOOT_UM
    by_flag = flag["position_um"] - flag["tolerance_um"] - OVERSHOOT_UM
    depth = min(by_envelope, by_flag)
    past_flag = LIMIT_UM - zero - flag["position_um"] - flag["tolerance_um"]
    terms = [
        ("limit of the true tip", f"{LIMIT_UM}", "the mission"),
        ("zero uncertainty", f"- {zero}", "[zero] uncertainty_um"),
        ("encoder, one count in the reading and one in the zero", f"- {limit * -1 + LIMIT_UM - zero}", "[encoder]"),
        ("**guard's limit**", f"**{limit}**", "P_G_LIMIT_UM"),
        (
            f"stopping distance assumed at rest ({env.t:.2f} ticks to the drive off)",
            f"- {stop}",
            "`rest_um`, see below",
        ),
        ("overshoot of a normal shot, pop-through included", f"- {OVERSHOOT_UM}", "held by tests/safety"),
        ("**highest depth by the envelope**", f"**{by_envelope}**", ""),
        ("flag position", f"{flag['position_um']}", "[flag] position_um"),
        ("flag tolerance", f"- {flag['tolerance_um']}", "[flag] tolerance_um"),
        ("overshoot of a normal shot", f"- {OVERSHOOT_UM}", "as above"),
        ("**highest depth by the flag**", f"**{by_flag}**", ""),
        ("**highest settable depth**", f"**{depth}**", "P_MAX_DEPTH_UM"),
        ("left beyond the latest flag for stopping", f"{past_flag}", "limit - zero - flag - its tolerance"),
    ]
    return Band(limit, depth, terms)


def table(terms: list[tuple[str, str, str]]) -> str:
    """The terms of a derivation as a table of a page."""
    rows = [f"| {name} | {value} | {source} |" for name, value, source in terms]
    return "\n".join(["| term | um | from |", "| --- | ---: | --- |", *rows])


def main(argv: list[str]) -> int:
    """Write the table into the page, or with --check compare; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the page differs")
    args = parser.parse_args(argv)
    return marked.put(PAGE, "guard-band", table(derive(reference()).terms), "hardware/reference.toml", args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
