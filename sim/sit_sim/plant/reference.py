"""The reference design's numbers, read from hardware/reference.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[3] / "hardware" / "reference.toml"


@cache
def reference() -> dict[str, Any]:
    """The tables of reference.toml; FileNotFoundError with the place to look when it is missing."""
    if not PATH.exists():
        raise FileNotFoundError(f"{PATH} is missing: the simulator needs the whole source tree, not only the package.")
    return tomllib.loads(PATH.read_text(encoding="utf-8"))
