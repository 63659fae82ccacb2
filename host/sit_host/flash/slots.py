"""What a board's sit_slots.json says, and what follows: which slot to write, which one to fall back to.

Pure functions; firmware/sit_slots.py is the other side and documents the file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

STATE = "sit_slots.json"
STAY = "sit_slots.stay"
MANIFEST = "manifest.json"
SLOTS = ("slot_a", "slot_b")


@dataclass(frozen=True)
class Slots:
    """Which slot starts; `confirmed` once it has been found healthy; `before` is the confirmed one to fall back to."""

    active: str
    confirmed: int = 0
    tries: int = 0
    before: str = ""

    @property
    def good(self) -> str:
        """The slot that must not be written: the last one found healthy, "" when there is none."""
        return self.active if self.confirmed else self.before

    def text(self) -> bytes:
        """The file's bytes."""
        return json.dumps(asdict(self)).encode()


def parse(data: bytes) -> Slots | None:
    """The state, or None when the file can't be understood: then the board doesn't start any slot either."""
    try:
        found = json.loads(data)
        slots = Slots(*(found[name] for name in ("active", "confirmed", "tries", "before")))
    except (ValueError, KeyError, TypeError):
        return None
    good = slots.active in SLOTS and slots.before in ("", *SLOTS)
    return slots if good and isinstance(slots.confirmed, int) and isinstance(slots.tries, int) else None


def to_write(slots: Slots | None) -> str:
    """The slot that a new image goes to: never the one that was last found healthy."""
    return SLOTS[1] if slots is not None and slots.good == SLOTS[0] else SLOTS[0]


def before_writing(slots: Slots | None) -> Slots | None:
    """The state to set before the other slot is written: the healthy slot must be the one that starts."""
    if slots is not None and slots.good and slots.active != slots.good:
        return Slots(slots.good, confirmed=1)
    return None


def switched(slots: Slots | None, slot: str) -> Slots:
    """The state that starts a freshly written slot, not yet confirmed."""
    return Slots(slot, before=slots.good if slots is not None else "")


def confirmed(slots: Slots) -> Slots:
    """The active slot has been found healthy."""
    return Slots(slots.active, confirmed=1, before=slots.before)


def rolled_back(slots: Slots | None) -> Slots | None:
    """The state that starts the slot before; None when there is none."""
    return Slots(slots.before, confirmed=1) if slots is not None and slots.before else None
