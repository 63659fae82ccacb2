"""Injections over the spread and F1 as Parquet: a part of many units, and the figures of a whole campaign."""

# ruff: noqa: F403, F405 -- the columns are this file's vocabulary
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sit_firmware import codes

from sit_sim.campaign.bare import THIN_EVERY, run_unit, setup_of
from sit_sim.campaign.cases import FAULTS, PER_UNIT
from sit_sim.campaign.parts import signed
from sit_sim.campaign.rows import *
from sit_sim.plant import reference

if TYPE_CHECKING:
    import pyarrow as pa

UNITS_A_PART = 40
PART = UNITS_A_PART * PER_UNIT
"""Injections of one part."""

LIMIT_UM = 2000
FAULT_NAMES = {value: name[6:] for name, value in vars(codes).items() if name.startswith("FAULT_")}

# name of a column, its type, where it comes from
_COLUMNS = (
    ("number", "int64", R_NUMBER),
    ("depth_um", "int16", R_DEPTH_UM),
    ("volume_nl", "int32", R_VOLUME_NL),
    ("fault", "int16", R_FAULT),
    ("fault_tick", "int16", R_FAULT_TICK),
    ("tip_um", "float64", R_TIP_UM),
    ("first_um", "float64", R_FIRST_UM),
    ("buried_um", "float64", R_BURIED_UM),
    ("needle_nl", "float64", R_NEEDLE_NL),
    ("tissue_nl", "float64", R_TISSUE_NL),
    ("drip_nl", "float64", R_DRIP_NL),
    ("result", "int16", R_RESULT),
    ("cause", "int16", R_CAUSE),
    ("latched", "int16", R_LATCHED),
    ("ticks", "int32", R_TICKS),
    ("volume_off_nl", "float64", R_VOLUME_OFF_NL),
    ("energy_off_j", "float64", R_ENERGY_OFF_J),
    ("work_j", "float64", R_WORK_J),
    ("proved", "int8", R_PROVED),
)


def part(number: int, sound: bool = False, thin: bool = False) -> pa.Table:
    """Part `number` as a table: the columns of rows.py, the unit, its needle and the error of its zero.

    `sound` leaves out all faults, `thin` takes the units with the thin needle alone.
    """
    import pyarrow as pa

    rows, units, zeros = [], [], []
    numbers = range(number * UNITS_A_PART, (number + 1) * UNITS_A_PART)
    for unit in (THIN_EVERY * n + THIN_EVERY - 1 if thin else n for n in numbers):
        found, zero_um, _ = run_unit(unit, sound=sound)
        rows.append(found)
        units += [unit] * len(found)
        zeros += [zero_um] * len(found)
    values = np.concatenate(rows)
    columns: dict[str, Any] = {name: values[:, slot].astype(kind) for name, kind, slot in _COLUMNS}
    columns["unit"] = np.array(units, dtype="int32")
    columns["needle"] = np.array([setup_of(unit).needle_id for unit in units], dtype="int8")
    columns["zero_um"] = np.array(zeros, dtype="int8")
    return signed(pa.table(columns))


def name_of(fault: int) -> str:
    """The fault of a row in words."""
    return "none" if fault < 0 else str(FAULTS[fault])


def worst_of(table: dict[str, Any], chosen: Any) -> str:
    """The deepest of the chosen rows: where, which, and what would be left with all of the zero's uncertainty."""
    limit = reference()["zero"]["uncertainty_um"]
    tip = np.where(chosen, table["tip_um"], -np.inf)
    at = int(np.argmax(tip))
    harder = float((tip - table["zero_um"]).max()) + limit
    return (
        f"{tip[at]:.1f} um (seed {table['number'][at]}, {name_of(table['fault'][at])}, asked"
        f" {table['depth_um'][at]} um, zero off {table['zero_um'][at]} um);"
        f" {harder:.1f} um with every zero off by {limit} um"
    )


def lines(table: dict[str, Any]) -> Iterator[str]:
    """The figures of a campaign: depth, faults, depth error, drip, balances."""
    normal, n = table["fault"] < 0, len(table["number"])
    past = int((table["tip_um"] > LIMIT_UM).sum())
    units, faulty = len(np.unique(table["unit"])), int((~normal).sum())
    yield f"{n} injections on {units} units, no mechanical stop; {faulty} with a fault"
    yield f"worst true tip: {worst_of(table, normal | True)}"
    yield f"worst without a fault: {worst_of(table, normal)}"
    yield f"past {LIMIT_UM} um: {past}"
    yield from _worst_faults(table)
    yield from _ends(table, normal)
    yield from _depth_error(table, normal)
    yield from _drip(table, normal)
    work = table["work_j"]
    off = np.abs(table["energy_off_j"][work > 1e-4] / work[work > 1e-4])
    volume = np.abs(table["volume_off_nl"]).max()
    yield f"balances: volume within {volume:.1e} nl, energy within {off.max() * 100:.2f} %"


def _worst_faults(table: dict[str, Any]) -> Iterator[str]:
    """The faults that come nearest to the limit, every zero taken as off by all its uncertainty."""
    least = LIMIT_UM - reference()["zero"]["uncertainty_um"]
    own = table["tip_um"] - table["zero_um"]
    deepest = {int(fault): float(own[table["fault"] == fault].max()) for fault in np.unique(table["fault"])}
    for fault in sorted(deepest, key=lambda fault: -deepest[fault])[:5]:
        rows = table["fault"] == fault
        past = int((own[rows] > least).sum())
        margin = least - deepest[fault]
        yield f"  {name_of(fault)}: margin {margin:.1f} um with the worst zero, below none in {past} of {rows.sum()}"


def _ends(table: dict[str, Any], normal: Any) -> Iterator[str]:
    names = {codes.RESULT_DONE: "DONE", codes.RESULT_PARTIAL: "PARTIAL", codes.RESULT_ABORTED: "ABORTED"}
    for what, chosen in (("no fault", normal), ("with a fault", ~normal)):
        counts = {name: int((table["result"][chosen] == code).sum()) for code, name in names.items()}
        latched = int((table["latched"][chosen] != 0).sum())
        yield f"{what}: " + ", ".join(f"{name} {count}" for name, count in counts.items()) + f", latched {latched}"


def _depth_error(table: dict[str, Any], normal: Any) -> Iterator[str]:
    """Error at the end of the insertion, the zero's own included, in bands of the depth asked for."""
    given = normal & (table["first_um"] > 0)
    error = table["first_um"] - table["depth_um"]
    for low, high in ((0, 500), (500, 1000), (1000, 1500), (1500, 1899), (1900, 1900), (0, 1900)):
        band = given & (table["depth_um"] >= low) & (table["depth_um"] <= high)
        if band.sum() > 1:
            found, own = error[band], (error - table["zero_um"])[band]
            yield (
                f"depth {max(low, int(table['depth_um'][band].min()))}-{high} um, n {band.sum()}: error mean"
                f" {found.mean():+.1f}, 3 sigma {3 * found.std():.1f}; without the zero's {3 * own.std():.1f},"
                f" largest {np.abs(own).max():.1f} um"
            )


def _drip(table: dict[str, Any], normal: Any) -> Iterator[str]:
    done = normal & (table["result"] == codes.RESULT_DONE) & (table["latched"] == 0) & (table["proved"] != 0)
    if not done.any():
        return
    drip = table["drip_nl"][done]
    outside = done & (table["tissue_nl"] < 0.5 * table["volume_nl"])
    allowed = np.maximum(50.0, table["volume_nl"][done] / 100)
    inside = done & ~outside
    error = (table["tissue_nl"] - table["volume_nl"])[inside] / table["volume_nl"][inside] * 100
    yield (
        f"drip after withdrawal, DONE: median {np.median(drip):.1f}, 99.9 % {np.percentile(drip, 99.9):.1f}, largest"
        f" {drip.max():.1f} nl; above 1 % of the dose or 50 nl: {int((drip > allowed).sum())} of {done.sum()}"
    )
    alone = normal & (table["result"] == codes.RESULT_DONE) & (table["tissue_nl"] < 0.5 * table["volume_nl"])
    yield f"given outside the tissue and seen by the background alone: {int(alone.sum() - outside.sum())}"
    yield f"told as DONE but given outside the tissue: {outside.sum()} of {done.sum()}{_which(table, outside)}"
    under = done & (table["tissue_nl"] < 0.95 * table["volume_nl"] - 50)
    yield f"told as DONE, more than 5 % + 50 nl under: {under.sum()}{_which(table, under)}"
    yield f"the others' tissue volume, 1-3 uL: mean {error.mean():+.2f} %, 1 sigma {error.std():.2f} %"


def _which(table: dict[str, Any], chosen: Any) -> str:
    """The needles and the first seed of the chosen rows."""
    if not chosen.any():
        return ""
    needles = ", ".join(str(needle) for needle in np.unique(table["needle"][chosen]))
    return f" (needle types {needles}; first seed {table['number'][np.argmax(chosen)]})"
