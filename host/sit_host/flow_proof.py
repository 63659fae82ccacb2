"""Which doses the device can vouch for: small ones through slow lines, or from large syringes, it can't.

A dose is DONE when a pressure that stands proves the tissue, and when its interval is narrow (docs/ledger.md). A line
may be so slow that neither shows within the time of a shot; a large syringe's screw error alone is wider than a small
dose's interval. The borders are the types' (`least_ul`, `slowest_ms` in hardware/reference.toml), found on the plant:
docs/metering.md, Region. Pure functions.
"""

from __future__ import annotations

import math

from .flow import FlowImpossible, Setup, resistances


def time_constant_ms(setup: Setup) -> float:
    """Return how slowly stored pressure leaves, ms: line resistance x compliance of the type."""
    return 1e3 * resistances(setup)[0] * setup.syringe.compliance_m3_per_pa


def least_nl(setup: Setup) -> float:
    """Return the smallest dose that the device can vouch for, nl; inf when the line is too slow for any."""
    if time_constant_ms(setup) > setup.syringe.slowest_ms:
        return math.inf
    return 1e3 * setup.syringe.least_ul


def check_proof(setup: Setup, smallest_nl: int) -> None:
    """Raise FlowImpossible with the reason and the nearest that goes when the smallest dose can't be vouched for."""
    least = least_nl(setup)
    if smallest_nl >= least:
        return
    line = f"{setup.viscosity_mpa_s:g} mPa.s through {setup.needle.gauge} from {setup.syringe.key}"
    if math.isinf(least):
        tau_ms, slowest_ms = time_constant_ms(setup), setup.syringe.slowest_ms
        thickest = math.floor(100 * setup.viscosity_mpa_s * slowest_ms / tau_ms) / 100
        raise FlowImpossible(
            f"{line}: pressure takes {tau_ms:.0f} ms to fall, over {slowest_ms:g} ms, so a dose can't be told from a "
            f"leak: {thickest:g} mPa.s is the thickest that can, or take a thicker needle."
        )
    raise FlowImpossible(
        f"{smallest_nl / 1000:g} uL of {line} can't be vouched for: {math.ceil(least / 100) / 10:g} uL per point is "
        "the least that can."
    )
