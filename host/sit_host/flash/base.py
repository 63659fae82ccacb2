"""MicroPython itself onto an empty board: a UF2 copied to an RP2040's drive, a BIN written to an ESP32 by esptool.

The file comes by path; micropython.org/download holds it: RPI_PICO and ESP32_GENERIC, 1.26 or newer.
"""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

from sit_host.errors import SitError, UsageError
from sit_host.flash import install
from sit_host.flash.find import chip_of, drive_board, drives
from sit_host.flash.flow import Flasher
from sit_host.flash.install import WrongBoard
from sit_host.flash.port import SerialPort

_UF2 = struct.Struct("<IIIIIIII")
_MAGIC = (0x0A324655, 0x9E5D5157)
_RP2040_FAMILY = 0xE48BFF56
_RP2040_DRIVE = "RPI-RP2"
_ESP32_AT = "0x1000"
_DRIVE_S = 15.0
_DOWNLOADS = "micropython.org/download/RPI_PICO and micropython.org/download/ESP32_GENERIC"


def kind_of(file: Path) -> str:
    """What a base file is for: rp2040 or esp32. Raises UsageError for anything else."""
    if not file.is_file():
        raise UsageError(f"There is no file {file}.", f"Download MicroPython 1.26 or newer from {_DOWNLOADS}.")
    head = file.read_bytes()[: _UF2.size]
    if len(head) == _UF2.size and _UF2.unpack(head)[:2] == _MAGIC:
        if _UF2.unpack(head)[7] == _RP2040_FAMILY:
            return "rp2040"
        raise UsageError(f"{file} is a UF2 for another chip than the RP2040.", f"Download it from {_DOWNLOADS}.")
    if head[:1] == b"\xe9":
        return "esp32"
    raise UsageError(f"{file} is neither a UF2 nor an ESP32 image.", f"Download it from {_DOWNLOADS}.")


def write(file: Path, port: str | None) -> None:
    """Put MicroPython on the board: on the one at `port`, or on an RP2040 that waits as a drive. Raises SitError.

    Its file system, slots and all, survives; so does the FRAM. Nothing is downloaded here, ever: `file` is the user's.
    """
    kind = kind_of(file)
    if port is not None and (chip := chip_of(port)) not in ("", kind):
        raise WrongBoard(f"{file} is MicroPython for {kind}, on {port} there is an {chip}.", "Give the right file.")
    if kind == "esp32":
        _esptool(file, port)
        return
    if not drives() and port is not None:
        with Flasher(SerialPort(port)).prompt() as repl:
            found = install.look(repl)
            if found.board != kind:
                raise WrongBoard(
                    f"{file} is MicroPython for {kind}, this board is {found.machine or found.platform}.",
                    "Give the right file, or connect the right board.",
                )
            repl.boot_loader()
    shutil.copyfile(file, _drive() / file.name)


def _drive() -> Path:
    """The one RP2040 in its boot loader."""
    end_s = time.monotonic() + _DRIVE_S
    while True:
        found = [drive for drive in drives() if drive_board(drive) == _RP2040_DRIVE]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise SitError(f"{len(found)} boards wait in their boot loader.", "Unplug all but one.")
        if time.monotonic() >= end_s:
            raise SitError(
                "No RP2040 shows its drive RPI-RP2.",
                "Hold BOOTSEL while plugging it in; mount the drive if the system doesn't.",
            )
        time.sleep(0.3)


def _esptool(file: Path, port: str | None) -> None:
    if port is None:
        raise UsageError("An ESP32 is written through its port.", "Name it with --target.")
    if importlib.util.find_spec("esptool") is None:
        raise SitError("esptool isn't installed; an ESP32's base is written by it.", "Run `pip install esptool`.")
    command = [sys.executable, "-m", "esptool", "--port", port, "write-flash", _ESP32_AT, str(file)]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        raise SitError(f"esptool couldn't write {file.name}.", "Hold BOOT while it connects, then try again.")
