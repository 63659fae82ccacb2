"""Plunger axis and fluid over one tick: motor, screw, stopper, compliance, flow, where the fluid goes.

Equations and sources: docs/plant.md. The stopper is massless and rubs (stick-slip), the rod hangs between the nut's
two faces, the flow with its quadratic entrance loss is solved implicitly in closed form.
"""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

import math
from typing import Any

from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import *

_REST_PA = 20.0  # a smaller difference drives no flow: the decay ends instead of going on for ever


@kernel
def emitted(chunk: int, tenths: int) -> int:
    """Steps of `chunk` that the generator has emitted after `tenths` of a tick."""
    if chunk < 0:
        return -((-chunk * tenths) // SUBSTEPS)
    return (chunk * tenths) // SUBSTEPS


@kernel
def screw(motor: int, p: Any) -> float:
    """Nut's place at a motor step, with the once-per-turn error: Bhaskara's rational sine, within 0.0017."""
    turn = int(p[P_TURN])
    half = turn // 2
    phase = motor % turn
    sign = 1.0
    if phase >= half:
        phase -= half
        sign = -1.0
    arc = phase / half
    arc = arc * (1.0 - arc)
    return motor * p[P_STEP] + p[P_CYCLIC] * sign * (16.0 * arc / (5.0 - 4.0 * arc))


@kernel
def rod_force(z: float, nut: float, p: Any) -> float:
    """Force of the rod on a stopper at `z`: pushed by one face of the nut, pulled by the other, free in between."""
    if z < nut:
        return p[P_STOPPER_K] * (nut - z)
    if z > nut + p[P_BACKLASH]:
        return p[P_STOPPER_K] * (nut + p[P_BACKLASH] - z)
    return 0.0


@kernel
def stopper(z: float, nut: float, v_out: float, p: Any) -> float:
    """Where the stopper comes to rest: it stays while friction holds it, else slides until friction just does."""
    area, friction, stiffness = p[P_AREA], p[P_STOPPER_F], p[P_STOPPER_K]
    net = rod_force(z, nut, p) - p[P_AREA_PER_C] * (area * z - v_out)
    if net > friction:
        held = friction
    elif net < -friction:
        held = -friction
    else:
        return z
    fluid = p[P_AREA_PER_C] * v_out
    far = nut + p[P_BACKLASH]
    pushed = (stiffness * nut - held + fluid) * p[P_PER_STIFF]
    pulled = (stiffness * far - held + fluid) * p[P_PER_STIFF]
    if pushed <= nut:
        z = pushed
    elif pulled >= far:
        z = pulled
    else:
        z = (v_out - held / p[P_AREA_PER_C]) / area
    if z > p[P_Z_END]:
        z = p[P_Z_END]
    return z


@kernel
def flow(pressure: float, outlet: float, meniscus: float, resistance: float, p: Any) -> float:
    """Flow past the tip (m^3/s) at the end of a substep: K q^2 + (R + dt/C) q = drive, solved for q.

    Tissue and meniscus only resist: between them and the suction that moves fluid back nothing flows.
    """
    sign = 1.0
    drive = pressure - (outlet + meniscus)
    if pressure < -meniscus:
        drive = -meniscus - pressure
        sign = -1.0
    if drive < _REST_PA:
        return 0.0
    linear = p[P_R_FLOW] * resistance + DT_S * p[P_PER_C]
    quadratic = 4.0 * p[P_K_FLOW] * resistance
    return sign * 2.0 * drive / (linear + math.sqrt(linear * linear + quadratic * drive))


@kernel
def fluid_tick(x: Any, k: Any, p: Any, w: Any, chunk: int) -> None:
    """Move plunger and fluid by one tick; `chunk` follows the old one after P_DELAY substeps."""
    bits = k[K_TISSUE_BITS]
    extra = w[F_STEPS_EXTRA]
    if w[F_HUNG] != 0.0:
        chunk = 0
    if k[K_QUIET] == 1 and k[K_QUIET_BITS] == bits and k[K_CHUNK] == 0 and chunk == 0 and extra == 0.0:
        return
    z, q, v_out, air = x[X_Z], x[X_Q], x[X_V_OUT], x[X_AIR]
    nut, rod = x[X_NUT], x[X_ROD]
    z_before = z
    needle, tissue = x[X_NEEDLE], x[X_TISSUE]
    resistance = 1.0 + w[F_FLOW]
    running = k[K_CHUNK]
    delay = int(p[P_DELAY])
    for j in range(SUBSTEPS):
        if j == delay:
            running = chunk
        steps = 0
        if running != 0:
            tenths = j - delay + 1
            if j < delay:
                tenths += SUBSTEPS
            steps = emitted(running, tenths) - emitted(running, tenths - 1)
        if extra != 0.0:
            x[X_STEP_FRACTION] += extra / SUBSTEPS
            whole = int(x[X_STEP_FRACTION])
            x[X_STEP_FRACTION] -= whole
            steps += whole
        if steps != 0:
            k[K_STEPS] += steps
            moved = steps
            if w[F_STEPS_LOST] != 0.0:
                x[X_STEP_FRACTION] += steps * w[F_STEPS_LOST]
                lost = int(x[X_STEP_FRACTION])
                x[X_STEP_FRACTION] -= lost
                moved -= lost
            fast = running > p[P_MAX_CHUNK] or running < -p[P_MAX_CHUNK]
            if not fast and not (moved > 0 and rod > p[P_STALL]) and not (moved < 0 and rod < -p[P_STALL]):
                k[K_MOTOR] += moved
                nut = screw(k[K_MOTOR], p) - x[X_NUT_REF]
            if x[X_S] > p[P_PLANE]:
                if k[K_SHOT_STARTED] == 0:
                    k[K_SHOT_STARTED] = 1
                    x[X_SHOT_S_START] = x[X_S]
                    x[X_SHOT_BURIED_START] = x[X_BURIED]
                if steps > 0:
                    x[X_SHOT_S_END] = x[X_S]

        z = stopper(z, nut, v_out, p)
        rod = rod_force(z, nut, p)
        in_tissue = (bits >> j) & 1
        outlet = x[X_BACK] if in_tissue == 1 else 0.0
        meniscus = 0.0 if in_tissue == 1 else p[P_MENISCUS]
        q = flow((p[P_AREA] * z - v_out) * p[P_PER_C], outlet, meniscus, resistance, p)
        passed = q * DT_S
        v_out += passed
        if passed > 0.0:
            # air that is still in the line goes first
            gone = passed if passed < air else air
            air -= gone
            passed -= gone
            needle += passed
            if in_tissue == 1:
                tissue += passed
        elif passed < 0.0:
            if in_tissue == 1:
                needle += passed
                tissue += passed
            else:
                air -= passed

    pressure = (p[P_AREA] * z - v_out) * p[P_PER_C]
    k[K_CHUNK] = chunk
    k[K_QUIET_BITS] = bits
    uniform_bits = bits == 0 or bits == (1 << SUBSTEPS) - 1
    still = running == 0 and q == 0.0 and z == z_before and v_out == x[X_V_OUT]
    k[K_QUIET] = 1 if still and uniform_bits else 0
    x[X_Z], x[X_P], x[X_Q], x[X_V_OUT], x[X_AIR] = z, pressure, q, v_out, air
    x[X_NUT], x[X_ROD] = nut, rod
    x[X_NEEDLE], x[X_TISSUE] = needle, tissue
