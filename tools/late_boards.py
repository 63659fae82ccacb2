"""The guard band of boards that are later than the reference's tick: what they lay over the parameters.

    tools/late_boards.py [--check]

A board with hard timers whose outputs come late ([board] in hardware/reference.toml) has its guard look farther ahead.

A board without them loses depth too, term by term: its ticks come when the interpreter gets to them. What bounds that
is the dead-man in hardware: no token for two ticks, and both cut-offs open. So two ticks may lie between two looks of
the guard, never more with the drive on. Two chains get shorter by it, and the shorter one gives the depth;
docs/boards.md holds the table between its marks.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
import guard_band
import marked
from param_blocks.choices import GUARD, TUNING

PAGE = guard_band.ROOT / "docs" / "boards.md"
BOARDS = ("esp32",)


class LateBand(NamedTuple):
    """What the derivation gives for a board whose ticks may be late."""

    depth_um: int
    late_us: int
    t: float  # tick: from a sample to the drive off
    terms: list[tuple[str, str, str]]


def derive(ref: dict[str, Any], still_um: float, cap_m_per_s: float) -> LateBand:
    """The two chains.

    still_um: the way by which the guard lets an encoder fall behind before it calls it frozen. cap_m_per_s: the
    profile's highest speed. Both stand in tools/param_blocks/choices.py. The guard's ticks are counted on the
    assumption that they are tick_us long: in ticks of late_us a pushed needle goes that way times the square
    of the ratio.
    """
    tick_us, normal, env = ref["tick"]["tick_us"], guard_band.derive(ref), guard_band.envelope(ref)
    late_us = ref["deadman"]["hold_ticks"] * tick_us
    delay_us = late_us + ref["tick"]["output_delay_us"] + ref["coil"]["decay_us"]
    late = env._replace(t=delay_us / tick_us)
    place_um = normal.limit_um - 50 - ref["needle_axis"]["park_mm"] * 1000
    stop = math.ceil(guard_band.rest_um(late, place_um))
    by_envelope = normal.limit_um - stop - guard_band.OVERSHOOT_UM
    frozen = math.ceil(still_um * ((late_us / tick_us) ** 2 - 1))
    unseen = math.ceil((late_us - tick_us) * cap_m_per_s)
    by_motion = normal.depth_um - frozen - unseen
    depth = min(by_envelope, by_motion)
    terms = [
        ("guard's limit", f"{normal.limit_um}", "docs/guard-band.md"),
        (f"stopping distance assumed at rest ({late.t:.2f} ticks to the drive off)", f"- {stop}", "`rest_um`"),
        ("overshoot of a normal shot", f"- {guard_band.OVERSHOOT_UM}", "as on a board with hard timers"),
        ("**highest depth by the envelope**", f"**{by_envelope}**", ""),
        ("highest depth with hard timers", f"{normal.depth_um}", "docs/guard-band.md"),
        (
            "a frozen encoder is seen later",
            f"- {frozen}",
            "still_um of tools/param_blocks/choices.py, times ratio^2 - 1",
        ),
        ("a late tick at the profile's highest speed", f"- {unseen}", "also where a comb edge may lie in a tick"),
        ("**highest depth by the motion check**", f"**{by_motion}**", ""),
        ("**highest settable depth**", f"**{depth}**", "P_MAX_DEPTH_UM"),
    ]
    return LateBand(depth, late_us, late.t, terms)


def slow_board(ref: dict[str, Any], name: str) -> dict[str, int]:
    """Parameters of a board with hard timers whose outputs come later than [tick] says."""
    own = {**ref, "tick": {**ref["tick"], **ref["board"][name]}}
    return {"MAX_DEPTH_UM": guard_band.derive(own).depth_um, **guard_band.horizon(guard_band.envelope(own).t)}


def boards(ref: dict[str, Any], still_um: float, cap_m_per_s: float) -> dict[str, dict[str, int]]:
    """What each such board lays over the defaults, by its name, rounded to the safe side."""
    band = derive(ref, still_um, cap_m_per_s)
    late = {"MAX_DEPTH_UM": band.depth_um, **guard_band.horizon(band.t), "G_LATE_US": band.late_us}
    return {**{name: slow_board(ref, name) for name in ref["board"]}, **dict.fromkeys(BOARDS, late)}


def main(argv: list[str]) -> int:
    """Write the table into the page, or with --check compare; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the page differs")
    args = parser.parse_args(argv)
    band = derive(guard_band.reference(), GUARD["still_um"], TUNING["cap_m_per_s"])
    return marked.put(PAGE, "late-boards", guard_band.table(band.terms), "hardware/reference.toml", args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
