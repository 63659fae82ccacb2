"""The firmware's tick functions as kernels: the same code objects, compiled, so no second implementation exists."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from sit_sim.plant.jit import COMPILED, kernel

_made: dict[FunctionType, Any] = {}


def tick_function(function: Callable[..., None]) -> Any:
    """`function` of the four arrays and all it calls as one kernel; itself when SIT_PLANT=python."""
    if not COMPILED:
        return function
    assert isinstance(function, FunctionType)
    if function not in _made:
        space = dict(function.__globals__)
        for name in function.__code__.co_names:
            called = space.get(name)
            if isinstance(called, FunctionType):
                space[name] = tick_function(called)
        _made[function] = kernel(FunctionType(function.__code__, space, function.__name__))
    return _made[function]
