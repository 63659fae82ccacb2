"""Many injections of one unit in one kernel: from the trigger until the needle is home and nothing drips any more.

Each begins at the same place: the unit zeroed, purged, pressed on the skin, the trigger pulled. What differs is the
number's alone (cases.py): the site, the noise, depth and volume, the fault and its moment.
"""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from typing import Any

from sit_firmware import codes, image, interval

from sit_sim.campaign import cases
from sit_sim.campaign.cases import depth_of, fault_of, moment_of, volume_of
from sit_sim.campaign.compiled import tick_function
from sit_sim.campaign.loop import ask_shot, home, run_tick
from sit_sim.campaign.rows import *
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import *
from sit_sim.plant.noise import mix
from sit_sim.plant.sites import scaled_of, surface_of

_PER_UNIT = cases.PER_UNIT
_in_tissue = tick_function(interval.in_tissue)
_AFTER_TICKS = 40  # by then a fault has shown itself in a needle that was at home
_MOST_TICKS = 8000
_DRIP_TICKS = 400
_DWELL_MS = 1000


@kernel
def copy(to: Any, source: Any) -> None:
    """Element by element: a kernel makes no arrays."""
    for n in range(len(source)):
        to[n] = source[n]


@kernel
def strike(x: Any, k: Any, w: Any, fault: Any) -> None:
    """Let a row of `cases.fault_table` come over the world; an encoder lies from where the needle is."""
    for slot in range(F_ENC_ON, N_W):
        if fault[slot] != 0.0:
            w[slot] = fault[slot]
    if w[F_ENC_ON] != 0.0:
        w[F_ENC_AT] = x[X_S]
    k[K_QUIET] = 0
    k[K_PARKED] = 0
    k[K_AT_REST] = 0


@kernel
def go_to_site(p: Any, own: Any, seed: int, number: int) -> None:
    """The skin of site `number` of the person `own` (slots OWN_*)."""
    p[P_SURFACE] = surface_of(seed, number, own[OWN_SURFACE_M], own[OWN_SURFACE_SD_M])
    p[P_SKIN_K] = scaled_of(seed, number, own[OWN_SKIN_K], own[OWN_FRACTION_SD], 1)
    p[P_PUNCTURE] = scaled_of(seed, number, own[OWN_PUNCTURE_N], own[OWN_FRACTION_SD], 2)


@kernel
def trace_row(row: Any, x: Any, k: Any, p: Any, arrays: Any) -> None:
    """What a plot shows of one tick."""
    state, inputs, _, _ = arrays
    row[T_TIP_UM] = (x[X_S] - p[P_PLANE]) * 1e6
    row[T_ENCODER_UM] = inputs[image.IN_ENC_UM] - state[image.ST_ZERO_UM]
    row[T_BURIED_UM] = x[X_BURIED] * 1e6
    row[T_CURRENT_A] = x[X_I]
    row[T_PRESS_PA] = x[X_P]
    row[T_TISSUE_NL] = x[X_TISSUE] * 1e12
    row[T_PHASE] = state[image.ST_PHASE]
    row[T_LATCHED] = state[image.ST_FAULT]


@kernel
def energy(x: Any, p: Any) -> float:
    """Kinetic energy and what spring and weight hold, J."""
    s, v = x[X_S], x[X_V]
    return 0.5 * p[P_MASS] * v * v + (p[P_SPRING_N] - p[P_WEIGHT]) * s + 0.5 * p[P_SPRING_K] * s * s


@kernel
def held(x: Any, p: Any) -> float:
    """Volume that compliance, stopper and backlash hold, m^3."""
    soft = p[P_COMPLIANCE] + p[P_BUBBLE] / (AROUND_PA + x[X_P])
    return soft * x[X_P] + p[P_AREA] * (x[X_NUT] - x[X_Z])


@kernel
def inject(
    plant: Any, arrays: Any, number: int, depth_um: int, volume_nl: int, flow_nl_per_s: int, at: int, fault: Any,
    guarded: int, row: Any, trace: Any
) -> None:  # fmt: skip
    """One injection; `fault` strikes `at` ticks after the request, unless `at` is negative. Fills `row` (R_*).

    `trace` gets a row (T_*) for each tick while it has room.
    """
    x, k, p, w = plant
    state, _, _, params = arrays
    k[K_SEED] = mix(number)
    needle_before, tissue_before, lost_before = x[X_NEEDLE], x[X_TISSUE], x[X_NEEDLE] - x[X_TISSUE]
    work_before, loss_before = x[X_WORK_COIL], x[X_LOSS]
    energy_before = energy(x, p)
    ask_shot(state, params, depth_um, volume_nl, flow_nl_per_s, _DWELL_MS)
    ticks = 0
    leaving = 0
    lifted = 0
    while ticks < _MOST_TICKS:
        if ticks == at:
            strike(x, k, w, fault)
        run_tick(x, k, p, w, arrays, guarded)
        if ticks < len(trace):
            trace_row(trace[ticks], x, k, p, arrays)
        ticks += 1
        phase = state[image.ST_PHASE]
        if leaving == 0 and (phase == codes.PHASE_RETRACT or phase == codes.PHASE_FAULT):
            leaving = 1
            lost_before = x[X_NEEDLE] - x[X_TISSUE]
        if lifted == 0 and ticks > at + _AFTER_TICKS and home(x, state):
            lifted = ticks
            w[W_PRESS_N] = 0.0
            w[W_TRIGGER] = 0.0
            k[K_QUIET] = 0
            k[K_PARKED] = 0
        elif lifted != 0 and ticks > lifted + 1 and (k[K_QUIET] == 1 or ticks > lifted + _DRIP_TICKS):
            break
    row[R_TICKS] = ticks
    row[R_NUMBER] = number
    row[R_DEPTH_UM] = depth_um
    row[R_VOLUME_NL] = volume_nl
    row[R_TIP_UM] = (x[X_S_MAX] - p[P_PLANE]) * 1e6
    row[R_FIRST_UM] = (x[X_SHOT_S_START] - p[P_PLANE]) * 1e6 if k[K_SHOT_STARTED] != 0 else 0.0
    row[R_BURIED_UM] = x[X_SHOT_BURIED_MAX] * 1e6
    row[R_NEEDLE_NL] = (x[X_NEEDLE] - needle_before) * 1e12
    row[R_TISSUE_NL] = (x[X_TISSUE] - tissue_before) * 1e12
    row[R_DRIP_NL] = (x[X_NEEDLE] - x[X_TISSUE] - lost_before) * 1e12
    row[R_RESULT] = state[image.ST_RESULT]
    row[R_CAUSE] = state[image.ST_CAUSE]
    row[R_LATCHED] = state[image.ST_FAULT]
    row[R_PROVED] = 1.0 if _in_tissue(state, params) else 0.0
    row[R_VOLUME_OFF_NL] = (p[P_AREA] * x[X_NUT] - x[X_V_OUT] - held(x, p)) * 1e12
    work = x[X_WORK_COIL] - work_before
    row[R_ENERGY_OFF_J] = work - (x[X_LOSS] - loss_before) - (energy(x, p) - energy_before)
    row[R_WORK_J] = work


@kernel
def begin_again(plant: Any, arrays: Any, ready: Any, own: Any, number: int) -> None:
    """Plant and device as they were in `ready` (eight arrays, the parameters stay), at the site of `number`."""
    x, k, p, w = plant
    state, inputs, outputs, _ = arrays
    x_ready, k_ready, p_ready, w_ready, state_ready, inputs_ready, outputs_ready, _ = ready
    copy(x, x_ready)
    copy(k, k_ready)
    copy(p, p_ready)
    copy(w, w_ready)
    copy(state, state_ready)
    copy(inputs, inputs_ready)
    copy(outputs, outputs_ready)
    go_to_site(p, own, k_ready[K_SEED], number % _PER_UNIT)


@kernel
def inject_unit(
    plant: Any, arrays: Any, ready: Any, own: Any, faults: Any, kinds: int, first: int, flow_nl_per_s: int,
    guarded: int, rows: Any, trace: Any
) -> None:  # fmt: skip
    """Injections `first`, `first` + 1 ... of one unit, one for each row; each begins from the eight arrays `ready`.

    Their faults are drawn from the first `kinds` rows of `faults`.
    """
    _, _, _, params = arrays
    for n in range(len(rows)):
        number = first + n
        begin_again(plant, arrays, ready, own, number)
        which = fault_of(number, kinds)
        at = moment_of(number) if which >= 0 else -1
        depth_um = depth_of(number, params[image.P_BEVEL_UM], params[image.P_MAX_DEPTH_UM])
        row = rows[n]
        row[R_FAULT] = which
        row[R_FAULT_TICK] = at
        inject(
            plant, arrays, number, depth_um, volume_of(number), flow_nl_per_s, at, faults[max(which, 0)],
            guarded, row, trace
        )  # fmt: skip
