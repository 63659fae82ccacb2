"""The name of a treatment on the wire: eight bytes made of the plan and the number of its run.

A shot's identity is treatment + point + attempt, so the name must be the same when a treatment is resumed, and another
one when the same plan is given again. It is made of the plan file's own hash and a run number: a second start can find
an unfinished run in the device's ledger even when every file on the host is lost.
"""

from __future__ import annotations

import hashlib

TREATMENT_BYTES = 8
NO_TREATMENT = bytes(TREATMENT_BYTES)


def treatment_id(plan_sha256: str, run: int) -> bytes:
    """Return the name of run `run` (from 1) of the plan whose file has this SHA-256; never all zero."""
    digest = hashlib.sha256(f"OpenSIT treatment {plan_sha256} {run}".encode()).digest()[:TREATMENT_BYTES]
    return digest if digest != NO_TREATMENT else b"\x01" + digest[1:]


def runs_in(plan_sha256: str, treatments: set[bytes], up_to: int) -> list[int]:
    """Return the runs of this plan, from 1 to `up_to`, whose names are among `treatments`."""
    return [run for run in range(1, up_to + 1) if treatment_id(plan_sha256, run) in treatments]
