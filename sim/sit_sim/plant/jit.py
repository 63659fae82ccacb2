"""Compiled or interpreted: the choice for the plant's kernels, and a cache that can't go stale.

`SIT_PLANT=python` runs the same functions in the interpreter, for a debugger; any other machine code than theirs
doesn't exist. Numba's own cache looks only at the file a function is in, so an edited constant elsewhere would go
unseen: here the cache folder is named after a hash of every source that a kernel may be made of.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_CHOICE = os.environ.get("SIT_PLANT", "compiled")
if _CHOICE not in ("compiled", "python"):
    raise SystemExit(f"SIT_PLANT={_CHOICE!r} is unknown: use 'compiled' (usual) or 'python' (interpreted).")
COMPILED = _CHOICE == "compiled"

_SIM = Path(__file__).resolve().parents[1]
_FIRMWARE = _SIM.parents[1] / "firmware" / "sit_firmware"
_PLANT = (*sorted((_SIM / "plant").glob("*.py")), _FIRMWARE / "image.py")
_LOOP = (
    *_PLANT,
    *sorted((_SIM / "campaign").glob("*.py")),
    *sorted((_FIRMWARE / "control").glob("*.py")),
    *sorted(_FIRMWARE.glob("guard*.py")),
    _FIRMWARE / "codes.py",
    _FIRMWARE / "interval.py",
)
# no fast math: compiled and interpreted give the same bits
_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": False, "_nrt": False}


@cache
def _cache_folder(sources: tuple[Path, ...]) -> str:
    """A writable folder for kernels made of `sources`, one for each state of them."""
    digest = hashlib.sha256(os.environ.get("SIT_SUBSTEPS", "").encode())
    for path in sources:
        if path.exists():
            digest.update(path.read_bytes())
    name = f"kernels-{digest.hexdigest()[:16]}"
    base = _SIM / "plant" / "__pycache__"
    if os.access(base if base.exists() else base.parent, os.W_OK):
        return str(base / name)
    from platformdirs import user_cache_path

    return str(user_cache_path("opensit") / name)


def kernel(function: Function) -> Function:
    """Compile `function`, strictly: no fast math, so that compiled and interpreted give the same bits.

    A function outside the plant (control law, guard, campaign loop) may be made of any of them: it is compiled anew
    when one of their sources changes.

    No kernel makes or frees an array, so reference counting (`_nrt`) is off: it would cost two locked instructions for
    each array handed to each function, two thirds of an active tick.
    """
    if not COMPILED:
        return function
    of_plant = function.__module__.startswith("sit_sim.plant.")
    numba.config.CACHE_DIR = _cache_folder(_PLANT if of_plant else _LOOP)  # type: ignore[attr-defined]
    compiled: Any = numba.njit(**_OPTIONS)(function)
    return compiled


def floats(n: int) -> Any:
    """`n` zeros of 64-bit floats, in the form the kernels are fastest with."""
    return np.zeros(n) if COMPILED else [0.0] * n


def ints(n: int) -> Any:
    """`n` zeros of 64-bit integers."""
    return np.zeros(n, dtype=np.int64) if COMPILED else [0] * n


def image_view(image: array | Sequence[int] | np.ndarray) -> Any:
    """`image` (an array('i') or an int32 array) as the kernels take it; shares its memory."""
    if not COMPILED or isinstance(image, np.ndarray):
        return image
    return np.frombuffer(image, dtype=np.int32)  # type: ignore[arg-type]
