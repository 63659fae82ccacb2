"""Pins this thread to one core while a firmware process runs in lockstep with it.

Two processes that only ever wait for each other run several times faster on one core: a switch on the
same core is cheaper than waking another.
"""

from __future__ import annotations

import os

_state: dict[str, object] = {"users": 0, "before": None}


def pin() -> None:
    """Pin to one of the cores allowed now; children inherit it. Nested calls count."""
    if not hasattr(os, "sched_setaffinity"):
        return
    users = int(str(_state["users"]))
    if users == 0:
        before = os.sched_getaffinity(0)
        _state["before"] = before
        cores = sorted(before)
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        number = int(worker[2:]) if worker[2:].isdigit() else os.getpid()
        os.sched_setaffinity(0, {cores[number % len(cores)]})
    _state["users"] = users + 1


def unpin() -> None:
    """Undo one `pin`; the last one gives all cores back."""
    users = int(str(_state["users"]))
    if users == 0 or not hasattr(os, "sched_setaffinity"):
        return
    _state["users"] = users - 1
    before = _state["before"]
    if users == 1 and isinstance(before, set):
        os.sched_setaffinity(0, before)
