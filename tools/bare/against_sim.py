"""Whole shots on `sim:` - host, link, background and all - and the compiled loop beside each of them, tick for tick."""

import sys
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from sit_firmware import image
from sit_sim.campaign.loop import run_tick
from sit_sim.plant.jit import image_view
from sit_sim.plant.layout import X_S

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from attack import session

_MAILBOX = slice(0, image.ST_ACK_SEQ)  # the background's part of `state`
_DEPTHS_UM = (1900, 1500, 1200, 1700)
_VOLUMES_NL = (1000, 2000, 3000, 5000)
_SHOTS_A_DEVICE = 5


class Twin:
    """A trace on the simulated target: from each request on it runs a tick of its own for each tick it is told of.

    It has its own plant and its own arrays. From the target it takes what isn't the tick's: the background's mailbox
    and what the world does.
    """

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self.shots = 0
        self.ticks = 0
        self.different: str = ""
        self._following = False
        self._arrays: tuple[Any, ...] = ()
        self._plant: Any = ()
        self._mail = array("i")

    def add(self, tick: int, inputs: "array[int]", outputs: "array[int]", phase: int) -> None:
        """A tick of the target: its plant hasn't moved yet, its background has run."""
        state = self.machine.process.state
        if self._following and not self.different:
            self._follow(tick, inputs, outputs, state)
        if not self._following and state[image.ST_REQ_SEQ] != state[image.ST_ACK_SEQ]:
            self._begin(outputs, state)
        self._mail = state[_MAILBOX]

    def close(self) -> None:
        """Nothing to end."""

    def _begin(self, outputs: "array[int]", state: "array[int]") -> None:
        """Take over everything as it is once the target's plant has moved."""
        from sit_sim.plant.step import advance_tick

        x, k, p, w = self._plant = tuple(a.copy() for a in self.machine.plant.arrays)
        advance_tick(x, k, p, w, image_view(array("i", outputs)))
        params = self.machine.process.app.params
        self._arrays = tuple(np.array(a, dtype=np.int32) for a in (state, [0] * image.N_INPUTS, outputs, params))
        self._following = True
        self.shots += 1

    def _follow(self, tick: int, inputs: "array[int]", outputs: "array[int]", state: "array[int]") -> None:
        x, k, p, w = self._plant
        own_state, own_inputs, own_outputs, _ = self._arrays
        p[:], w[:] = self.machine.plant.arrays[2], self.machine.plant.arrays[3]
        own_state[_MAILBOX] = self._mail
        run_tick(x, k, p, w, self._arrays, 1)
        self.ticks += 1
        mine = {"inputs": own_inputs, "outputs": own_outputs, "state": own_state[image.ST_ACK_SEQ :]}
        theirs = {"inputs": inputs, "outputs": outputs, "state": state[image.ST_ACK_SEQ :]}
        for name, values in mine.items():
            slots = [n for n, (a, b) in enumerate(zip(values.tolist(), list(theirs[name]), strict=True)) if a != b]
            if slots:
                self.different = f"tick {tick}: {name} {slots}"
        if (
            state[image.ST_REQ_SEQ] == state[image.ST_ACK_SEQ]
            and not state[image.ST_PHASE]
            and self._plant[0][X_S] == 0
        ):
            self._following = False


def against_sim(shots: int) -> int:
    """Give `shots` shots on drawn units and compare; 1 when a tick differs."""
    from sit_sim.plant import spread_unit
    from sit_sim.targets import open_target

    ticks = followed = 0
    for first in range(0, shots, _SHOTS_A_DEVICE):
        seed = first // _SHOTS_A_DEVICE + 1
        target: Any = open_target("sim:", seed=seed, hand="none", unit=spread_unit(seed), stop_fitted=False)
        try:
            bench = session.Bench(target)
            session.prepare(bench)
            twin = Twin(target.machine)
            points = range(1, min(_SHOTS_A_DEVICE, shots - first) + 1)
            session.load(bench, [(n, _DEPTHS_UM[n % 4], _VOLUMES_NL[n % 4]) for n in points])
            bench.arm(count=len(points))
            target.trace(twin)
            for _ in points:
                session.shoot(bench, 0.5)
        finally:
            target.close()
        ticks += twin.ticks
        followed += twin.shots
        if twin.different:
            print(f"unit {seed}, shot {twin.shots}, {twin.different} differ")
            return 1
    print(f"{followed} shots on sim:, {ticks} ticks: inputs, outputs and the tick's state are equal in each")
    return 0
