"""`sit ack`: an operator acknowledges an uncertain shot."""

from __future__ import annotations

import click

from sit_host._gen.records import Record
from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_FAILED, EXIT_OK
from sit_host.ledger import read_records
from sit_host.outcome import expect


@click.command(epilog="Example: sit ack --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """Show the shot that a reset broke off, and say that somebody has looked at the patient and the device.

    Until then nothing can be armed: how much went in is only known within bounds. Totals keep the upper one.
    """
    ui = call.ui
    with call.connect() as client:
        seq = expect(client.status()).uncertain_seq
        if not seq:
            ui.result({"acknowledged": None})
            ui.say("No uncertain shot waits.")
            return EXIT_OK
        record = read_records(client, seq, seq + 1)[0].record
        ui.note(uncertain_text(record))
        if not ui.confirm("Have you looked at the point and at the device?"):
            ui.note("Nothing was done.")
            return EXIT_FAILED
        expect(client.ack_uncertain(seq))
        ui.result({"acknowledged": seq, "point": record.point, "attempt": record.attempt})
        ui.say(f"Record {seq} is acknowledged.")
        return EXIT_OK


def uncertain_text(record: Record) -> str:
    """Return one sentence about an UNCERTAIN record."""
    return (
        f"Record {record.seq}: the device lost power or reset during point {record.point}, attempt {record.attempt}; "
        f"between {record.tissue_min_nl / 1000:.2f} and {record.tissue_max_nl / 1000:.2f} uL "
        f"of {record.asked_nl / 1000:.2f} uL may have gone in."
    )
