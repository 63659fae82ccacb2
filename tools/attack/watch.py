"""What happens in each tick of a run, seen from outside the firmware: when the fault came, when outputs were safe."""

from __future__ import annotations

from array import array
from typing import Any

from sit_firmware import image

_FAR = 1 << 60


class Watch:
    """A trace that keeps little: reaction from `strike` to safe outputs, in ticks; images when `keep` is set."""

    def __init__(self, machine: Any, keep: bool = False) -> None:
        self.machine = machine
        self.keep = keep
        self.struck: int | None = None
        self.safe: int | None = None
        self.was_driving = False
        self.images: list[tuple[int, list[int], list[int], int, dict[str, Any]]] = []

    def strike(self) -> None:
        """The fault strikes now, before the next tick."""
        outputs = self.machine.outputs
        self.struck = self.machine.tick
        self.was_driving = bool(outputs[image.OUT_BRIDGE] or outputs[image.OUT_STEPS])

    def add(self, tick: int, inputs: array[int], outputs: array[int], phase: int) -> None:
        """One tick that the firmware ran."""
        if self.keep:
            self.images.append((tick, list(inputs), list(outputs), phase, self.machine.plant.truth()))
        if self.struck is not None and self.safe is None:
            off = not (outputs[image.OUT_BRIDGE] or outputs[image.OUT_SWITCH] or outputs[image.OUT_STEPS])
            if off:
                self.safe = tick

    def close(self) -> None:
        """Nothing to end."""

    @property
    def reaction_ticks(self) -> int | None:
        """Ticks from the fault to the first tick with safe outputs; None when nothing was driven."""
        if self.struck is None or self.safe is None or not self.was_driving:
            return None
        return self.safe - self.struck
