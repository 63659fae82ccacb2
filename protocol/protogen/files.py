"""Which file comes from which function, and writing or comparing them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from protogen import firmware, host, image, page, vectors
from protogen.schema import Schema, SchemaError, load

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "protocol" / "schema.toml"
IMAGE = ROOT / "firmware" / "sit_firmware" / "image.py"
PAGE = ROOT / "protocol" / "PROTOCOL.md"

FILES: dict[str, Callable[[Schema], str]] = {
    "firmware/sit_firmware/codes.py": firmware.codes,
    "firmware/sit_firmware/wire.py": firmware.wire,
    "host/sit_host/_gen/__init__.py": lambda _schema: f'"""Generated modules. {firmware.MARK}"""\n',
    "host/sit_host/_gen/enums.py": host.enums,
    "host/sit_host/_gen/statuses.py": host.statuses,
    "host/sit_host/_gen/messages.py": host.messages,
    "host/sit_host/_gen/records.py": host.records,
    "host/sit_host/_gen/image_slots.py": lambda _schema: image.slots(IMAGE),
    "protocol/vectors.json": vectors.vectors,
    "protocol/PROTOCOL.md": lambda schema: page.fill(schema, PAGE.read_text(encoding="utf-8")),
}


def texts() -> dict[str, str]:
    """Path below the project -> text it must have. Raises SchemaError."""
    schema = load(SCHEMA)
    return {path: _laid_out(path, make(schema)) for path, make in FILES.items()}


def drifted(root: Path = ROOT) -> list[str]:
    """Paths whose text isn't the generated one, missing files included."""
    return [path for path, text in texts().items() if _read(root / path) != text]


def write(root: Path = ROOT) -> list[str]:
    """Write what drifted; returns the paths written. Untouched files keep their time stamp."""
    paths = []
    for path, text in texts().items():
        if _read(root / path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            paths.append(path)
    return paths


def _laid_out(path: str, text: str) -> str:
    """Python in the project's own layout, so that generated files pass the same checks as written ones."""
    if not path.endswith(".py"):
        return text
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", path, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SchemaError(f"{path}: ruff can't lay out the generated text: {done.stderr.strip()}")
    return done.stdout


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
