"""The plant as an object: what targets, the hand and tests hold. The physics is in the kernels beside it."""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sit_firmware.image import N_OUTPUTS, OUT_BRIDGE, OUT_DUTY, OUT_SWITCH, OUT_TOKEN

from sit_sim.plant import faulting
from sit_sim.plant.constants import fill_constants, line_volume, needle_volume
from sit_sim.plant.jit import floats, image_view, ints
from sit_sim.plant.layout import *
from sit_sim.plant.noise import CH_GATE, CH_JIG, CH_SEATING, normal
from sit_sim.plant.sites import scaled_of, surface_of
from sit_sim.plant.step import advance_tick, reset, sample_tick, skip_ticks
from sit_sim.plant.truth import truth_of
from sit_sim.plant.unit import Unit, needle_values, syringe_values

_WORLD = {
    "press_n": (W_PRESS_N, 1.0),
    "trigger": (W_TRIGGER, 1.0),
    "estop": (W_ESTOP, 1.0),
    "cartridge": (W_CARTRIDGE, 1.0),
    "jumper": (W_JUMPER, 1.0),
    "pair": (W_PAIR, 1.0),
    "supply_mv": (W_SUPPLY_V, 1e-3),
}
_VISCOSITY_PER_K = 0.02  # of water, about 20 degrees: falls by so much
_SKIN_FIELDS = ("surface_m", "skin_n_per_m", "puncture_n", "cutting_n", "skin_friction_n_per_m", "back_pressure_pa")
KEYS = (*_WORLD, "zero_tool", "needle", "jig", "adjust_um", "syringe", "purged", "site", "skin", "tilt_g", "warmth_k")
"""What `Plant.set` knows."""


class Plant:
    """One device on its world. Everything follows from `unit`, `seed`, the calls made and their ticks."""

    def __init__(self, unit: Unit, seed: int, stop_fitted: bool = False) -> None:
        """A device at rest with needle and full syringe fitted, adjusted by the jig, air still in the line."""
        self.unit = unit
        self.seed = seed
        self.stop_fitted = stop_fitted
        self._events = 0
        self._gate_m = 0.0
        self._x, self._k, self._p, self._w = floats(N_X), ints(N_K), floats(N_P), floats(N_W)
        self._outputs = image_view(array("i", [0] * N_OUTPUTS))
        self._seen: list[tuple[Any, Any]] = []
        self._home = unit
        self._warmth_k = 0.0
        self._plane_m = unit.park_m + unit.adjusted_sd_m * self._draw(CH_JIG)
        self._site: int | None = None  # where a gliding hand is, until the needle leaves the skin that it drags along
        self._refresh()
        reset(self._x, self._k, self._p, seed & 0xFFFFFFFF)
        self._x[X_AIR] = line_volume(unit)
        self._w[W_CARTRIDGE] = 1.0
        self._w[W_SUPPLY_V] = unit.supply_v

    # --- time -------------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Number of the current tick."""
        return int(self._k[K_TICK])

    @property
    def at_rest(self) -> bool:
        """Another tick under the last outputs would change nothing but the tick number (and so the noise)."""
        return bool(self._k[K_AT_REST])

    def sample(self, inputs: Any) -> None:
        """Fill the input image (an array('i') or int32 array) for the current tick."""
        sample_tick(self._x, self._k, self._p, self._w, self._view(inputs))

    def advance(self, outputs: Any) -> None:
        """Move one tick: the old outputs act for its first 0.3, `outputs` for the rest."""
        advance_tick(self._x, self._k, self._p, self._w, self._view(outputs))
        if self._site is not None and self._x[X_S] <= self._p[P_PLANE]:
            self._go_to_site(self._site)
            self._site = None
            self._refresh()

    def skip(self, ticks: int) -> None:
        """Let `ticks` go by under the last outputs, no more steps: as if advanced one by one, but quick at rest."""
        if ticks < 0:
            raise ValueError(f"skip({ticks}): time goes forward only.")
        out = self._outputs
        out[OUT_DUTY], out[OUT_BRIDGE] = self._k[K_DUTY], self._k[K_BRIDGE]
        out[OUT_SWITCH], out[OUT_TOKEN] = self._k[K_SWITCH], self._k[K_TOKEN]
        skip_ticks(self._x, self._k, self._p, self._w, out, ticks)

    # --- world ------------------------------------------------------------------------------------

    def set(self, key: str, value: Any) -> None:
        """Change what the world does to the device; ValueError for an unknown key. Keys: docs/plant.md."""
        self._wake()
        if key in _WORLD:
            slot, scale = _WORLD[key]
            self._w[slot] = float(value) * scale
        elif key == "zero_tool":
            self._w[W_ZERO_TOOL] = 1.0 if value else 0.0
            if value:
                limit = self.unit.gate_limit_m
                self._gate_m = max(-limit, min(limit, self.unit.gate_sd_m * self._draw(CH_GATE)))
        elif key == "needle":
            self._fit_needle(int(value))
        elif key == "jig":
            self._plane_m = self.unit.park_m + self.unit.adjusted_sd_m * self._draw(CH_JIG)
        elif key == "adjust_um":
            self._plane_m += float(value) * 1e-6
        elif key == "syringe":
            self._fit_syringe(value)
        elif key == "purged":
            self._x[X_AIR] = 0.0
        elif key == "site":
            self._site = int(value)
            if self._x[X_S] <= self._p[P_PLANE]:
                self._go_to_site(self._site)
                self._site = None
        elif key == "skin":
            unknown = set(value) - set(_SKIN_FIELDS)
            if unknown:
                raise ValueError(f"skin has no {sorted(unknown)[0]!r}: use {', '.join(_SKIN_FIELDS)}.")
            self.unit = replace(self.unit, **value)
        elif key == "tilt_g":
            self.unit = replace(self.unit, tilt_g=float(value))
        elif key == "warmth_k":
            self._warm(float(value))
        else:
            raise ValueError(f"the plant has no input {key!r}: use one of {', '.join(KEYS)}.")
        self._refresh()

    def fault(self, name: str, **args: float) -> None:
        """Bring about a plant fault of sit_sim.faults; ValueError for an unknown name or argument."""
        self._wake()
        self._plane_m += faulting.begin(name, args, self._w, float(self._x[X_S]))
        self._refresh()

    def unfault(self, name: str) -> None:
        """End a plant fault; a slipped coupling or a reseated needle stays where it is."""
        self._wake()
        faulting.end(name, self._w)

    def truth(self) -> dict[str, Any]:
        """What is really the case, with the unit in each name; `shot` holds the current or last shot."""
        return truth_of(self._x, self._k, self._p, self._w)

    @property
    def arrays(self) -> tuple[Any, Any, Any, Any]:
        """The kernels' own memory `x`, `k`, `p`, `w` (layout.py), for compiled loops."""
        return self._x, self._k, self._p, self._w

    @property
    def home(self) -> Unit:
        """The unit as it was made: the person's own skin, site 0."""
        return self._home

    def snapshot(self) -> Any:
        """Everything that the future depends on, for `restore`."""
        arrays = tuple(a.copy() for a in (self._x, self._k, self._p, self._w))
        return arrays, self.unit, self._home, self._events, self._gate_m, self._plane_m, self._site, self._warmth_k

    def restore(self, snapshot: Any) -> None:
        """Go back to a snapshot of this plant."""
        arrays, self.unit, self._home, self._events, self._gate_m, self._plane_m, self._site, self._warmth_k = snapshot
        for own, kept in zip((self._x, self._k, self._p, self._w), arrays, strict=True):
            own[:] = kept

    # --- inside -----------------------------------------------------------------------------------

    def _view(self, image: Any) -> Any:
        """The kernels' form of an image, made once for each array that comes by."""
        for known, view in self._seen:
            if known is image:
                return view
        view = image_view(image)
        self._seen = [*self._seen[-3:], (image, view)]
        return view

    def _draw(self, channel: int) -> float:
        """A normal draw that belongs to this happening."""
        self._events += 1
        return normal(self.seed & 0xFFFFFFFF, self._events, channel)

    def _refresh(self) -> None:
        fill_constants(self._p, self.unit, self._plane_m, self._gate_m, self.stop_fitted)

    def _wake(self) -> None:
        self._k[K_QUIET] = 0
        self._k[K_PARKED] = 0
        self._k[K_AT_REST] = 0

    def _warm(self, kelvin: float) -> None:
        """Device and fluid are this much warmer than when they were made ready: the tip moves out, the fluid grows."""
        change = kelvin - self._warmth_k
        unit, x = self.unit, self._x
        self._warmth_k = kelvin
        self._plane_m -= unit.growth_m_per_k * change
        self.unit = replace(unit, viscosity_pa_s=unit.viscosity_pa_s * (1.0 - _VISCOSITY_PER_K * change))
        left = unit.capacity_m3 - self._p[P_AREA] * x[X_Z] + line_volume(unit)
        grown = left * unit.expansion_per_k * change
        # what the fluid has grown by is pressed together like anything else that hasn't left
        x[X_V_OUT] -= grown
        x[X_WARMED] += grown

    def _fit_needle(self, needle_id: int) -> None:
        """A new needle: its own seating (the jig is to follow), air in its bore."""
        old, new = needle_values(self.unit.needle_id), needle_values(needle_id)
        self.unit = replace(self.unit, **self._as_far_off(old, new, ("needle_bore_m", "bevel_m")))
        self._plane_m = self.unit.park_m + self.unit.seating_sd_m * self._draw(CH_SEATING)
        self._x[X_AIR] += needle_volume(self.unit)

    def _as_far_off(self, old: dict[str, Any], new: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
        """The nominal values `new`, off by the factors that the unit's own are off the nominal `old`."""
        return {**new, **{name: new[name] * (getattr(self.unit, name) / old[name]) for name in fields}}

    def _fit_syringe(self, value: int | Mapping[str, float]) -> None:
        """A new syringe {"id": 1, "full_ul": 1000}: no pressure, the rod against the stopper, air in the line."""
        given = {"id": value} if not isinstance(value, Mapping) else dict(value)
        old, new = syringe_values(self.unit.syringe_id), syringe_values(int(given.pop("id")))
        full_ul = float(given.pop("full_ul", new["capacity_m3"] * 1e9))
        if given:
            raise ValueError(f"a syringe has no {next(iter(given))!r}: give id and full_ul.")
        if not 0 <= full_ul <= new["capacity_m3"] * 1e9 + 1e-6:
            raise ValueError(f"full_ul = {full_ul}: this syringe holds 0 to {new['capacity_m3'] * 1e9:.0f} uL.")
        fields = ("bore_m", "stopper_n_per_m", "stopper_friction_n", "compliance_m3_per_pa")
        new = self._as_far_off(old, new, fields)
        new["capacity_m3"] = full_ul * 1e-9
        self.unit = replace(self.unit, **new)
        x = self._x
        x[X_NUT_REF] += x[X_NUT]
        for slot in (X_NUT, X_Z, X_ROD, X_P, X_Q, X_V_OUT, X_WARMED):
            x[slot] = 0.0
        x[X_AIR] = line_volume(self.unit)

    def _go_to_site(self, number: int) -> None:
        """The skin of another site of the same person; site 0 is the unit's own."""
        home, seed = self._home, self.seed & 0xFFFFFFFF
        fields = {name: getattr(home, name) for name in _SKIN_FIELDS}
        fields["surface_m"] = surface_of(seed, number, home.surface_m, home.site_surface_sd_m)
        fields["skin_n_per_m"] = scaled_of(seed, number, home.skin_n_per_m, home.site_fraction_sd, 1)
        fields["puncture_n"] = scaled_of(seed, number, home.puncture_n, home.site_fraction_sd, 2)
        self.unit = replace(self.unit, **fields)
