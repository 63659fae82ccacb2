"""Records on disk: a folder per treatment, made anew each time and never written over.

RECORDS/20261122-183000-face-30-points-3fa2c1/ holds record.json, report.html and plan.toml. The folder is made whole
or an error says why; a name that is taken gets a number.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sit_host.errors import SitError

DEFAULT_DIR = Path("records")
_TRIES = 1000


class RecordError(SitError):
    """A record can't be kept."""


def check_writable(folder: Path) -> None:
    """Make `folder` and prove that a file can be written there, before anything moves. Raises RecordError."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(probe, "x") as file:
            file.write("sit")
        probe.unlink()
    except OSError as error:
        raise RecordError(
            f"Records can't be kept in {folder} ({error.strerror}).", "Name another folder with --records."
        ) from None


def record_folder(base: Path, unix_s: float, name: str, treatment: bytes) -> Path:
    """Make a new folder for one record and return it. Raises RecordError."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "treatment"
    time = datetime.fromtimestamp(unix_s, UTC).strftime("%Y%m%d-%H%M%S")
    stem = f"{time}-{slug}-{treatment.hex()[:6]}"
    for number in range(1, _TRIES):
        folder = base / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise RecordError(
                f"The record {folder} can't be made ({error.strerror}).", "Name another folder with --records."
            ) from None
    raise RecordError(f"{base} holds a thousand records named {stem}.", "Name another folder with --records.")


def write_new(path: Path, content: str | bytes) -> Path:
    """Write a file that must not exist yet, down to the disk. Raises RecordError."""
    data = content.encode() if isinstance(content, str) else content
    try:
        with open(path, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise RecordError(f"{path} exists: a record is never written over.", "Choose another name.") from None
    except OSError as error:
        raise RecordError(
            f"{path} can't be written ({error.strerror}).", "Make room, or name another folder."
        ) from None
    return path


def json_text(value: Mapping[str, Any]) -> str:
    """Return a record as JSON text."""
    return json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n"
