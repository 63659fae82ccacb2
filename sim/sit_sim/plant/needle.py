"""The needle axis over one tick: drive and its hardware gates, coil, spring, friction, stops, skin, comb.

Equations and sources: docs/plant.md. The state lives in locals while the substeps run; each is a semi-implicit
Euler step: coil and viscous drag implicit, Coulomb friction by projection (it can stop the mass, not turn it).
"""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

import math
from typing import Any

from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import *
from sit_sim.plant.noise import CH_COMB, CH_TISSUE, normal, uniform
from sit_sim.plant.wave import wave


@kernel
def comb_edge(number: int, p: Any) -> float:
    """Where comb edge `number` (from 1 on) lies, from park; edges outside the strip are out of reach."""
    if number < 1:
        return -FAR_M
    return number * p[P_COMB_PITCH] + p[P_COMB_ERROR] * uniform(int(p[P_COMB_SEED]), number, CH_COMB)


@kernel
def encoder(s: float, p: Any, w: Any) -> int:
    """Count at carriage place `s`, as the encoder (or its fault) gives it."""
    if w[F_ENC_ON] != 0.0:
        s = w[F_ENC_AT] + w[F_ENC_GAIN] * (s - w[F_ENC_AT]) + w[F_ENC_JUMP]
    if p[P_ENC_CYCLIC] != 0.0:
        turns = s * p[P_PER_ENC_PITCH]
        s += p[P_ENC_CYCLIC] * wave(turns - math.floor(turns))
    return math.floor(s * p[P_PER_COUNT])


@kernel
def needle_tick(x: Any, k: Any, p: Any, w: Any, duty: int, bridge: int, switch: int, token: int) -> None:
    """Move the needle axis by one tick; the outputs given take over from the old ones after P_DELAY substeps."""
    s, v, i = x[X_S], x[X_V], x[X_I]
    edge_low, edge_high = x[X_EDGE_LOW], x[X_EDGE_HIGH]
    s_max, shot_s_max = x[X_S_MAX], x[X_SHOT_S_MAX]
    creep, elastic, surplus, buried = x[X_CREEP], x[X_ELASTIC], x[X_SURPLUS], x[X_BURIED]
    work, loss = x[X_WORK_COIL], x[X_LOSS]
    punctured, deadman = k[K_PUNCTURED], k[K_DEADMAN]
    drive_duty, drive_bridge, drive_switch = k[K_DUTY], k[K_BRIDGE], k[K_SWITCH]
    dt_per_m, viscous, spring_k = p[P_DT_PER_M], p[P_VISCOUS], p[P_SPRING_K] * (1.0 - w[F_SPRING])
    preload = p[P_SPRING_N] * (1.0 - w[F_SPRING]) - p[P_WEIGHT]
    kf, i_max = p[P_KF] * (1.0 - w[F_COIL_GAIN]), p[P_I_MAX]
    supply = w[F_SUPPLY_V] if w[F_SUPPLY_V] > 0.0 else w[W_SUPPLY_V]
    estop = w[W_ESTOP] != 0.0 or w[F_ESTOP] != 0.0
    skin = w[W_PRESS_N] > 0.0
    plane, end = p[P_PLANE], p[P_END]
    skin_k, bevel, flag_fault = p[P_SKIN_K], p[P_BEVEL], w[F_FLAG]
    rubbed = dt_per_m * viscous * p[P_COULOMB]
    bridge_on = 0
    switch_on = 0
    tissue_bits = 0
    delay = int(p[P_DELAY])
    for j in range(SUBSTEPS):
        if j == delay and w[F_HUNG] == 0.0:
            drive_duty, drive_bridge, drive_switch = duty, bridge, switch
            if token != 0:
                deadman = int(p[P_HOLD])

        # hardware gates: dead-man, flag and e-stop open both cut-offs, whatever the outputs say
        flag = flag_fault == 2.0 or (flag_fault == 0.0 and s >= p[P_FLAG])
        gates = deadman > 0 and not flag and not estop
        if deadman > 0 and w[F_DEADMAN] == 0.0:
            deadman -= 1
        volts = supply * (drive_duty / 4096.0)
        bridge_on = 1 if (drive_bridge != 0 and gates) or w[F_BRIDGE] != 0.0 else 0
        if w[F_DRIVE_FULL] != 0.0:
            bridge_on = 1
            volts = supply
        switch_on = 1 if (drive_switch != 0 and gates) or w[F_SWITCH] != 0.0 else 0

        # coil: L di/dt = U - R i - kf v, limited in hardware; fast decay when either cut-off is open
        if bridge_on == 1 and switch_on == 1:
            i = (i + p[P_COIL_B] * (volts - kf * v)) * p[P_COIL_A]
            if i > i_max:
                i = i_max
            elif i < -i_max:
                i = -i_max
        elif i > p[P_I_DECAY]:
            i -= p[P_I_DECAY]
        elif i < -p[P_I_DECAY]:
            i += p[P_I_DECAY]
        else:
            i = 0.0

        # skin: it is drawn along (tent) until the force of that passes what the tip or the shaft can hold
        pressed = s - plane - p[P_SURFACE]
        elastic = 0.0
        if not skin or (pressed <= 0.0 and (punctured == 0 or buried == 0.0)):
            punctured = 0
            buried = 0.0
            creep = 0.0
        elif punctured == 0:
            elastic = skin_k * pressed
            creep = (creep + p[P_CREEP_STEP]) / (1.0 + p[P_CREEP_STEP])
            if elastic >= p[P_PUNCTURE] * (1.0 - p[P_CREEP] * creep):
                punctured = 1
                surplus = elastic - p[P_CUTTING]
                x[X_DROP] = surplus / p[P_DROP_S]
                k[K_PUNCTURES] += 1
                back = p[P_BACK] + p[P_BACK_SD] * normal(k[K_SEED], k[K_PUNCTURES], CH_TISSUE)
                x[X_BACK] = back if back > 0.0 else 0.0
        else:
            surplus -= x[X_DROP] * DT_S
            if surplus < 0.0:
                surplus = 0.0
            shaft = p[P_SKIN_F] * buried
            elastic = skin_k * (pressed - buried)
            slipping = elastic
            if elastic > shaft + p[P_CUTTING] + surplus:
                elastic = shaft + p[P_CUTTING] + surplus
            elif elastic < -shaft:
                elastic = -shaft
            loss += elastic * (slipping - elastic) / skin_k
            buried = pressed - elastic / skin_k
            if buried <= 0.0 and surplus == 0.0:
                punctured = 0
                buried = 0.0
            elif buried >= bevel:
                tissue_bits |= 1 << j

        # mass: viscous drag implicit, then Coulomb friction takes what it can of the speed
        free = (v + dt_per_m * (kf * i - preload - spring_k * s - elastic)) * viscous
        if free > rubbed:
            v = free - rubbed
        elif free < -rubbed:
            v = free + rubbed
        else:
            v = 0.0
        s_new = s + DT_S * v
        stopped = s_new < 0.0 or s_new > end
        if stopped:
            s_new = 0.0 if s_new < 0.0 else end
        moved = s_new - s
        work += kf * i * moved
        loss += (p[P_COULOMB] if v > 0.0 else -p[P_COULOMB]) * moved + p[P_VISCOUS_B] * v * moved
        if stopped:
            if moved != 0.0:
                loss += 0.5 * p[P_MASS] * v * v
            v = 0.0

        # comb: one count for each edge passed, the place captured
        if s_new >= edge_high or s_new < edge_low:
            forward = s_new >= edge_high
            edge = edge_high if forward else edge_low
            if w[F_COMB_DEAD] == 0.0:
                k[K_COMB_N] += 1
                k[K_COMB_ENC] = encoder(edge, p, w)
            number = int(edge / p[P_COMB_PITCH] + 0.5)
            if not forward:
                number -= 1
            edge_low, edge_high = comb_edge(number, p) - p[P_COMB_HYSTERESIS], comb_edge(number + 1, p)

        if s_new > s_max:
            s_max = s_new
        if s <= plane and s_new > plane:
            k[K_SHOTS] += 1
            k[K_SHOT_STEPS] = k[K_STEPS]
            k[K_SHOT_STARTED] = 0
            shot_s_max = s_new
            x[X_SHOT_S_START] = 0.0
            x[X_SHOT_S_END] = 0.0
            x[X_SHOT_BURIED_START] = 0.0
            x[X_SHOT_BURIED_MAX] = 0.0
            x[X_SHOT_NEEDLE] = x[X_NEEDLE]
            x[X_SHOT_TISSUE] = x[X_TISSUE]
        if s_new > shot_s_max:
            shot_s_max = s_new
        if buried > x[X_SHOT_BURIED_MAX]:
            x[X_SHOT_BURIED_MAX] = buried
        s = s_new

    x[X_S], x[X_V], x[X_I] = s, v, i
    x[X_EDGE_LOW], x[X_EDGE_HIGH] = edge_low, edge_high
    x[X_S_MAX], x[X_SHOT_S_MAX] = s_max, shot_s_max
    x[X_CREEP], x[X_ELASTIC], x[X_SURPLUS], x[X_BURIED] = creep, elastic, surplus, buried
    x[X_WORK_COIL], x[X_LOSS] = work, loss
    k[K_PUNCTURED], k[K_DEADMAN] = punctured, deadman
    k[K_DUTY], k[K_BRIDGE], k[K_SWITCH] = drive_duty, drive_bridge, drive_switch
    k[K_BRIDGE_ON], k[K_SWITCH_ON] = bridge_on, switch_on
    k[K_TISSUE_BITS] = tissue_bits
