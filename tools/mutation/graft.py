"""Puts a changed source into a running process: the functions of its module get the new code where they are.

So whoever holds such a function, a bound method or a name imported from the module runs the change, and nothing needs
to be loaded anew.
"""

from __future__ import annotations

import ast
import importlib
import sys
from types import FunctionType, ModuleType
from typing import Any

_VALUES = (int, float, str, bytes, tuple)


def graft(name: str, tree: ast.Module, **names: Any) -> None:
    """Change module `name` to what `tree` makes; `names` are put beside its own. Raises what the new source raises."""
    old = importlib.import_module(name)
    vars(old).update(names)
    new = ModuleType(name)
    vars(new).update(names, __package__=old.__package__, __file__=old.__file__)
    exec(compile(tree, str(old.__file__), "exec"), vars(new))
    for key, value in vars(new).items():
        if key.startswith("__") or key in names:
            continue
        if key not in vars(old):
            setattr(old, key, value)
            continue
        before = vars(old)[key]
        if not _into(before, value, name) and isinstance(value, _VALUES) and before != value:
            for module in list(sys.modules.values()):
                # whoever imported the number by its name has it, too
                if module is old or getattr(module, key, None) is before:
                    setattr(module, key, value)


def _into(old: Any, new: Any, module: str) -> bool:
    """Give function, property or class `old` the code of `new`; False when it is none, or from another module."""
    if isinstance(old, FunctionType):
        if old.__module__ == module:
            old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
        return True
    if isinstance(old, property):
        return all(part is None or _into(part, getattr(new, at), module)
                   for at in ("fget", "fset", "fdel") for part in [getattr(old, at)])  # fmt: skip
    if isinstance(old, (staticmethod, classmethod)):
        return _into(old.__func__, new.__func__, module)
    if isinstance(old, type):
        if old.__module__ == module:
            for key, value in vars(new).items():
                before = vars(old).get(key)
                if not key.startswith("__") or isinstance(value, FunctionType):
                    if not _into(before, value, module) and before != value:
                        setattr(old, key, value)
        return True
    return isinstance(old, ModuleType)
