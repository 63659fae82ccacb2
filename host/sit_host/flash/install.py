"""An image onto a board at the prompt: refuse what doesn't fit, write the other slot, switch, confirm, roll back.

At every moment the board starts a whole firmware that was found healthy, if it had one: the slot that runs isn't
touched, a slot without its manifest doesn't start, and the switch is one rename.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sit_build.bundle import ARCHITECTURES, BOARDS, Board, Image

from sit_host.errors import SitError
from sit_host.flash import slots as states
from sit_host.flash.repl import Repl
from sit_host.flash.slots import MANIFEST, STATE, Slots

Progress = Callable[[str, int, int], None]
_SPARE_BYTES = 16384
_OLDEST = (1, 26)  # as firmware/sit_firmware/version.py asks of an RP2040; the same is asked of every board


class WrongBoard(SitError):
    """The image isn't for this board."""


@dataclass(frozen=True)
class Found:
    """What is on a board at the prompt."""

    platform: str
    micropython: tuple[int, ...]
    mpy: int
    machine: str
    slots: Slots | None
    manifests: dict[str, dict[str, Any]]
    """Slot -> its manifest, for those that have one."""

    @property
    def board(self) -> str:
        """The name of its kind, "" when OpenSIT has no firmware for it."""
        chip = self.machine.rpartition(" with ")[2]
        fitting = [board for board in BOARDS.values() if board.platform == self.platform and board.chip in ("", chip)]
        return fitting[0].name if fitting else ""

    def version(self, slot: str) -> str:
        """The firmware version in a slot, "" for none."""
        return str(self.manifests.get(slot, {}).get("version", ""))


def look(repl: Repl) -> Found:
    """Read what is on the board; changes nothing."""
    platform, version, mpy, machine = repl.ask(
        "(sys.platform, tuple(sys.implementation.version[:3]), getattr(sys.implementation, '_mpy', 0),"
        " getattr(sys.implementation, '_machine', ''))",
        also="import sys",
    )
    slots = states.parse(repl.read(STATE)) if repl.exists(STATE) else None
    manifests = {}
    for slot in states.SLOTS:
        name = f"{slot}/{MANIFEST}"
        if repl.exists(name):
            try:
                manifests[slot] = dict(json.loads(repl.read(name)))
            except ValueError:
                continue  # damaged: as good as none
    return Found(platform, tuple(version), mpy, machine, slots, manifests)


def board_of(found: Found, named: str = "") -> Board:
    """The kind of board to build for. Raises WrongBoard when there is none, or `named` is another."""
    if not found.board:
        raise WrongBoard(
            f"OpenSIT has no firmware for this board: {found.machine or found.platform}.",
            f"It runs on {', '.join(BOARDS)}.",
        )
    if named and named != found.board:
        raise WrongBoard(
            f"The image is for {named}, this board is {found.board} ({found.machine}).",
            "Leave --board out, or connect the right board.",
        )
    return BOARDS[found.board]


def refuse(found: Found, image: Image) -> None:
    """Raise WrongBoard unless the image runs on this board and its MicroPython."""
    board_of(found, image.board.name)
    version, sub, march = found.mpy & 0xFF, found.mpy >> 8 & 3, found.mpy >> 10 & 0xF
    name = ".".join(str(number) for number in found.micropython)
    do = "Put a newer MicroPython on it with --base FILE."
    if found.micropython[:2] < _OLDEST:
        raise WrongBoard(f"The board has MicroPython {name}, OpenSIT needs 1.26 or newer.", do)
    wanted, wanted_sub = image.manifest["mpy"]
    if version != wanted or (wanted_sub and sub != wanted_sub):
        raise WrongBoard(f"MicroPython {name} reads .mpy {version}.{sub}, the image is {wanted}.{wanted_sub}.", do)
    if image.board.march and ARCHITECTURES[march : march + 1] != (image.board.march,):
        raise WrongBoard(
            f"The image is compiled for {image.board.march}, the board isn't.",
            "Connect the right board.",
        )


def damaged(repl: Repl, slot: str, manifest: dict[str, Any]) -> list[str]:
    """The files of a slot that aren't what its manifest says, hashed by the board."""
    files: dict[str, Any] = manifest.get("files", {})
    sums = repl.sums([f"{slot}/{name}" for name in files])
    return [name for (name, (_, digest)), found in zip(files.items(), sums, strict=True) if found != digest]


def write_image(repl: Repl, found: Found, image: Image, progress: Progress, *, copies: bool = True) -> str:
    """Write the image into the slot that isn't needed and return its name; the board still starts what it did.

    With `copies` a file that the other slot has already is copied on the board. Each one's SHA-256 is read back.
    Raises WrongBoard, BoardError, LinkLost.
    """
    refuse(found, image)
    slot = states.to_write(found.slots)
    first = states.before_writing(found.slots)
    if first is not None:
        repl.put(STATE, first.text())
    repl.remove(slot)
    if repl.free_bytes() < image.size + _SPARE_BYTES:
        raise SitError(
            f"The board has {repl.free_bytes() // 1024} KiB free, the firmware needs {image.size // 1024} KiB.",
            "Remove other files from the board, then run `sit flash` again.",
        )
    made: set[str] = set()
    for name in (slot, *(f"{slot}/{name}" for name in image.files)):
        folder = name if name == slot else name.rpartition("/")[0]
        for end in [i for i, letter in enumerate(folder) if letter == "/"] + [len(folder)]:
            if folder[:end] not in made:
                repl.make_folder(folder[:end])
                made.add(folder[:end])
    other = next(name for name in states.SLOTS if name != slot)
    there: dict[str, Any] = found.manifests.get(other, {}).get("files", {})
    done = 0
    for name, data in image.files.items():  # the manifest comes last: without it the slot doesn't start
        progress(name, done, image.size)
        digest = hashlib.sha256(data).hexdigest()
        same = copies and there.get(name) == [len(data), digest]
        if not same or repl.copy(f"{other}/{name}", f"{slot}/{name}") != digest:
            repl.write(f"{slot}/{name}", data)
        done += len(data)
    progress("", done, image.size)
    return slot


def write_loader(repl: Repl, image: Image) -> list[str]:
    """Bring the files outside the slots up to date, each whole at every moment; return those that were written."""
    changed = []
    for name, data in image.loader.items():
        if repl.sha256(name) != hashlib.sha256(data).hexdigest():
            repl.put(name, data)
            changed.append(name)
    return changed


def switch(repl: Repl, slots: Slots) -> None:
    """Set the state: the next start follows it."""
    repl.put(STATE, slots.text())
