"""`sit settings`: limits and calibration in force."""

from __future__ import annotations

import click

from sit_host._gen.messages import SettingsReadReply
from sit_host.cli.common import Call, device_options
from sit_host.describe import SETTINGS_DAMAGED, SETTINGS_SOURCES
from sit_host.errors import EXIT_OK, WorkFailed
from sit_host.outcome import expect


@click.command(epilog="Example: sit settings --json --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """Show the limits and the calibration in force. Fails when the device's record of them is damaged."""
    with call.connect(acting=False, shared=True) as client:
        found = expect(client.settings_read())
    values = {field.name: getattr(found, field.name) for field in found.FIELDS}
    values["source"] = source = _source(found)
    call.ui.pairs((field.doc.rstrip("."), _value(field.unit, values[field.name])) for field in found.FIELDS[1:])
    if found.source == SETTINGS_DAMAGED:
        error = WorkFailed(
            f"The settings or calibration record of {client.name} is damaged: it shows safe values and can't be armed.",
            "Have the record restored; reading the ledger still works.",
        )
        call.ui.result({**values, "error": error.as_json()})
        raise error
    call.ui.say(f"These are the {source} values.")
    call.ui.result(values)
    return EXIT_OK


def _source(found: SettingsReadReply) -> str:
    return SETTINGS_SOURCES[found.source] if found.source < len(SETTINGS_SOURCES) else f"source {found.source}"


def _value(unit: str, value: int) -> str:
    """Return a value as people read it: nl as uL, um as mm, times of day in words."""
    if unit == "nl":
        return f"{value / 1000:g} uL"
    if unit == "um":
        return f"{value / 1000:g} mm"
    return f"{value} {unit}".strip()
