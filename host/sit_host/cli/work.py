"""Long work of the device, as commands run it: progress on standard error, Ctrl-C stops the device."""

from __future__ import annotations

from sit_host.cli.common import Call
from sit_host.client import Client, WorkEnd
from sit_host.describe import cause_text, status_info
from sit_host.errors import WorkFailed
from sit_host.outcome import expect
from sit_host.wire import Message


def do_work(call: Call, client: Client, message: Message, timeout_s: float, doing: str) -> WorkEnd:
    """Have `message` done and wait for its end. Ctrl-C sends STOP before it passes on.

    Raises as `expect` does, and UnknownError when no end is reported in time.
    """
    call.ui.note(f"{doing} (Ctrl-C stops it)")
    try:
        return expect(client.run(message, timeout_s))
    except KeyboardInterrupt:
        client.stop()
        call.ui.note("Stopped.")
        raise


def failure(what: str, end: WorkEnd, do: str = "") -> WorkFailed:
    """Return the error for work that ended without doing what was asked."""
    if end.result:
        info = status_info(end.result)
        return WorkFailed(f"{what}: {info.doc}", do or info.hint)
    return WorkFailed(f"{what}: {cause_text(end.cause)}", do)
