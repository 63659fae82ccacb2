"""The ledger as people read it, and its safe copy on disk, after which the device may use the room again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sit_host._gen import enums
from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.describe import status_info
from sit_host.ledger import Entry
from sit_host.records import write_new
from sit_host.treatment.course import why_ended

_CHANGES = {int(change): change.name.lower() for change in enums.Change}
COLUMNS = ("No.", "Time", "Kind", "Point", "What")


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return a record for `--json`, by the names of the schema."""
    record = entry.record
    values = {field.name: getattr(record, field.name) for field in record.FIELDS}
    return {**values, "kind": kind_name(record), "whole": entry.whole, "raw": entry.raw.hex()}


def entry_row(entry: Entry) -> tuple[object, ...]:
    """Return a record as a row of COLUMNS."""
    record = entry.record
    time = datetime.fromtimestamp(record.unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S") if record.unix_s else ""
    point = f"{record.point}.{record.attempt}" if any(record.treatment) else ""
    return record.seq, time, kind_name(record), point, what_text(entry)


def kind_name(record: Record) -> str:
    """Return the name of a record's kind."""
    return record.kind.name if isinstance(record.kind, enums.Record) else f"kind {record.kind}"


def what_text(entry: Entry) -> str:
    """Return what a record says, in words."""
    return _what(entry.record) if entry.whole else "DAMAGED: its CRC is wrong"


def _what(record: Record) -> str:
    volume = f"{record.tissue_min_nl / 1000:.2f} to {record.tissue_max_nl / 1000:.2f} uL into tissue"
    if record.kind == Kind.INTENT:
        return f"{record.asked_nl / 1000:g} uL at {record.depth_um / 1000:g} mm asked, at most {record.cap_steps} steps"
    if record.kind == Kind.DONE:
        return f"{volume} at {record.depth_um / 1000:g} mm, {record.steps} steps"
    if record.kind in (Kind.PARTIAL, Kind.ABORTED, Kind.UNCERTAIN):
        return f"{volume}, {record.steps} steps: {why_ended(record)}"
    if record.kind == Kind.PURGE:
        return f"{record.steps} steps purged"
    if record.kind == Kind.CHANGE:
        return f"{_CHANGES.get(record.attempt, 'something')} changed, syringe type {record.site}"
    if record.kind == Kind.FAULT:
        return f"{status_info(record.cause).name}: {status_info(record.cause).doc} Seen: {_signed(record.ref)}"
    if record.kind == Kind.CLEAR:
        return f"{status_info(record.cause).name} cleared"
    if record.kind == Kind.ACK:
        return f"record {record.ref} acknowledged"
    if record.kind == Kind.LOAD:
        return f"table of {record.point} points sealed, {record.asked_nl / 1000:g} uL in all"
    if record.kind == Kind.BOOT:
        return "the device started"
    if record.kind in (Kind.SETTINGS, Kind.CALIBRATION):
        what = "limits" if record.kind == Kind.SETTINGS else "calibration"
        return f"{what} written: SHA-256 begins {record.ref:08x}, session {record.cap_steps:08x}"
    return ""


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def save(entries: Sequence[Entry], folder: Path, uid: str) -> Path:
    """Write the raw records to a new file in `folder` and read them back. Return the file. Raises RecordError.

    The file is the records as they are, 64 bytes each, so that their chain can be proved by anybody.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = b"".join(entry.raw for entry in entries)
    first, last = entries[0].record.seq, entries[-1].record.seq
    path = folder / f"ledger-{uid}-{first:07d}-{last:07d}.bin"
    if path.exists() and path.read_bytes() == data:
        return path  # the same records were saved before
    return write_new(path, data)
