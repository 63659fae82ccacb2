"""One simulated device on the bench: plant, four arrays, and requests posted as the background would."""

from __future__ import annotations

from typing import Any

import numpy as np
from sit_firmware import codes, dose, image, params
from sit_firmware.control import step
from sit_firmware.guard import check
from sit_firmware.screw import LOOK_TICKS, MAP_STEPS, Screw

from sit_sim.campaign.loop import ask_shot, run_ticks
from sit_sim.plant import Plant, Unit
from sit_sim.plant.jit import image_view

_FILL_STEPS = 2000  # of a purge, before a map is made
_FILL_NL_PER_S = 50_000  # as the firmware primes
_WATCH_TICKS = 8


class Refused(Exception):
    """The tick domain refused a request or a fault ended it; the message holds result, cause and fault."""


class Bench:
    """A device without background. Depths in um from the nose-piece plane, volumes in nl, times in ticks."""

    def __init__(
        self,
        unit: Unit,
        seed: int,
        guarded: bool = True,
        needle_id: int = 1,
        zero_error_um: int = 0,
        plain: bool = False,
        board: str = "",
    ) -> None:
        """Powered up and zeroed at the plant's true plane plus an error.

        `guarded` False leaves the guard out; `plain` runs the firmware's functions as they stand, not compiled.
        `board` lays the parameters of a board over the defaults.
        """
        self.plant = Plant(unit, seed)
        self.guarded = guarded
        self.plain = plain
        self.arrays = image.new() if plain else tuple(image_view(a) for a in image.new())
        self.state, self.inputs, self.outputs, self.params = self.arrays
        params.defaults(self.params, board)
        params.use_needle(self.params, needle_id, round(unit.viscosity_pa_s * 1e6))
        self.screw = Screw()
        self.plant.set("purged", True)
        self.run(4)
        self.zero(zero_error_um)

    def run(self, ticks: int, until_idle: bool = False) -> int:
        """Run ticks; with `until_idle` stop when the request is answered and the needle is home."""
        if not self.plain:
            return run_ticks(*self.plant.arrays, self.arrays, ticks, int(until_idle), int(self.guarded))
        for n in range(ticks):
            self._tick()
            if until_idle and self._idle():
                return n + 1
        return ticks

    def _tick(self) -> None:
        """What `run_ticks` does in a tick."""
        state, inputs, outputs, block = self.arrays
        self.plant.sample(inputs)
        if inputs[image.IN_TICK] & 1 == 0:
            step(state, inputs, outputs, block)
        if self.guarded:
            check(state, inputs, outputs, block)
        else:
            outputs[image.OUT_TOKEN] = outputs[image.OUT_BRIDGE] | outputs[image.OUT_SWITCH]
        state[image.ST_BEAT] += 1
        self.plant.advance(outputs)

    def _idle(self) -> bool:
        state = self.state
        answered = state[image.ST_ACK_SEQ] == state[image.ST_REQ_SEQ]
        at_rest = state[image.ST_PHASE] in (codes.PHASE_IDLE, codes.PHASE_FAULT)
        return answered and at_rest and self.plant.truth()["carriage_um"] == 0

    def zero(self, error_um: int = 0) -> None:
        """Take the true plane as the zero, `error_um` off."""
        self.state[image.ST_ZERO_UM] = round(self.plant.truth()["zero_um"]) + error_um
        self.state[image.ST_ZEROED] = 1

    def post(self, request: int, **arguments: int) -> None:
        """Post a request with its ST_ARG_* arguments by name (depth_um=...)."""
        for name, value in arguments.items():
            self.state[getattr(image, f"ST_ARG_{name.upper()}")] = value
        self.state[image.ST_REQ] = request
        self.state[image.ST_REQ_SEQ] += 1

    def post_shot(self, depth_um: int, volume_nl: int, flow_nl_per_s: int = 60_000, dwell_ms: int = 200) -> None:
        """Press, pull the trigger and post a shot as the background would."""
        self.hold(True)
        ask_shot(image_view(self.state), image_view(self.params), depth_um, volume_nl, flow_nl_per_s, dwell_ms)

    def hold(self, on: bool) -> None:
        """Press the nose-piece on the skin and pull the trigger, or let go of both; waits until it is debounced."""
        self.plant.set("press_n", 2.0 if on else 0.0)
        self.plant.set("trigger", on)
        self.run(60)

    def purge(self, steps: int = 2000, flow_spt: int = 700) -> None:
        """Purge the line by `flow_spt` / 256 steps a tick; raises Refused unless it went well."""
        self.post(codes.REQ_PURGE, steps=steps, max_steps=steps + 20, flow_spt=flow_spt, dwell_ticks=4000)
        self.run(40_000, until_idle=True)
        self.expect_done()

    def purge_with_map(self, look_ticks: int = LOOK_TICKS) -> None:
        """Purge the line as PRIME does, and learn the screw from looks that far apart; Refused if it failed."""
        steps, begin = _FILL_STEPS + MAP_STEPS, int(self.inputs[image.IN_STEPS])
        flow = dose.flow_q8(_FILL_NL_PER_S, self.params.tolist())
        self.post(codes.REQ_PURGE, steps=steps, max_steps=steps + 20, flow_spt=flow, dwell_ticks=4000)
        self.screw.begin(begin + _FILL_STEPS, begin + steps)
        while self.run(look_ticks, until_idle=True) == look_ticks:
            self.screw.look(self.state, self.inputs)
        self.expect_done()
        self.screw.learn(self.params.tolist())

    def give(
        self, depth_um: int, volume_nl: int, flow_nl_per_s: int, dwell_ms: int, most_ticks: int
    ) -> tuple[int, int]:
        """A shot as the background gives it, by the map of the screw; lifts.

        Returns the ticks it took, and what it pushed beyond its steps by the map, nl.
        """
        block = self.params.tolist()
        in_run = self.state[image.ST_ARG_SKIN_TICKS] != 0
        asked_nl = self.screw.asked_nl(volume_nl, self.state.tolist(), self.inputs.tolist(), block, in_run)
        self.post_shot(depth_um, asked_nl, flow_nl_per_s, dwell_ms)
        self.state[image.ST_ARG_MAX_STEPS] = dose.cap_steps(dose.steps_of(volume_nl, block), block)
        ticks = ran = self.run(_WATCH_TICKS, until_idle=True)
        while ran == _WATCH_TICKS and ticks < most_ticks and self.state[image.ST_PROBE] != image.PROBE_IN_TISSUE:
            self.screw.watch(self.state, self.inputs)
            ran = self.run(_WATCH_TICKS, until_idle=True)
            ticks += ran
        if ran == _WATCH_TICKS:
            ticks += self.run(most_ticks - ticks, until_idle=True)
        more_nl = self.screw.given_nl(self.state.tolist(), self.inputs.tolist())
        self.hold(False)
        return ticks, more_nl

    def expect_done(self) -> None:
        """Raises Refused unless the last request ended with DONE."""
        if self.state[image.ST_RESULT] != codes.RESULT_DONE or self.state[image.ST_FAULT]:
            raise Refused(
                f"result {self.state[image.ST_RESULT]}, cause {self.state[image.ST_CAUSE]}, "
                f"fault {self.state[image.ST_FAULT]} ({self.state[image.ST_FAULT_VALUE]})"
            )

    def copy_arrays(self) -> list[Any]:
        """The four arrays as they are now."""
        return [np.array(a) for a in self.arrays]
