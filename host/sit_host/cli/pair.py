"""`sit pair`: the device obeys this host alone from now on."""

from __future__ import annotations

import click

from sit_host import keys
from sit_host.cli.button import wait_for_button
from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_FAILED, EXIT_OK, UnknownError
from sit_host.outcome import Unknown, expect


@click.command(epilog="Example: sit pair --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """Pair this host with the device, with the pairing button held: it then obeys this host alone, until another pairs.

    Done once for each device. Reading, `sit stop` and the e-stop work from anywhere as before.
    """
    ui = call.ui
    with call.connect(acting=False) as client:
        assert client.device is not None
        uid = client.device.uid
        access = expect(client.access_read())
        ours = keys.load(uid) is not None
        if (
            access.paired == 1
            and not ours
            and not ui.confirm(
                "The device is paired with another host, which it will no longer obey. Pair this one instead?"
            )
        ):
            ui.note("Nothing was done.")
            return EXIT_FAILED
        wait_for_button(ui, client)
        key = keys.new_key()
        with keys.storing(uid, key):
            outcome = client.pair(key)
            if isinstance(outcome, Unknown):
                raise UnknownError(
                    f"It isn't known whether the device took the key: {outcome.why}", "Run `sit pair` once more."
                )
            expect(outcome)
        client.use_key(key)
        client.set_clock_if_needed()
        ui.result({"paired": True, "uid": uid, "key_file": str(keys.path_of(uid))})
        ui.say(f"Paired. The key lies in {keys.path_of(uid)}; keep it to this user.")
    return EXIT_OK
