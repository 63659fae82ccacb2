"""`sit settings`: limits and calibration in force; `sit settings set` writes limits."""

from __future__ import annotations

import click

from sit_host._gen.messages import SettingsReadReply, SettingsWrite
from sit_host.cli.common import Call, device_options
from sit_host.cli.service import ask_code
from sit_host.describe import SETTINGS_DAMAGED, SETTINGS_SOURCES
from sit_host.errors import EXIT_FAILED, EXIT_OK, UsageError, WorkFailed
from sit_host.outcome import expect
from sit_host.service_mode import service_mode


@click.group(
    invoke_without_command=True,
    epilog="Example: sit settings --json --target serial:/dev/ttyACM0. "
    "To change one: sit settings set max_shot_nl=20000",
)
@device_options
@click.pass_context
def command(context: click.Context, call: Call) -> int | None:
    """Show the limits and the calibration in force. Fails when the device's record of them is damaged."""
    return None if context.invoked_subcommand else _show(call)


def _show(call: Call) -> int:
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


@command.command("set", epilog="Example: sit settings set max_shot_nl=20000 min_gap_ms=200")
@click.argument("changes", metavar="NAME=VALUE...", nargs=-1, required=True)
@device_options
def set_command(call: Call, changes: tuple[str, ...]) -> int:
    """Write limits, in service mode; the ones not named stay. In force once the device was switched off and on."""
    ui = call.ui
    wanted = dict(_change(text) for text in changes)
    with call.connect() as client:
        found = expect(client.settings_read())
        missing = [field.name for field in SettingsWrite.FIELDS if field.name not in wanted]
        if found.source == SETTINGS_DAMAGED and missing:
            raise UsageError(
                f"The settings record of {client.name} is damaged, so there is nothing to keep.",
                f"Name all limits; not named: {', '.join(missing)}.",
            )
        before = {name: getattr(found, name) for name in wanted}
        after = SettingsWrite(**{field.name: getattr(found, field.name) for field in SettingsWrite.FIELDS} | wanted)
        for name, value in wanted.items():
            ui.note(f"{name}: {before[name]} -> {value}")
        if not ui.confirm("Write these limits?"):
            ui.note("Nothing was done.")
            return EXIT_FAILED
        with service_mode(client, ask_code(ui)):
            expect(client.settings_write(after))
    ui.result({"written": wanted, "before": before, "restart": True})
    ui.say("Written. Switch the device off and on: until then the old limits hold and it doesn't arm.")
    return EXIT_OK


def _change(text: str) -> tuple[str, int]:
    """Return name and value of NAME=VALUE. Raises UsageError."""
    name, _, value = text.partition("=")
    fields = {field.name: field for field in SettingsWrite.FIELDS}
    if name not in fields:
        raise UsageError(f"There is no limit {name!r}.", f"The limits are {', '.join(fields)}.")
    field = fields[name]
    if not value.isdecimal() or not field.low <= int(value) <= field.high:
        raise UsageError(
            f"{name} is {value!r}: it must be a whole number from {field.low} to {field.high} {field.unit}.",
            "Correct it; nothing was changed.",
        )
    return name, int(value)


def _source(found: SettingsReadReply) -> str:
    return SETTINGS_SOURCES[found.source] if found.source < len(SETTINGS_SOURCES) else f"source {found.source}"


def _value(unit: str, value: int) -> str:
    """Return a value as people read it: nl as uL, um as mm, times of day in words."""
    if unit == "nl":
        return f"{value / 1000:g} uL"
    if unit == "um":
        return f"{value / 1000:g} mm"
    return f"{value} {unit}".strip()
