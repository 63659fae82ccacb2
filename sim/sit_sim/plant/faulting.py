"""Which slots of the world a plant fault writes."""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from typing import Any

from sit_sim.faults import F1, F2, arguments, find
from sit_sim.plant.layout import *

_OFF, _ON = 1.0, 2.0
_CONSTANT: dict[F1 | F2, dict[int, float]] = {
    F1.FLAG_STUCK_OFF: {F_FLAG: _OFF},
    F1.FLAG_STUCK_ON: {F_FLAG: _ON},
    F1.COMB_DEAD: {F_COMB_DEAD: 1.0},
    F1.GATE_STUCK_OFF: {F_GATE: _OFF},
    F1.GATE_STUCK_ON: {F_GATE: _ON},
    F1.CONTACT_STUCK_OFF: {F_CONTACT: _OFF},
    F1.CONTACT_STUCK_ON: {F_CONTACT: _ON},
    F1.DRIVE_STUCK_FULL: {F_DRIVE_FULL: 1.0},
    F1.BRIDGE_STUCK_ON: {F_BRIDGE: 1.0},
    F1.SWITCH_STUCK_ON: {F_SWITCH: 1.0},
    F1.DEADMAN_STUCK_ON: {F_DEADMAN: 1.0},
    F1.DRIVER_FAULT: {F_DRIVER: 1.0},
    F1.TRIGGER_STUCK: {F_TRIGGER: 1.0},
    F1.ESTOP: {F_ESTOP: 1.0},
    F1.TICK_HUNG: {F_HUNG: 1.0},
    F2.BOTH_CUTOFFS: {F_DRIVE_FULL: 1.0, F_SWITCH: 1.0},
}
_SCALED: dict[F1 | F2, tuple[int, str, float]] = {
    F1.WRONG_ZERO: (F_GATE_SHIFT, "error_um", 1e-6),
    F1.CONTACT_OFFSET: (F_CONTACT_N, "offset_mn", 1e-3),
    F1.LOAD_OFFSET: (F_LOAD_N, "offset_mn", 1e-3),
    F1.PRESSURE_OFFSET: (F_PRESS_PA, "offset_pa", 1.0),
    F1.COIL_WEAK: (F_COIL_GAIN, "lost_fraction", 1.0),
    F1.SUPPLY_DROP: (F_SUPPLY_V, "supply_mv", 1e-3),
    F1.SUPPLY_HIGH: (F_SUPPLY_V, "supply_mv", 1e-3),
    F1.STEPS_LOST: (F_STEPS_LOST, "lost_fraction", 1.0),
    F1.STEPS_EXTRA: (F_STEPS_EXTRA, "steps_per_tick", 1.0),
    F1.OCCLUSION: (F_FLOW, "factor", 1.0),
    F2.SPRING_BROKEN: (F_SPRING, "lost_fraction", 1.0),
}
_ENCODER = (F1.ENCODER_FROZEN, F1.ENCODER_SCALED, F1.ENCODER_REVERSED, F1.ENCODER_JUMP)
_TIP = {F2.COUPLING_SLIPPED: "slip_um", F2.NEEDLE_RESEATED: "shift_um"}


def begin(name: str, given: dict[str, float], w: Any, s: float) -> float:
    """Write fault `name` into `w`; returns how far the plane moves against the carriage (m). `s`: carriage now."""
    fault = find(name)
    args = arguments(fault, given)
    if fault in _CONSTANT:
        for slot, value in _CONSTANT[fault].items():
            w[slot] = value
    elif fault in _SCALED:
        slot, argument, scale = _SCALED[fault]
        w[slot] = args[argument] * scale
    elif fault in _ENCODER:
        gains = {F1.ENCODER_FROZEN: 0.0, F1.ENCODER_REVERSED: -1.0, F1.ENCODER_JUMP: 1.0}
        w[F_ENC_ON], w[F_ENC_AT] = 1.0, s
        w[F_ENC_GAIN] = gains.get(fault, args.get("factor", 1.0))  # type: ignore[arg-type]
        w[F_ENC_JUMP] = args.get("jump_um", 0.0) * 1e-6
    elif fault in _TIP:
        return -args[_TIP[fault]] * 1e-6
    else:
        raise ValueError(f"the fault {name} isn't the plant's: the {fault.value.where} brings it about.")
    return 0.0


def end(name: str, w: Any) -> None:
    """Take fault `name` out of `w`."""
    fault = find(name)
    if fault in _CONSTANT:
        slots = list(_CONSTANT[fault])
    elif fault in _SCALED:
        slots = [_SCALED[fault][0]]
    elif fault in _ENCODER:
        slots = [F_ENC_ON, F_ENC_AT, F_ENC_GAIN, F_ENC_JUMP]
    else:
        slots = []
    for slot in slots:
        w[slot] = 0.0
