"""`sit prime`: air is purged with the needle parked."""

from __future__ import annotations

import click

from sit_host._gen import enums
from sit_host._gen.messages import Prime
from sit_host.cli.common import Call, device_options
from sit_host.cli.work import do_work, failure
from sit_host.errors import EXIT_FAILED, EXIT_OK, WorkFailed

_TIMEOUT_S = 60.0
_MIN_NL = 1000  # less was pushed when priming was broken off
_DEFAULT_UL = 55.0  # fills the reference design's tube and needle, 30 uL, and a turn of the screw in the 1 mL set


@click.command(epilog="Example: sit prime --volume 55 --target serial:/dev/ttyACM0")
@click.option(
    "--volume",
    "volume_ul",
    type=click.FloatRange(1, 300),
    default=_DEFAULT_UL,
    show_default=True,
    help="Volume to push, in uL.",
)
@device_options
def command(call: Call, volume_ul: float) -> int:
    """Push air, then product, out of the parked needle until a drop shows. Needed after each change."""
    if not call.ui.confirm(f"{volume_ul:g} uL will leave the needle. Is it held over a swab, away from everybody?"):
        call.ui.note("Nothing was done.")
        return EXIT_FAILED
    with call.connect() as client:
        end = do_work(call, client, Prime(round(volume_ul * 1000)), _TIMEOUT_S, f"Priming with {volume_ul:g} uL.")
        if end.result == enums.Refusal.NOT_READY and end.cause >= _MIN_NL:
            raise WorkFailed(f"Pushed {end.cause / 1000:.1f} uL, but tube and needle still hold air.", "Prime again.")
        if not end.done:
            raise failure("The device was not primed", end, "Check that tube and needle are open, then prime again.")
        call.ui.result({"primed": True, "pushed_nl": end.cause})
        call.ui.say(f"Pushed {end.cause / 1000:.1f} uL. If no drop shows at the tip, prime again.")
        return EXIT_OK
