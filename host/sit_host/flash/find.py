"""Boards that are plugged in: serial ports that may hold one, and RP2040s that wait in their boot loader as a drive."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from serial.tools import list_ports

from sit_host.errors import PortError, UsageError
from sit_host.transport import parse_url

# USB vendor -> what it tells of the chip: boards with native USB, and the serial bridges of many, most of them ESP32
VENDORS = {
    0x2E8A: "rp2040",
    0x303A: "esp32",
    0x10C4: "",
    0x1A86: "",
    0x0403: "",
}
_DRIVE_NOTE = "INFO_UF2.TXT"


def port_of(target: str | None) -> str:
    """The serial port to use: the one named, or the only one that may be a board. Raises UsageError, PortError."""
    if target:
        url = parse_url(target)
        if url.scheme != "serial":
            raise UsageError(f"Firmware goes over a serial port, not over {url}.", "Use --target serial:/dev/ttyACM0.")
        return url.place
    found = [port.device for port in list_ports.comports() if port.vid in VENDORS]
    if not found and drives():
        raise PortError(
            "The board that is plugged in waits as a drive: it has no MicroPython yet, or BOOTSEL was held.",
            "Give --base FILE, or press its reset button.",
        )
    if not found:
        raise PortError(
            "No board is plugged in.",
            "Plug it in, or name its port with --target. An empty Pico: hold BOOTSEL, plug it in, give --base FILE.",
        )
    if len(found) > 1:
        raise UsageError(f"More than one board is plugged in: {', '.join(found)}.", "Name one with --target.")
    return str(found[0])


def chip_of(path: str) -> str:
    """The chip behind a port as its USB vendor tells it: rp2040, esp32, "" when that says nothing."""
    vendors = [port.vid for port in list_ports.comports() if os.path.realpath(port.device) == os.path.realpath(path)]
    return next((VENDORS[vendor] for vendor in vendors if vendor in VENDORS), "")


def drives(roots: Iterable[Path] | None = None) -> list[Path]:
    """RP2040s in their boot loader: the drives that they show. `roots`: the folders that hold mounted drives."""
    found = []
    for root in _mounts() if roots is None else roots:
        if not root.is_dir():
            continue
        found += [drive for drive in sorted(root.iterdir()) if (drive / _DRIVE_NOTE).is_file()]
    return found


def drive_board(drive: Path) -> str:
    """The Board-ID that a boot loader's drive tells, such as RPI-RP2; "" when it tells none."""
    for line in (drive / _DRIVE_NOTE).read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == "Board-ID":
            return value.strip()
    return ""


def _mounts() -> list[Path]:
    """Where this system mounts drives."""
    if sys.platform == "darwin":
        return [Path("/Volumes")]
    if os.name == "nt":
        return [Path(f"{letter}:/").parent for letter in "DEFGHIJKLMNOPQRSTUVWXYZ" if Path(f"{letter}:/").exists()]
    user = os.environ.get("USER", "")
    return [Path("/media") / user, Path("/run/media") / user, Path("/media"), Path("/mnt")]
