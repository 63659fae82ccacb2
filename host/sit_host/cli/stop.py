"""`sit stop`: STOP, also when another process holds the device."""

from __future__ import annotations

import click

from sit_host._gen import enums
from sit_host._gen.messages import ReplyHeader
from sit_host.cli.common import Call, device_options
from sit_host.client import Client
from sit_host.errors import UnknownError, WorkFailed
from sit_host.outcome import Unknown, expect

_END_S = 2.0
_POLL_S = 0.05


@click.command(epilog="Example: sit stop --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> None:
    """End a shot at once, retract the needle, disarm. Works beside `sit treat` and needs no answer to a question.

    The e-stop on the device is faster and surer: use it first.
    """
    from sit_host.connect import open_client

    with open_client(call.url, sim=call.sim, wire_log=call.wire_log, acting=False, shared=True, hello=False) as client:
        outcome = client.stop()
        if isinstance(outcome, Unknown):
            raise UnknownError(
                f"It isn't known whether {client.name} has stopped: {outcome.why}",
                "Press the e-stop on the device, or let go of the trigger and lift it.",
            )
        header = _settled(client, expect(outcome).header)
        if header.state == enums.State.INJECTING:
            raise WorkFailed(
                f"{client.name} took STOP, but the shot under way hasn't ended within {_END_S:g} s.",
                "Press the e-stop on the device and lift it.",
            )
        call.ui.result({"stopped": True, "state": header.state, "phase": header.phase})
        call.ui.say(f"Stopped. The device is {getattr(header.state, 'name', header.state)}.")


def _settled(client: Client, header: ReplyHeader) -> ReplyHeader:
    """Return the header once the needle is home: the reply to STOP comes while it still retracts."""
    end_s = client.transport.now() + _END_S
    while header.state == enums.State.INJECTING and client.transport.now() < end_s:
        client.sleep(_POLL_S)
        header = expect(client.status()).header
    return header
