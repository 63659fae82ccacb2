"""What really happened, where the target is a simulator that can be asked: for comparing, never for deciding.

The record of a treatment is made without it. It is asked for after each shot and kept beside the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.treatment.course import ENDS


@dataclass(frozen=True)
class ShotTruth:
    """One shot as the plant knows it. `tip_um` and `tip_max_um` count from the nose-piece plane."""

    depth_um: float
    tip_max_um: float
    tissue_nl: float
    needle_nl: float
    steps: int

    def as_json(self) -> dict[str, float]:
        """Return it for `--json`."""
        return dict(vars(self))


class Truth:
    """Keeps the truth of each shot by point and attempt. `available` is False on targets that have none."""

    def __init__(self, transport: Any) -> None:
        self._control = getattr(transport, "control", None)
        self.available = callable(self._control)
        self.shots: dict[tuple[int, int], ShotTruth] = {}
        before = self._ask() if self.available else []
        self._begun = len(before)
        self._passes = before[-1]["shot"]["number"] if before else 0
        self._intents: list[tuple[int, int]] = []

    def on_record(self, record: Record) -> None:
        """Take the truth of a shot whose end was written: the plant's shots come in the order of the INTENTs."""
        if not self.available:
            return
        key = (record.point, record.attempt)
        if record.kind == Kind.INTENT:
            self._intents.append(key)
        elif record.kind in ENDS and key in self._intents:
            shots = self._ask()[self._begun :]
            before = self._passes
            for intent, shot in zip(self._intents, shots, strict=False):
                self.shots[intent] = _shot(shot["shot"], before)
                before = shot["shot"]["number"]

    def _ask(self) -> list[dict[str, Any]]:
        assert self._control is not None
        shots: list[dict[str, Any]] = self._control({"do": "truth"})["shots"]
        return shots


def _shot(shot: dict[str, Any], passes_before: int) -> ShotTruth:
    if shot["number"] == passes_before:
        return ShotTruth(0.0, 0.0, 0.0, 0.0, 0)  # the tip never passed the nose-piece plane
    return ShotTruth(
        depth_um=shot["depth_end_um"],  # a run begins its probe before the needle stands
        tip_max_um=shot["tip_peak_um"],
        tissue_nl=shot["tissue_nl"],
        needle_nl=shot["needle_nl"],
        steps=shot["steps"],
    )
