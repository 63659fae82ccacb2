"""One tick of the plant: sample the inputs, advance the physics. The two functions a compiled loop calls.

    sample_tick(x, k, p, w, inputs)      fills the input image for the tick that begins
    advance_tick(x, k, p, w, outputs)    moves to the next tick under these outputs

`inputs` and `outputs` are int32 arrays (or array('i') when interpreted); slots as in sit_firmware.image.
"""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

import math
from typing import Any

from sit_firmware.image import (
    IN_BRIDGE_ON,
    IN_CARTRIDGE,
    IN_COMB_ENC_UM,
    IN_COMB_N,
    IN_CONTACT,
    IN_CONTACT_MN,
    IN_DRIVER_FAULT,
    IN_ENC_UM,
    IN_ESTOP,
    IN_FLAG,
    IN_GATE,
    IN_JUMPER,
    IN_LOAD_MN,
    IN_PAIR,
    IN_PERIOD_US,
    IN_PRESS_PA,
    IN_STEPS,
    IN_SUPPLY_MV,
    IN_SWITCH_ON,
    IN_TICK,
    IN_TRIGGER,
    OUT_BRIDGE,
    OUT_DUTY,
    OUT_STEPS,
    OUT_SWITCH,
    OUT_TOKEN,
)

from sit_sim.plant.fluid import fluid_tick
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import *
from sit_sim.plant.needle import comb_edge, encoder, needle_tick
from sit_sim.plant.noise import CH_CONTACT, CH_LOAD, CH_PRESSURE, CH_SUPPLY, normal

_TICK_MASK = (1 << 30) - 1


@kernel
def stuck(value: int, fault: float) -> int:
    """A two-level sensor with its fault: 0 none, 1 stuck off, 2 stuck on."""
    if fault == 0.0:
        return value
    return 1 if fault == 2.0 else 0


@kernel
def rounded(value: float) -> int:
    """Nearest integer, halves up."""
    return math.floor(value + 0.5)


@kernel
def sample_tick(x: Any, k: Any, p: Any, w: Any, inputs: Any) -> None:
    """Fill the input image: every IN_* slot."""
    seed, tick, s = k[K_SEED], k[K_TICK], x[X_S]
    supply = w[F_SUPPLY_V] if w[F_SUPPLY_V] > 0.0 else w[W_SUPPLY_V]
    gate_error = w[F_GATE_SHIFT] if w[F_GATE_SHIFT] != 0.0 else p[P_GATE]
    # no light where no tool is plugged in: a gate that isn't there reads as broken
    gate = w[W_ZERO_TOOL] == 0.0 or s - p[P_PLANE] >= gate_error
    press = w[W_PRESS_N]
    load = x[X_ROD] + w[F_LOAD_N] + p[P_LOAD_DRIFT] * tick + p[P_LOAD_SD] * normal(seed, tick, CH_LOAD)
    pressure = x[X_P] + w[F_PRESS_PA] + p[P_PRESS_DRIFT] * tick + p[P_PRESS_SD] * normal(seed, tick, CH_PRESSURE)
    contact = press + w[F_CONTACT_N] + p[P_CONTACT_SD] * normal(seed, tick, CH_CONTACT)
    inputs[IN_TICK] = tick & _TICK_MASK
    inputs[IN_PERIOD_US] = 250
    inputs[IN_ENC_UM] = encoder(s, p, w)
    inputs[IN_COMB_N] = k[K_COMB_N] & _TICK_MASK
    inputs[IN_COMB_ENC_UM] = k[K_COMB_ENC]
    inputs[IN_FLAG] = stuck(1 if s >= p[P_FLAG] else 0, w[F_FLAG])
    inputs[IN_GATE] = stuck(1 if gate else 0, w[F_GATE])
    inputs[IN_TRIGGER] = 1 if w[W_TRIGGER] != 0.0 or w[F_TRIGGER] != 0.0 else 0
    inputs[IN_ESTOP] = 1 if w[W_ESTOP] != 0.0 or w[F_ESTOP] != 0.0 else 0
    inputs[IN_CONTACT] = stuck(1 if press >= p[P_CONTACT_ON] else 0, w[F_CONTACT])
    inputs[IN_CONTACT_MN] = rounded(contact * 1000.0)
    inputs[IN_LOAD_MN] = rounded(load * 1000.0)
    inputs[IN_PRESS_PA] = rounded(pressure)
    inputs[IN_SUPPLY_MV] = rounded((supply + p[P_SUPPLY_SD] * normal(seed, tick, CH_SUPPLY)) * 1000.0)
    inputs[IN_DRIVER_FAULT] = 1 if w[F_DRIVER] != 0.0 else 0
    inputs[IN_CARTRIDGE] = 1 if w[W_CARTRIDGE] != 0.0 else 0
    inputs[IN_JUMPER] = 1 if w[W_JUMPER] != 0.0 else 0
    inputs[IN_PAIR] = 1 if w[W_PAIR] != 0.0 else 0
    inputs[IN_STEPS] = k[K_STEPS]
    inputs[IN_BRIDGE_ON] = k[K_BRIDGE_ON]
    inputs[IN_SWITCH_ON] = k[K_SWITCH_ON]


@kernel
def advance_tick(x: Any, k: Any, p: Any, w: Any, outputs: Any) -> None:
    """Move one tick: the outputs in force act until P_DELAY (0.3 of it), `outputs` for the rest."""
    duty, bridge, switch = int(outputs[OUT_DUTY]), int(outputs[OUT_BRIDGE]), int(outputs[OUT_SWITCH])
    token, chunk = int(outputs[OUT_TOKEN]), int(outputs[OUT_STEPS])
    if duty > 4096:
        duty = 4096
    elif duty < -4096:
        duty = -4096
    held = duty == k[K_DUTY] and bridge == k[K_BRIDGE] and switch == k[K_SWITCH] and token == k[K_TOKEN]
    no_steps = chunk == 0 and k[K_CHUNK] == 0
    if not held or k[K_PARKED] == 0:
        # at park with no current and no drive the axis stays as it is: the spring holds it against the stop
        parked = x[X_S] == 0.0 and x[X_V] == 0.0 and x[X_I] == 0.0
        off = (bridge == 0 or switch == 0 or duty == 0) and w[F_DRIVE_FULL] == 0.0 and w[F_SPRING] == 0.0
        deadman, bridge_on, switch_on = k[K_DEADMAN], k[K_BRIDGE_ON], k[K_SWITCH_ON]
        k[K_TOKEN] = token
        needle_tick(x, k, p, w, duty, bridge, switch, token)
        same = deadman == k[K_DEADMAN] and bridge_on == k[K_BRIDGE_ON] and switch_on == k[K_SWITCH_ON]
        k[K_PARKED] = 1 if held and parked and off and same and x[X_S] == 0.0 and x[X_I] == 0.0 else 0
    fluid_tick(x, k, p, w, chunk)
    quiet = no_steps and k[K_QUIET] == 1 and w[F_STEPS_EXTRA] == 0.0
    k[K_AT_REST] = 1 if held and quiet and k[K_PARKED] == 1 else 0
    k[K_TICK] += 1


@kernel
def reset(x: Any, k: Any, p: Any, seed: int) -> None:
    """Bring the state to power-up: needle parked, plunger and fluid at rest, tick 0."""
    for n in range(N_X):
        x[n] = 0.0
    for n in range(N_K):
        k[n] = 0
    k[K_SEED] = seed
    x[X_EDGE_LOW] = comb_edge(0, p)
    x[X_EDGE_HIGH] = comb_edge(1, p)


@kernel
def skip_ticks(x: Any, k: Any, p: Any, w: Any, outputs: Any, count: int) -> None:
    """Let `count` ticks go by under `outputs`; those after the plant has come to rest cost nothing."""
    for n in range(count):
        if k[K_AT_REST] == 1:
            k[K_TICK] += count - n
            return
        advance_tick(x, k, p, w, outputs)
