"""The files that a board carries, built as for a board, and the file-system image that holds them."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sit_build import bundle, forms

from sit_sim.targets.errors import TargetError
from sit_sim.targets.pipe import find_micropython

FORM = "thumb"
_PACKER = Path(__file__).with_name("pack_files.py")


def build_files(folder: Path, form: str = FORM) -> None:
    """Put the deployed set into `folder`: the loader's files as text, the package compiled for the RP2040.

    TargetError without a compiler.
    """
    try:
        image = bundle.build(replace(bundle.BOARDS["rp2040"], form=form))
    except forms.BuildError as error:
        raise TargetError(f"The emulated board's files can't be built: {error}.") from None
    for name, data in {**image.loader, **image.files}.items():
        if name == bundle.MANIFEST:
            continue  # of a slot; here the package lies beside main.py
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


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
