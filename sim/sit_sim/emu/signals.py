"""The wires of a board by name, from hardware/pins: numbers, active levels, the panel chain, the sensors' spans."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sit_firmware import image

FOLDER = Path(__file__).resolve().parents[3] / "hardware" / "pins"


@dataclass(frozen=True)
class Wire:
    """A signal on a pin or a bit of the chain: its number, whether low means 1, its slot of the input image or -1."""

    number: int
    low: bool
    slot: int

    def level(self, value: int) -> bool:
        """The level that means `value`."""
        return bool(value) != self.low


@dataclass(frozen=True)
class Sensor:
    """An analog input: value = zero + raw * span / 4096."""

    slot: int
    zero: int
    span: int

    def raw(self, value: int) -> int:
        """The converter's number for a value, within its range."""
        return max(0, min(4095, ((value - self.zero) * 4096 + self.span // 2) // self.span))


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _slot(entry: dict[str, Any]) -> int:
    return getattr(image, entry.get("slot", ""), -1)


def pins(board: str) -> dict[str, Wire]:
    """The pins of a board."""
    found = _read(board)["signal"]
    return {name: Wire(entry["pin"], entry["active"] == "low", _slot(entry)) for name, entry in found.items()}


def chain_inputs() -> dict[str, Wire]:
    """The bits of the panel chain's input frame."""
    found = _read("chain")["input"]
    return {name: Wire(entry["bit"], entry["active"] == "low", _slot(entry)) for name, entry in found.items()}


def chain_outputs() -> dict[str, int]:
    """The bits of the panel chain's output frame."""
    return {name: entry["bit"] for name, entry in _read("chain")["output"].items()}


def sensors() -> dict[str, Sensor]:
    """The analog inputs."""
    found = {name: entry for name, entry in _read("sensors").items() if isinstance(entry, dict)}
    return {name: Sensor(_slot(entry), entry["zero"], entry["span"]) for name, entry in found.items()}
