"""How a command ends: Delivered, Refused or Unknown. There is no fourth way and no guess.

*Delivered*: the device has carried it out (or accepted it, for long work) and this is its reply.
*Refused*: the device has said no, and nothing happened.
*Unknown*: no reply came; it may or may not have happened. It is never sent anew; `Client.reconnect` finds out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sit_host._gen.enums import Refusal
from sit_host._gen.messages import RULES, Disarm, Stop
from sit_host.describe import not_ready_hint
from sit_host.errors import LinkLost, NoAnswer, RefusedError, UnknownError

R = TypeVar("R", covariant=True)
_READS = frozenset(id for id, rule in RULES.items() if not rule.changes) - {Stop.ID, Disarm.ID}


@dataclass(frozen=True)
class Delivered(Generic[R]):
    """The device did it. `reply` is the typed reply with the state after the command."""

    reply: R


@dataclass(frozen=True)
class Refused:
    """The device did nothing. `number` and `name` are the schema's, `hint` says what to do.

    `reply` holds the reply header (state, fault, ready bits) when the device itself refused, and None when
    this host refused before sending.
    """

    message: str
    number: int
    name: str
    doc: str
    hint: str
    reply: Any = None

    def error(self) -> RefusedError:
        """Return it as an exception with one sentence."""
        do = self.hint
        if self.number == Refusal.NOT_READY and self.reply is not None:
            do = not_ready_hint(self.message, self.reply.ready)
        return RefusedError(f"The device refused {self.message}: {self.doc}", do, number=self.number, name=self.name)


@dataclass(frozen=True)
class Unknown:
    """No reply came. `sent` is the message (None when nothing left the host), `lost` whether the link broke."""

    message: str
    why: str
    sent: Any = None
    lost: bool = False

    def error(self) -> UnknownError | NoAnswer | LinkLost:
        """Return it as an exception with one sentence; for a reading there is nothing to be unsure of."""
        if self.sent is not None and self.sent.ID in _READS:
            if self.lost:
                return LinkLost(self.why, "Check cable and power, then connect again.")
            return NoAnswer(f"The device doesn't answer {self.message}: {self.why}", "Connect again.")
        return UnknownError(
            f"It isn't known whether {self.message} took effect: {self.why}",
            "Look at the device, then at `sit info` and `sit log list`, before doing it again.",
        )


Outcome = Delivered[R] | Refused | Unknown


def expect(outcome: Delivered[R] | Refused | Unknown) -> R:
    """Return the reply of a delivered command. Raises the outcome's error otherwise."""
    if isinstance(outcome, Delivered):
        return outcome.reply
    raise outcome.error()
