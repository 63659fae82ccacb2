"""`sit flash` on the emulated RP2040: real MicroPython, LittleFS on the chip's flash, mpremote over its USB port."""

import contextlib
import os
import pty
import select
import sys
import threading
import tty
from dataclasses import replace
from pathlib import Path

import pytest
from sit_build import bundle
from sit_host.errors import LinkLost
from sit_host.flash import install, repl, slots
from sit_host.flash.repl import Repl
from sit_sim.emu.chip import Chip, uf2_path

sys.path.insert(0, str(Path(__file__).parents[1] / "stack"))
import flashkit

_STEP_S = 0.002  # emulated: how long the chip runs between two looks at the port
# the chip with files that aren't to be started: what is proved here is the way they get there
CHIP = bundle.Board("rp2040", "rp2", "", "bytecode")


class EmuBoard:
    """The chip behind a pseudo-terminal; a thread runs it and carries bytes both ways."""

    def __init__(self):
        self._chip = Chip(uf2_path())
        self._host, self._port = pty.openpty()
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self):
        self._end.set()
        self._thread.join()
        os.close(self._host)
        os.close(self._port)

    def power_cycle(self):
        """Power away and back: flash stays."""
        with self._lock:
            self._chip.power_cycle()
            while not self._chip.connected:
                self._chip.run_for(_STEP_S)

    def _carry(self):
        chip = self._chip
        while not self._end.is_set():
            with self._lock:
                if select.select([self._host], [], [], 0)[0]:
                    with contextlib.suppress(OSError):
                        chip.write(os.read(self._host, 4096))
                chip.run_for(_STEP_S)
                out = bytes(chip.received)
                chip.received.clear()
            if out:
                os.write(self._host, out)


def _small(version):
    image = flashkit.small(version)
    return flashkit.with_files(replace(image, board=CHIP), image.files, CHIP)


def _write(board, version, repl_class=Repl, at=None):
    with repl_class(board.path) as prompt:
        prompt.at = at
        image = _small(version)
        found = install.look(prompt)
        slot = install.write_image(prompt, found, image, lambda *_: None)
        install.write_loader(prompt, image)
        install.switch(prompt, slots.confirmed(slots.switched(found.slots, slot)))


def _starts(board):
    """The slot that the loader on the chip would start after power-up; "" when it is damaged."""
    board.power_cycle()
    with Repl(board.path) as prompt:
        return prompt.ask(
            "'' if sit_slots.damage(s['active']) else s['active']", also="import sit_slots\ns = sit_slots.read()"
        )


class Cut(Repl):
    """Loses power when `at` names what is about to be done."""

    def write(self, name, data):
        if self.at == name:
            super().write(name, data[: len(data) // 2])
            raise LinkLost("cut")
        super().write(name, data)

    def run(self, code):
        if self.at == "rename" and "os.rename('sit_slots" in code:
            raise LinkLost("cut")
        return super().run(code)


def test_install_upgrade_and_three_cuts(monkeypatch):
    """Flash: first install, upgrade, and power lost in a file, in the manifest and before the switch, on the chip."""
    monkeypatch.setattr(repl, "_ENTER_S", 5.0)
    board = EmuBoard()
    try:
        _write(board, "1.0.0")
        assert _starts(board) == "slot_a"
        for at in ("slot_b/sit_firmware/b.mpy", "slot_b/manifest.json", "rename"):
            with pytest.raises(LinkLost):
                _write(board, "2.0.0", Cut, at)
            assert _starts(board) == "slot_a", at
        _write(board, "2.0.0")
        assert _starts(board) == "slot_b"
    finally:
        board.close()
