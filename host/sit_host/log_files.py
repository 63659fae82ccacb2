"""The ledger in files: the copies that `sit log list --save` keeps read back, and plain files for people and programs.

A copy holds raw records of 64 bytes. Several copies of one device are put together by their numbers; where they hold
the same record twice it must be the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sit_host._gen.enums import Cause
from sit_host._gen.records import RECORD_BYTES, Record
from sit_host.describe import status_info
from sit_host.errors import SitError, UsageError
from sit_host.ledger import Entry, breaks, entry_of
from sit_host.log_list import kind_name, what_text
from sit_host.records import write_new

_NO_TREATMENT = bytes(8)
_FIRST_FAULT = 32
FORMS = (".csv", ".jsonl")


def read_copies(files: Sequence[Path]) -> list[Entry]:
    """Return the records of saved copies, by number. Raises SitError for a file that can't be one."""
    found: dict[int, tuple[Entry, Path]] = {}
    for file in files:
        for entry in _read(file):
            seq = entry.record.seq
            other, where = found.setdefault(seq, (entry, file))
            if other.raw != entry.raw:
                raise SitError(
                    f"{where} and {file} hold different records of number {seq}.",
                    "Give the copies of one device only; their names hold its id.",
                )
    return [found[seq][0] for seq in sorted(found)]


def _read(file: Path) -> list[Entry]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SitError(f"{file} can't be read ({error.strerror}).", "Check its name.") from None
    if len(data) % RECORD_BYTES:
        raise SitError(
            f"{file} has {len(data)} bytes: it isn't whole records of {RECORD_BYTES} bytes.",
            "Give a file made by `sit log list --save`.",
        )
    entries = [entry_of(data[at : at + RECORD_BYTES]) for at in range(0, len(data), RECORD_BYTES)]
    if entries and not any(entry.whole for entry in entries):
        raise SitError(f"{file} holds no whole record.", "Give a file made by `sit log list --save`.")
    return entries


def check_form(out: Path) -> None:
    """Raise UsageError for a name that tells no form, SitError for one that is taken."""
    if out.suffix not in FORMS:
        raise UsageError(f"{out} ends in neither {' nor '.join(FORMS)}.", "The ending says which form is wanted.")
    if out.exists():
        raise SitError(f"{out} is there already.", "Choose another name; a record is never written over.")


def export(entries: Sequence[Entry], out: Path) -> Path:
    """Write records as plain text to `out`, CSV or a line of JSON each, by its ending. Raises RecordError."""
    rows = _rows(entries)
    if out.suffix == ".csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(_COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: row[name] for name in _COLUMNS} for row in rows)
        return write_new(out, text.getvalue())
    return write_new(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


# column of the CSV file -> its value; a line of JSON has the raw bytes besides
_COLUMNS = (
    "seq", "time", "kind", "treatment", "point", "attempt", "site", "depth_um", "asked_nl", "tissue_min_nl",
    "tissue_max_nl", "needle_nl", "steps", "cap_steps", "cause", "ref", "what", "broken",
)  # fmt: skip
_NUMBERS = (
    "seq", "unix_s", "point", "attempt", "site", "depth_um", "asked_nl", "tissue_min_nl", "tissue_max_nl", "needle_nl",
    "steps", "cap_steps", "ref",
)  # fmt: skip


def _rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    why = {item.seq: item.why for item in breaks(entries)}
    return [_row(entry, why.get(entry.record.seq, "")) for entry in entries]


def _row(entry: Entry, broken: str) -> dict[str, Any]:
    record = entry.record
    time = datetime.fromtimestamp(record.unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if record.unix_s else ""
    row: dict[str, Any] = {
        **{name: int(getattr(record, name)) for name in _NUMBERS},
        "time": time,
        "kind": kind_name(record),
        "treatment": "" if record.treatment == _NO_TREATMENT else record.treatment.hex(),
        "cause": _cause(record),
        "what": what_text(entry),
        "broken": broken,
        "raw": entry.raw.hex(),
    }
    return {name: row[name] for name in (*_COLUMNS, "unix_s", "raw")}


def _cause(record: Record) -> str:
    """The name of a cause or fault; empty for none."""
    number = int(record.cause)
    if number >= _FIRST_FAULT:
        return status_info(number).name
    return Cause(number).name if number in {int(cause) for cause in Cause} and number else ""
