"""The journal: what a treatment's run has given, kept on disk while it runs, so that a second start finds it.

One file per run in `RECORDS/journal/`, named by plan and run: a line of JSON each for the beginning, every ledger
record as it comes, and the end. Lines are only added and each is on the disk before the next shot can begin; a torn
last line (power cut on the host) is dropped when reading. The device's ledger stays the authority: the journal adds
what another device gave and which runs were closed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sit_host._gen.records import Record
from sit_host.errors import SitError

FOLDER = "journal"
CLOSED = ("finished", "abandoned")  # a run that ended so isn't offered again


class JournalError(SitError):
    """The journal can't be written: nothing may be given that wouldn't be remembered."""


@dataclass
class Entry:
    """One run as the journal knows it."""

    path: Path
    plan_sha256: str
    plan_name: str
    run: int
    treatment: bytes
    started_unix_s: int
    lasting: bool = True
    records: list[Record] = field(default_factory=list)
    ended: str = ""

    @property
    def closed(self) -> bool:
        """True when nothing of this run is to be given any more, or its device was a simulated one that is gone."""
        return self.ended in CLOSED or not self.lasting


class Journal:
    """The journal of a records folder."""

    def __init__(self, records_dir: Path) -> None:
        """`records_dir` may not exist yet; it is made with the first run."""
        self.folder = records_dir / FOLDER

    def entries(self) -> list[Entry]:
        """Every run that can be read, oldest first."""
        found = [entry for path in sorted(self.folder.glob("*.jsonl")) if (entry := _read(path)) is not None]
        return sorted(found, key=lambda entry: (entry.started_unix_s, entry.run))

    def of_plan(self, plan_sha256: str) -> list[Entry]:
        """The runs of one plan, by run number."""
        return sorted((e for e in self.entries() if e.plan_sha256 == plan_sha256), key=lambda entry: entry.run)

    def begin(
        self,
        plan_sha256: str,
        plan_name: str,
        run: int,
        treatment: bytes,
        unix_s: int,
        device: str,
        lasting: bool = True,
    ) -> Writer:
        """Open the file of a run, new or known. Raises JournalError when it can't be written.

        `lasting` is False for a simulated device that forgets its ledger when the program ends.
        """
        path = self.folder / f"{plan_sha256[:16]}-{run:04d}.jsonl"
        writer = Writer(path)
        writer.add(
            {
                "begin": treatment.hex(),
                "plan": plan_name,
                "plan_sha256": plan_sha256,
                "run": run,
                "unix_s": unix_s,
                "device": device,
                "lasting": lasting,
            }
        )
        return writer


class Writer:
    """Adds lines to one run's file; each is on the disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: set[bytes] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failed(error) from None

    def add(self, item: dict[str, Any]) -> None:
        """Add one line. Raises JournalError."""
        line = json.dumps(item, separators=(",", ":")) + "\n"
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                # a line torn by a power cut must not swallow the one added now
                if file.tell() and not _ends_whole(self.path):
                    line = "\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed(error) from None

    def record(self, record: Record) -> None:
        """Add a ledger record, once."""
        data = record.pack(check=False)
        if data not in self._seen:
            self._seen.add(data)
            self.add({"record": data.hex()})

    def end(self, how: str) -> None:
        """Close the run: finished, abandoned or stopped (that can be taken up again)."""
        self.add({"end": how})

    def _failed(self, error: OSError) -> JournalError:
        return JournalError(
            f"The journal {self.path} can't be written ({error.strerror}).",
            "Make room or choose another folder with --records.",
        )


def _ends_whole(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            item = json.loads(line)
            if isinstance(item, dict):
                yield item


def _read(path: Path) -> Entry | None:
    entry: Entry | None = None
    for item in _lines(path):
        # a malformed line is worth no more than a torn one
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if "begin" in item:
                if entry is None:
                    entry = Entry(
                        path,
                        str(item["plan_sha256"]),
                        str(item["plan"]),
                        int(item["run"]),
                        bytes.fromhex(item["begin"]),
                        int(item["unix_s"]),
                        bool(item.get("lasting", True)),
                    )
                entry.ended = ""
            elif entry is not None and "record" in item:
                entry.records.append(Record.unpack(bytes.fromhex(item["record"])))
            elif entry is not None and "end" in item:
                entry.ended = str(item["end"])
    return entry
