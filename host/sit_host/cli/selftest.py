"""`sit selftest`: the session self-test."""

from __future__ import annotations

import click

from sit_host._gen.messages import Selftest
from sit_host.cli.common import Call, device_options
from sit_host.cli.work import do_work, failure

_TIMEOUT_S = 60.0


@click.command(epilog="Example: sit selftest --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> None:
    """Run the session self-test: store, trigger, sensors, cut-offs, dead-man, spring.

    The needle moves a little behind the nose-piece. Hold the device up, with nothing touching the nose-piece.
    """
    with call.connect() as client:
        end = do_work(call, client, Selftest(), _TIMEOUT_S, "Self-test: let nothing touch the nose-piece.")
        if not end.done:
            raise failure(f"The self-test failed in step {end.cause}", end)
        call.ui.result({"passed": True})
        call.ui.say("The self-test has passed.")
