"""`sit zero`: the needle tip is touched off at the nose-piece plane."""

from __future__ import annotations

import click

from sit_host._gen import enums
from sit_host._gen.messages import Zero
from sit_host.cli.common import Call, device_options
from sit_host.cli.work import do_work, failure
from sit_host.errors import EXIT_FAILED, EXIT_OK

_TIMEOUT_S = 120.0


@click.command(epilog="Example: sit zero --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """Zero the needle tip at the light gate of the zero tool. Needed after each change of the needle.

    Fit the zero tool first. The needle advances slowly until the gate breaks; the place must lie in a narrow window,
    else the nose-piece is adjusted and the tip zeroed again.
    """
    if not call.ui.confirm("The needle will advance. Is the zero tool fitted, and nothing touches the nose-piece?"):
        call.ui.note("Nothing was done.")
        return EXIT_FAILED
    with call.connect() as client:
        end = do_work(call, client, Zero(), _TIMEOUT_S, "Zeroing.")
        if end.result == enums.Refusal.WRONG_ZERO:
            raise failure(
                f"The tip was not zeroed, it is {end.cause:+d} um off",
                end,
                f"Adjust the nose-piece by {-end.cause:+d} um with the jig, then zero again.",
            )
        if not end.done:
            raise failure("The tip was not zeroed", end, "Fit the zero tool, let nothing touch it, and zero again.")
        call.ui.result({"zeroed": True, "offset_um": end.cause})
        call.ui.say(f"Zeroed, {end.cause:+d} um from nominal. Take the zero tool off.")
        return EXIT_OK
