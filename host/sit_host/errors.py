"""Errors a user meets: each one sentence of what happened and where, and one of what to do.

Every error of the host derives from `SitError`, carries the exit code of the command line and never needs a
stack trace to be understood. Library users catch these classes; nobody tells errors apart by their text.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3


class SitError(Exception):
    """Something a user can act on. `what` says what happened and where, `do` says what to do about it."""

    exit_code = EXIT_FAILED

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.do = do

    def __str__(self) -> str:
        return f"{self.what} {self.do}".strip()

    def as_json(self) -> dict[str, object]:
        """Return the error for `--json` output."""
        return {"kind": type(self).__name__, "what": self.what, "do": self.do}


class UsageError(SitError):
    """The command line itself is wrong: nothing was tried (exit code 2)."""

    exit_code = EXIT_USAGE


class PortError(SitError):
    """The connection could not be opened: no such port, no permission, not reachable."""


class PortBusy(PortError):
    """Another process owns the port. `pid` and `command` name it when it is known."""

    def __init__(self, what: str, do: str = "", *, pid: int = 0, command: str = "") -> None:
        super().__init__(what, do)
        self.pid = pid
        self.command = command


class LinkLost(SitError):
    """The open connection broke: cable out, power gone, server ended."""


class NoAnswer(SitError):
    """The port is open, but no valid frame came back."""


class ProtocolError(SitError):
    """The other side speaks frames that this host cannot understand."""


class RefusedError(SitError):
    """The device refused: nothing happened. `number` and `name` are those of the schema."""

    def __init__(self, what: str, do: str, *, number: int, name: str) -> None:
        super().__init__(what, do)
        self.number = number
        self.name = name

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "number": self.number, "name": self.name}


class UnknownError(SitError):
    """It is not known whether the command took effect (exit code 3)."""

    exit_code = EXIT_UNKNOWN


class WorkFailed(SitError):
    """Accepted work ended without doing what was asked."""
