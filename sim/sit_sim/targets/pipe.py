"""Firmware in a child process under real MicroPython (unix port), one frame each way per tick."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from array import array
from errno import EIO
from pathlib import Path

import sit_firmware
from sit_firmware import image

from .affinity import pin, unpin
from .child import frames
from .errors import FirmwareDied, PowerCut, TargetError
from .fram import Fram

_LOG_LINES = 8
_READY = 10.0


def find_micropython() -> Path | None:
    """The MicroPython that was installed beside this Python; None when the platform has none."""
    path = Path(sys.executable).parent / "micropython"
    return path if path.is_file() and os.access(path, os.X_OK) else None


class PipeProcess:
    """Runs the firmware's App in a child; a power cut kills it, `boot` starts a new one."""

    kind = "sim:micropython"

    def __init__(
        self, fram: Fram, heap_bytes: int = 2 << 20, lock_tick: bool = True, app_module: str = "sit_firmware.app"
    ) -> None:
        binary = find_micropython()
        if binary is None:
            raise TargetError(
                f"There is no micropython beside {sys.executable}: run `make setup`, or use the target sim:."
            )
        self._command = [
            str(binary),
            "-X",
            f"heapsize={heap_bytes}",
            str(Path(frames.__file__).with_name("launcher.py")),
            "1" if lock_tick else "0",
            app_module,
        ]
        self._path = str(Path(sit_firmware.__file__).parent.parent)
        self._fram = fram
        self._child: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the target)
        self._to = array("i", [0] * (frames.TO_HEAD + image.N_INPUTS))
        self._head = array("i", [0] * (frames.FROM_HEAD + image.N_OUTPUTS))
        self._head_view = memoryview(self._head).cast("B")
        self._in_fd = self._out_fd = -1
        self.phase = 0
        self.idle_until = 0
        self.fed = False
        self.rx_room = 0
        self.extra_path: list[str] = []
        """Folders searched for modules after the firmware's."""
        self.want_state = False
        """Have the whole state sent back after each tick, for traces; costs time."""
        self._state = array("i", [0] * image.N_STATE)
        self._pinned = False
        self.app = None

    @property
    def state(self) -> array[int] | None:
        """The firmware's state after the last tick; None unless `want_state` is on."""
        return self._state if self.want_state else None

    def boot(self) -> None:
        """Start a new firmware process and serve its store until it stands."""
        self.kill()
        if not self._pinned:
            pin()
            self._pinned = True
        env = {**os.environ, "MICROPYPATH": os.pathsep.join([self._path, *self.extra_path])}
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0, env=env
        )
        assert self._child.stdin is not None and self._child.stdout is not None
        self._in_fd, self._out_fd = self._child.stdin.fileno(), self._child.stdout.fileno()
        self._serve(frames.OP_BOOTED, None)
        self.rx_room = self._head[0] >> 16 & 0xFFFF

    def cycle(
        self, inputs: array[int], outputs: array[int], poll: bool, fail_read: bool, blocked: bool, rx: bytes
    ) -> bytes:
        """One tick and, if `poll`, one poll; fills `outputs`, returns the bytes sent."""
        flags = poll * frames.FLAG_POLL | fail_read * frames.FLAG_FAIL_READ | blocked * frames.FLAG_TX_BLOCKED
        if self.want_state:
            flags |= frames.FLAG_STATE
        to = self._to
        to[0] = frames.OP_TICK | flags << 8 | len(rx) << 16
        to[frames.TO_HEAD :] = inputs
        self._write(to.tobytes() + rx if rx else to)
        self._serve(frames.OP_TICK, outputs)
        head = self._head
        word0, word1 = head[0], head[1]
        self.fed = bool(word0 >> 8 & frames.FLAG_FED)
        self.rx_room = word0 >> 16 & 0xFFFF
        self.phase = word1 >> 16
        self.idle_until = head[2]
        sent = self._read_exactly(word1 & 0xFFFF) if word1 & 0xFFFF else b""
        if self.want_state:
            self._state[:] = array("i", self._read_exactly(4 * image.N_STATE))
        return sent

    def _serve(self, wanted: int, outputs: array[int] | None) -> None:
        """Read frames, answer store requests, until the `wanted` one came."""
        view, size = self._head_view, len(self._head_view)
        while True:
            got = 0
            while got < size:
                more = os.readv(self._out_fd, [view[got:] if got else view])
                if more == 0:
                    self._died()
                got += more
            if outputs is not None:
                outputs[:] = self._head[frames.FROM_HEAD :]
            op = self._head[0] & 0xFF
            if op == wanted:
                return
            try:
                self._serve_store(op, self._head[1], self._head[2])
            except PowerCut:
                self.kill()
                raise

    def _serve_store(self, op: int, addr: int, length: int) -> None:
        data = b""
        error = 0
        try:
            if op == frames.OP_READ:
                buffer = bytearray(length)
                self._fram.readinto(addr, buffer)
                data = bytes(buffer)
            elif op == frames.OP_WRITE:
                self._fram.write(addr, self._read_exactly(length))
            else:
                raise FirmwareDied(f"The firmware process sent an unknown frame 0x{op:02x}. {self._last_lines()}")
        except OSError as exc:
            error, data = exc.errno or EIO, b""
        self._write(array("i", [error, len(data)]).tobytes() + data)

    def _write(self, data: bytes | array[int]) -> None:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view):
                done += os.write(self._in_fd, view[done:] if done else view)
        except BrokenPipeError:
            self._died()

    def _read_exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._out_fd, count)
            if not part:
                self._died()
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def heap_free(self) -> int | None:
        """Free bytes of the firmware's heap after a collection."""
        self._to[0] = frames.OP_HEAP
        self._write(self._to)
        self._serve(frames.OP_HEAP, None)
        return self._head[1]

    def _died(self) -> None:
        child = self._child
        code: int | str = "?"
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = child.wait(_READY)
        raise FirmwareDied(f"The firmware process ended (exit code {code}). {self._last_lines()}")

    def _last_lines(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
        return "Its last lines:\n  " + "\n  ".join(lines) if lines else "It printed nothing."

    def kill(self) -> None:
        """Power is gone: the process ends where it stands."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        assert child.stdin is not None and child.stdout is not None
        child.stdin.close()
        child.stdout.close()

    def close(self) -> None:
        """End the process, give the cores back."""
        self.kill()
        self._log.close()
        if self._pinned:
            self._pinned = False
            unpin()
