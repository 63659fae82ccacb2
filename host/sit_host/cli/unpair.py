"""`sit unpair`: every host may command the device again."""

from __future__ import annotations

import click

from sit_host import keys
from sit_host.cli.button import wait_for_button
from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_OK
from sit_host.outcome import expect


@click.command(epilog="Example: sit unpair --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """End the pairing, with the pairing button held: the device then obeys every host, and this one forgets its key."""
    with call.connect(acting=False) as client:
        assert client.device is not None
        uid = client.device.uid
        wait_for_button(call.ui, client)
        expect(client.pair(keys.NO_KEY))
        client.use_key(None)
        keys.remove(uid)
        call.ui.result({"paired": False, "uid": uid})
        call.ui.say("The device isn't paired any more: every host that reaches it can command it.")
    return EXIT_OK
