"""`sit stop`: STOP, also when another process holds the device."""

from __future__ import annotations

import click

from sit_host.cli.common import Call, device_options
from sit_host.errors import UnknownError
from sit_host.outcome import Unknown, expect


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
        header = expect(outcome).header
        call.ui.result({"stopped": True, "state": header.state, "phase": header.phase})
        call.ui.say(f"Stopped. The device is {getattr(header.state, 'name', header.state)}.")
