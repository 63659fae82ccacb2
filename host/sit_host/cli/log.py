"""`sit log`: the device's ledger, and the last shot from its flight recorder."""

from __future__ import annotations

from pathlib import Path

import click

from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_FAILED, EXIT_OK, SitError, UsageError
from sit_host.ledger import Break, Entry, breaks, broken_links, read_recorder, read_records
from sit_host.log_files import check_form, export, read_copies
from sit_host.log_list import COLUMNS, entry_json, entry_row, save
from sit_host.log_plot import plot_shot
from sit_host.log_recording import parse_recording
from sit_host.outcome import expect


@click.group()
def command() -> None:
    """List, prove and export the device's records, plot a shot."""


@command.command("list", epilog="Example: sit log list --save records/ledger --target serial:/dev/ttyACM0")
@click.option("--from", "first", type=click.IntRange(0), default=0, help="First record wanted.")
@click.option("--save", "folder", type=click.Path(path_type=Path, file_okay=False), help="Keep a copy, free the room.")
@click.option("--over-damage", is_flag=True, help="With --save: free the room of damaged records too.")
@device_options
def list_(call: Call, first: int, folder: Path | None, over_damage: bool) -> int:
    """List the ledger. With --save keep its records in a folder, then let the device use their room again.

    A device whose ledger is damaged doesn't arm until --over-damage has passed over it: then nothing counts any more
    what the damaged records held, in limits or as given. Look at them first.
    """
    if over_damage and folder is None:
        raise UsageError("--over-damage goes with --save only.", "Keep a copy of what can be read: --save FOLDER.")
    with call.connect(acting=folder is not None, shared=folder is None) as client:
        entries = read_records(client, 0 if folder else first)
        broken = broken_links(entries)
        path, freed = None, False
        if folder is not None and entries:
            path = save(entries, folder, client.device.uid.hex() if client.device else "device")
            freed = not broken or (over_damage and call.ui.confirm(_over(broken)))
            if freed:
                expect(client.ledger_release(entries[-1].record.seq + 1))
    call.ui.result(
        {
            "records": [entry_json(entry) for entry in entries],
            "broken": broken,
            "saved": str(path) if path else None,
            "released": freed,
        }
    )
    call.ui.table("", COLUMNS, [entry_row(entry) for entry in entries if entry.record.seq >= first])
    if path is not None:
        call.ui.say(f"Saved {len(entries)} records to {path}.")
    if broken:
        numbers = ", ".join(str(seq) for seq in broken)
        what = f"Records don't follow from the ones before, damaged or changed: {numbers}."
        if freed:
            call.ui.note(f"{what} Their room was freed, so that the device works again.")
            return EXIT_OK
        what += " They were saved, but their room wasn't freed." if path else ""
        call.ui.error(
            SitError(what, "Have the store looked at; `sit log list --save FOLDER --over-damage` passes over them.")
        )
        return EXIT_FAILED
    return EXIT_OK


def _over(broken: list[int]) -> str:
    numbers = ", ".join(str(seq) for seq in broken)
    return f"Are records {numbers} to count no more, neither in limits nor as given? Have you looked at their points?"


@command.command("verify", epilog="Example: sit log verify --target serial:/dev/ttyACM0")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@device_options
def verify(call: Call, files: tuple[Path, ...]) -> int:
    """Prove the ledger of the device, or the saved copies FILES: each record whole and following from the one before.

    Names the first broken record. Copies of one device may be given together.
    """
    entries = _entries(call, files)
    found = breaks(entries)
    call.ui.result(
        {
            "records": len(entries),
            "first": entries[0].record.seq if entries else None,
            "last": entries[-1].record.seq if entries else None,
            "broken": [{"seq": item.seq, "why": item.why} for item in found],
        }
    )
    if not found:
        call.ui.say(_good(entries))
        return EXIT_OK
    call.ui.error(_broken(entries, found))
    return EXIT_FAILED


@command.command("export", epilog="Example: sit log export ledger.csv records/ledger/*.bin")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@device_options
def export_command(call: Call, out: Path, files: tuple[Path, ...]) -> int:
    """Write the ledger of the device, or the saved copies FILES, to OUT: a .csv table or .jsonl, a line of JSON each.

    Broken records are written too, with what is wrong with them; then it fails after writing.
    """
    check_form(out)
    entries = _entries(call, files)
    found = breaks(entries)
    export(entries, out)
    call.ui.result({"file": str(out), "records": len(entries), "broken": [item.seq for item in found]})
    call.ui.say(f"Wrote {len(entries)} records to {out}.")
    if found:
        call.ui.error(_broken(entries, found))
        return EXIT_FAILED
    return EXIT_OK


def _entries(call: Call, files: tuple[Path, ...]) -> list[Entry]:
    """The records of the saved copies, or of the device when none is named."""
    if files:
        return read_copies(files)
    with call.connect(acting=False, shared=True) as client:
        return read_records(client)


def _good(entries: list[Entry]) -> str:
    if not entries:
        return "There are no records."
    first, last = entries[0].record.seq, entries[-1].record.seq
    start = "" if first == 1 else f" Older ones aren't here, so only its CRC speaks for record {first}."
    if first == last:
        return f"Record {first} is whole.{start}"
    return f"Records {first} to {last} are whole and each follows from the one before.{start}"


def _broken(entries: list[Entry], found: list[Break]) -> SitError:
    seq, first = found[0].seq, entries[0].record.seq
    before = f" Records {first} to {seq - 1} are good." if seq > first else ""
    more = f" So are {len(found) - 1} more." if len(found) > 1 else ""
    return SitError(
        f"Record {seq} is broken: {found[0].why}.{before}{more}",
        "Keep a copy (`sit log list --save FOLDER`), compare older copies, and have the device's store looked at.",
    )


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
