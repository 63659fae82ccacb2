"""The FRAM: 256 KiB that outlive the firmware, with the faults a store can have, kept in a file between runs."""

from __future__ import annotations

import os
import tempfile
from errno import EIO
from pathlib import Path

from filelock import FileLock, Timeout
from sit_firmware.boards.sim import STORE_BYTES

from .errors import PowerCut, TargetError


class Fram:
    """The store of one simulated device. A new one holds 0xFF throughout."""

    def __init__(self) -> None:
        self.data = bytearray(b"\xff" * STORE_BYTES)
        self.reads = 0
        """Reads since the target opened."""
        self.writes = 0
        """Writes since the target opened; a power cut may be set for one of them."""
        self.dirty = False
        self.cut_happened = False
        """Power went in the middle of an operation; the machine clears it when it has switched off."""
        self._cut_at_write = -1
        self._cut_bytes = 0
        self._error_kinds: frozenset[str] = frozenset()
        self._errors_left = 0

    def cut_at_write(self, number: int, kept_bytes: int) -> None:
        """Cut power in the `number`-th write from now (1 = the next) after `kept_bytes` of it."""
        self._cut_at_write = self.writes + number
        self._cut_bytes = kept_bytes

    def cancel_cut(self) -> None:
        """Forget a power cut that hasn't come."""
        self._cut_at_write = -1

    def fail(self, kinds: frozenset[str], count: int) -> None:
        """Let the next `count` operations of `kinds` ("read", "write") fail with EIO; -1 = until told otherwise."""
        self._error_kinds = kinds
        self._errors_left = count

    def readinto(self, addr: int, buf: bytearray | memoryview) -> None:
        """Fill `buf`; OSError while the store_error fault is on."""
        self._gone()
        self.reads += 1
        self._maybe_fail("read")
        buf[:] = self.data[addr : addr + len(buf)]

    def write(self, addr: int, buf: bytes | bytearray | memoryview) -> None:
        """Write `buf`; OSError while the store_error fault is on, PowerCut when power goes."""
        self._gone()
        self.writes += 1
        self._maybe_fail("write")
        if self.writes == self._cut_at_write:
            self._cut_at_write = -1
            self.data[addr : addr + min(self._cut_bytes, len(buf))] = bytes(buf[: self._cut_bytes])
            self.dirty = True
            self.cut_happened = True
            raise PowerCut
        self.data[addr : addr + len(buf)] = buf
        self.dirty = True

    def _gone(self) -> None:
        if self.cut_happened:
            raise PowerCut

    def _maybe_fail(self, kind: str) -> None:
        if self._errors_left and kind in self._error_kinds:
            if self._errors_left > 0:
                self._errors_left -= 1
            raise OSError(EIO, "store")


class FramFile:
    """The file of a state folder that keeps a FRAM between runs; one target at a time."""

    def __init__(self, folder: Path, fram: Fram) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise TargetError(f"{folder}: the state folder can't be made: {exc.strerror}.") from exc
        self._path = folder / "store.bin"
        self._fram = fram
        self._lock = FileLock(folder / "store.lock", timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise TargetError(f"{folder}: another simulator is using this state folder; choose another.") from None
        try:
            self._load()
        except BaseException:
            self._lock.release()
            raise

    def _load(self) -> None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        if len(data) != STORE_BYTES:
            raise TargetError(
                f"{self._path}: {len(data)} bytes where a store has {STORE_BYTES}; move it away to begin anew."
            )
        self._fram.data[:] = data

    def save(self) -> None:
        """Write the image whole or not at all; does nothing when it hasn't changed."""
        if not self._fram.dirty:
            return
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix="store-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._fram.data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._fram.dirty = False

    def close(self) -> None:
        """Save and let others in."""
        try:
            self.save()
        finally:
            self._lock.release()
