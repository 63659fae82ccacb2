"""`sit log`: the device's ledger, and the last shot from its flight recorder."""

from __future__ import annotations

from pathlib import Path

import click

from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_FAILED, EXIT_OK, SitError
from sit_host.ledger import broken_links, read_recorder, read_records
from sit_host.log_list import COLUMNS, entry_json, entry_row, save
from sit_host.log_plot import plot_shot
from sit_host.log_recording import parse_recording
from sit_host.outcome import expect


@click.group()
def command() -> None:
    """List the device's records, plot a shot."""


@command.command("list", epilog="Example: sit log list --save records/ledger --target serial:/dev/ttyACM0")
@click.option("--from", "first", type=click.IntRange(0), default=0, help="First record wanted.")
@click.option("--save", "folder", type=click.Path(path_type=Path, file_okay=False), help="Keep a copy, free the room.")
@device_options
def list_(call: Call, first: int, folder: Path | None) -> int:
    """List the ledger. With --save keep its records in a folder, then let the device use their room again."""
    with call.connect(acting=folder is not None, shared=folder is None) as client:
        entries = read_records(client, 0 if folder else first)
        broken = broken_links(entries)
        path = None
        if folder is not None and entries:
            path = save(entries, folder, client.device.uid.hex() if client.device else "device")
            if not broken:
                expect(client.ledger_release(entries[-1].record.seq + 1))
    call.ui.result(
        {
            "records": [entry_json(entry) for entry in entries],
            "broken": broken,
            "saved": str(path) if path else None,
            "released": path is not None and not broken,
        }
    )
    call.ui.table("", COLUMNS, [entry_row(entry) for entry in entries if entry.record.seq >= first])
    if path is not None:
        call.ui.say(f"Saved {len(entries)} records to {path}.")
    if broken:
        numbers = ", ".join(str(seq) for seq in broken)
        freed = " They were saved, but their room wasn't freed." if path else ""
        call.ui.error(
            SitError(
                f"Records don't follow from the ones before, damaged or changed: {numbers}.{freed}",
                "Keep the copy and have the device's store looked at.",
            )
        )
        return EXIT_FAILED
    return EXIT_OK


@command.command("plot", epilog="Example: sit log plot shot.svg --target serial:/dev/ttyACM0")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@device_options
def plot(call: Call, file: Path) -> int:
    """Draw the last shot to FILE (.svg or .png): depth, pressure, plunger and flow over its phases."""
    if file.exists():
        raise SitError(f"{file} is there already.", "Choose another name.")
    with call.connect(acting=False) as client:
        recording = read_recorder(client)
    columns = parse_recording(recording.data)
    try:
        plot_shot(columns, f"Ledger record {recording.id}", file)
    except OSError as error:
        raise SitError(f"{file} can't be written ({error.strerror}).", "Check the folder.") from None
    images = len(columns.time_ms)
    call.ui.result({"file": str(file), "record": recording.id, "images": images, "lost": columns.lost})
    call.ui.say(f"Drew {images} images of the shot of record {recording.id} to {file}.")
    return EXIT_OK
