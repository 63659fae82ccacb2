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
from sit_sim.plant.wave import wave

_REST_PA = 20.0  # a smaller difference drives no flow: the decay ends instead of going on for ever


@kernel
def emitted(chunk: int, tenths: int) -> int:
    """Steps of `chunk` that the generator has emitted after `tenths` of a tick."""
    if chunk < 0:
        return -((-chunk * tenths) // SUBSTEPS)
    return (chunk * tenths) // SUBSTEPS


@kernel
def screw(motor: int, p: Any) -> float:
    """Nut's place at a motor step, with the once-per-turn error."""
    turn = int(p[P_TURN])
    return motor * p[P_STEP] + p[P_CYCLIC] * wave((motor % turn) / turn)


@kernel
def rod_force(z: float, nut: float, p: Any) -> float:
    """Force of the rod on a stopper at `z`: pushed by one face of the nut, pulled by the other, free in between."""
    if z < nut:
        return p[P_STOPPER_K] * (nut - z)
    if z > nut + p[P_BACKLASH]:
        return p[P_STOPPER_K] * (nut + p[P_BACKLASH] - z)
    return 0.0


@kernel
def stopper(z: float, nut: float, v_out: float, area_per_c: float, per_stiff: float, p: Any) -> float:
    """Where the stopper comes to rest: it stays while friction holds it, else slides until friction just does."""
    area, friction, stiffness = p[P_AREA], p[P_STOPPER_F], p[P_STOPPER_K]
    net = rod_force(z, nut, p) - area_per_c * (area * z - v_out)
    if net > friction:
        held = friction
    elif net < -friction:
        held = -friction
    else:
        return z
    fluid = area_per_c * v_out
    far = nut + p[P_BACKLASH]
    pushed = (stiffness * nut - held + fluid) * per_stiff
    pulled = (stiffness * far - held + fluid) * per_stiff
    if pushed <= nut:
        z = pushed
    elif pulled >= far:
        z = pulled
    else:
        z = (v_out - held / area_per_c) / area
    if z > p[P_Z_END]:
        z = p[P_Z_END]
    return z


@kernel
def flow(
    pressure: float, outlet: float, meniscus: float, resistance: float, before: float, per_c: float, p: Any
) -> float:
    """Flow past the tip (m^3/s) at the end of a substep: K q^2 + (R + dt/C) q = drive, solved for q.

    Tissue and meniscus only resist: between them and the suction that moves fluid back nothing flows. A fluid that
    thins has the resistance of the flow `before`.
    """
    sign = 1.0
    drive = pressure - (outlet + meniscus)
    if pressure < -meniscus:
        drive = -meniscus - pressure
        sign = -1.0
    if drive < _REST_PA:
        return 0.0
    viscous = p[P_R_FLOW]
    if p[P_R_THIN] != 0.0:
        before = abs(before)
        viscous -= p[P_R_THIN] * before / (before + p[P_Q_HALF])
    linear = viscous * resistance + DT_S * per_c
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
    per_c, area_per_c, per_stiff = p[P_PER_C], p[P_AREA_PER_C], p[P_PER_STIFF]
    if p[P_BUBBLE] != 0.0:
        # Boyle: a bubble holds V P / (p0 + P), so with barrel and tube it is a compliance that the pressure decides
        per_c = 1.0 / (p[P_COMPLIANCE] + p[P_BUBBLE] / (AROUND_PA + x[X_P]))
        area_per_c = p[P_AREA] * per_c
        per_stiff = 1.0 / (p[P_STOPPER_K] + p[P_AREA] * area_per_c)
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
            fast = running > p[P_MAX_CHUNK] or running < -p[P_MAX_CHUNK]
            if not fast and not (steps > 0 and rod > p[P_STALL]) and not (steps < 0 and rod < -p[P_STALL]):
                k[K_MOTOR] += steps
                if w[F_STEPS_LOST] != 0.0:
                    x[X_LAG] += steps * w[F_STEPS_LOST]
                    if x[X_LAG] >= p[P_CYCLE]:
                        x[X_LAG] -= p[P_CYCLE]
                        k[K_SLIP] -= int(p[P_CYCLE])
                    elif x[X_LAG] <= -p[P_CYCLE]:
                        x[X_LAG] += p[P_CYCLE]
                        k[K_SLIP] += int(p[P_CYCLE])
                nut = screw(k[K_MOTOR], p) - x[X_NUT_REF]
            if x[X_S] > p[P_PLANE]:
                if k[K_SHOT_STARTED] == 0:
                    k[K_SHOT_STARTED] = 1
                    x[X_SHOT_S_START] = x[X_S]
                    x[X_SHOT_BURIED_START] = x[X_BURIED]
                if steps > 0:
                    x[X_SHOT_S_END] = x[X_S]
        if k[K_SLIP] != 0:
            slips = min(max(k[K_SLIP], -int(p[P_SLIP])), int(p[P_SLIP]))
            k[K_SLIP] -= slips
            k[K_MOTOR] += slips
            nut = screw(k[K_MOTOR], p) - x[X_NUT_REF]

        z = stopper(z, nut, v_out, area_per_c, per_stiff, p)
        rod = rod_force(z, nut, p)
        in_tissue = (bits >> j) & 1
        outlet = x[X_BACK] if in_tissue == 1 else 0.0
        meniscus = 0.0 if in_tissue == 1 else p[P_MENISCUS]
        q = flow((p[P_AREA] * z - v_out) * per_c, outlet, meniscus, resistance, q, per_c, p)
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

    pressure = (p[P_AREA] * z - v_out) * per_c
    k[K_CHUNK] = chunk
    k[K_QUIET_BITS] = bits
    uniform_bits = bits == 0 or bits == (1 << SUBSTEPS) - 1
    moves = running != 0 or k[K_SLIP] != 0 or z != z_before
    still = not moves and q == 0.0 and v_out == x[X_V_OUT] and pressure == x[X_P]
    k[K_QUIET] = 1 if still and uniform_bits else 0
    x[X_Z], x[X_P], x[X_Q], x[X_V_OUT], x[X_AIR] = z, pressure, q, v_out, air
    x[X_NUT], x[X_ROD] = nut, rod
    x[X_NEEDLE], x[X_TISSUE] = needle, tissue
