"""Units of a campaign: drawn, calibrated, zeroed, purged, ready to be triggered; then injected with."""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from typing import Any

import numpy as np
from sit_firmware import image

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.cases import PER_UNIT, fault_table
from sit_sim.campaign.inject import inject_unit
from sit_sim.campaign.metering import Setup, device
from sit_sim.campaign.rows import *
from sit_sim.plant import reference
from sit_sim.plant.noise import CH_CASE, normal

SETUPS = (Setup("30G saline"), Setup("34G saline", 3))
THIN_EVERY = 8
_ZERO_WORD = 1000  # the draws of a unit's zero begin here


def setup_of(unit: int) -> Setup:
    """Every eighth unit wears the thin needle, whose short bevel lets it give shallow shots."""
    return SETUPS[1 if unit % THIN_EVERY == THIN_EVERY - 1 else 0]


def zero_error_um(unit: int, nominal_off_um: int, window_um: int) -> int:
    """Error of the unit's zero: normal, 3 sigma and at most the stated uncertainty; drawn again while it isn't taken.

    `nominal_off_um` is how far the true plane is from nominal; the device takes a zero only within its window.
    """
    limit = reference()["zero"]["uncertainty_um"]
    for draw in range(_ZERO_WORD, 2 * _ZERO_WORD):
        error = round(max(-limit, min(limit, limit / 3 * normal(unit, draw, CH_CASE))))
        if abs(nominal_off_um + error) <= window_um:
            return error
    return 0


def ready_unit(unit: int, guarded: bool = True, flag: bool = True) -> tuple[Bench, int]:
    """Unit number `unit` on the bench, pressed and triggered, and the error of its zero in um."""
    bench = device(setup_of(unit), unit, purge_steps=600)
    bench.guarded = guarded
    block = bench.params
    nominal = int(block[image.P_ZERO_NOM_UM])
    error = zero_error_um(unit, int(bench.state[image.ST_ZERO_UM]) - nominal, int(block[image.P_ZERO_WINDOW_UM]))
    bench.zero(error)
    if not flag:
        bench.plant.fault("flag_stuck_off")
    bench.hold(True)
    return bench, error


def own_skin(bench: Bench) -> Any:
    """The skin of the person under `bench` (OWN_*)."""
    home = bench.plant.home
    own = np.zeros(N_OWN)
    own[OWN_SURFACE_M], own[OWN_SURFACE_SD_M] = home.surface_m, home.site_surface_sd_m
    own[OWN_SKIN_K], own[OWN_PUNCTURE_N] = home.skin_n_per_m, home.puncture_n
    own[OWN_FRACTION_SD] = home.site_fraction_sd
    return own


def run_unit(
    unit: int, trace_of: int = -1, guarded: bool = True, flag: bool = True, sound: bool = False
) -> tuple[Any, int, Any]:
    """All injections of a unit: a row (R_*) for each, the error of its zero, and a trace (T_*) of number `trace_of`.

    Injection n belongs to unit n // PER_UNIT. With a trace only that one is run; `sound` leaves out all faults.
    """
    bench, error = ready_unit(unit, guarded, flag)
    first, count = (unit * PER_UNIT, PER_UNIT) if trace_of < 0 else (trace_of, 1)
    rows = np.zeros((count, N_R))
    trace = np.zeros((0 if trace_of < 0 else 4000, N_T))
    own = own_skin(bench)
    flow = setup_of(unit).flow_nl_per_s(bench.plant.unit)
    plant = bench.plant.arrays
    ready = tuple(a.copy() for a in (*plant, *bench.arrays))
    faults = fault_table()
    kinds = 0 if sound else len(faults)
    inject_unit(plant, bench.arrays, ready, own, faults, kinds, first, flow, int(guarded), rows, trace)
    return rows, error, trace[: int(rows[0, R_TICKS])]
