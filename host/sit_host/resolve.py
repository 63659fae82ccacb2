"""What a command of unknown outcome came to, told from the device's status afterwards. Never by sending it anew.

Shots are not commands: what was injected stands in the ledger, and the ledger alone says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sit_host._gen import enums, messages
from sit_host._gen.messages import StatusReply
from sit_host.outcome import Unknown

_MOVING = (enums.State.ARMED, enums.State.INJECTING)

# message -> (message, status) -> whether what it asks for is so now; a message not in the table can't be told
_IN_FORCE: dict[type, Callable[[Any, StatusReply], bool]] = {
    messages.Arm: lambda sent, status: status.header.state in _MOVING,
    messages.Renew: lambda sent, status: status.header.state in _MOVING,
    messages.Disarm: lambda sent, status: status.header.state not in _MOVING,
    messages.Stop: lambda sent, status: status.header.state not in _MOVING,
    messages.ClearFault: lambda sent, status: status.header.fault != sent.fault,
    messages.AckUncertain: lambda sent, status: status.uncertain_seq != sent.seq,
    messages.LedgerRelease: lambda sent, status: status.ledger_saved >= sent.seq,
    messages.SetClock: lambda sent, status: bool(status.unix_s),
    messages.LoadSeal: lambda sent, status: (
        bool(status.header.ready & enums.Ready.LOADED) and status.points == sent.count
    ),
    messages.Selftest: lambda sent, status: bool(status.header.ready & enums.Ready.TESTED),
    messages.Zero: lambda sent, status: bool(status.header.ready & enums.Ready.ZEROED),
    messages.Prime: lambda sent, status: bool(status.header.ready & enums.Ready.PRIMED),
}


def in_force(unknown: Unknown, status: StatusReply) -> bool | None:
    """Return whether what the command asks for is so by `status`; None when the status can't tell.

    A reading (True: nothing needs doing again; False: it isn't so now, whatever happened meanwhile).
    """
    rule = _IN_FORCE.get(type(unknown.sent))
    return None if rule is None else rule(unknown.sent, status)
