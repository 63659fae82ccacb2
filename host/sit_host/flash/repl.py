"""A board at MicroPython's prompt, over the raw REPL as mpremote speaks it. Paths are relative to the board's root.

mpremote prints what it doesn't understand and raises a handful of classes; here every failure is a SitError.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import struct
from collections.abc import Iterator
from typing import Any

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from sit_host.errors import LinkLost, NoAnswer, PortError, SitError
from sit_host.transport.serial import explain_open_error

CHUNK = 512
_READ_S = 10.0
_ENTER_S = 0.2  # a board at its prompt answers at once; one that runs firmware never does
_WHERE = "Nothing is lost: the firmware that ran before still starts. Check the cable, then run `sit flash` again."
_FOLDER = 0x4000


class BoardError(SitError):
    """The board's own Python has raised: the file system is full, a file is missing."""


class Repl:
    """One board, its port held. Use it in a `with`."""

    def __init__(self, path: str) -> None:
        """Open the port and enter the raw REPL. Raises PortError, NoAnswer."""
        self.path = path
        try:
            self._link = SerialTransport(path, timeout=_ENTER_S)
        except TransportError as error:
            raise self._closed(path) from error
        try:
            with self._quiet():
                self._link.enter_raw_repl(soft_reset=False, timeout_overall=1)
        except LinkLost as error:
            self.close()
            raise NoAnswer(
                f"MicroPython's prompt doesn't answer on {path}.",
                "Unplug the board, hold its pairing button, plug it in again, then try once more.",
            ) from error
        self._link.serial.timeout = _READ_S

    def __enter__(self) -> Repl:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back. May be called twice."""
        with contextlib.suppress(Exception):
            self._link.close()

    def run(self, code: str) -> str:
        """Run code on the board and return what it printed. Raises BoardError with the board's words, LinkLost."""
        with self._quiet():
            output: bytes = self._link.exec(code)
        return output.decode(errors="replace")

    def ask(self, expression: str, *, also: str = "") -> Any:
        """The value of an expression that JSON can carry; `also` is run first."""
        return json.loads(self.run(f"import json\n{also}\nprint(json.dumps({expression}))"))

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        found: bool = self.ask(
            "found", also=f"import os\ntry:\n os.stat({name!r})\n found = True\nexcept OSError:\n found = False"
        )
        return found

    def read(self, name: str) -> bytes:
        """A file's bytes; BoardError when it isn't there."""
        with self._quiet():
            return bytes(self._link.fs_readfile(name, chunk_size=CHUNK))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, read its SHA-256 back from the board and compare. BoardError when they differ."""
        with self._quiet():
            self._link.fs_writefile(name, data, chunk_size=CHUNK)
        if self.sha256(name) != hashlib.sha256(data).hexdigest():
            raise BoardError(
                f"{name} reads back from {self.path} other than it was written.",
                "Run `sit flash` again; if it returns, the board's flash memory is worn out.",
            )

    def sha256(self, name: str) -> str:
        """SHA-256 of a file, taken by the board, in hexadecimal; "" when it isn't there."""
        if not self.exists(name):
            return ""
        with self._quiet():
            digest: bytes = self._link.fs_hashfile(name, "sha256", chunk_size=1024)
        return digest.hex()

    def put(self, name: str, data: bytes) -> None:
        """Write a file so that it is whole at every moment: beside the old one, then renamed over it."""
        self.write(f"{name}.new", data)
        self.run(f"import os\nos.rename({name + '.new'!r}, {name!r})")

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and all in it; nothing happens when it isn't there."""
        self.run(
            "import os\n"
            "def gone(name):\n"
            f" if os.stat(name)[0] & {_FOLDER}:\n"
            "  for entry in list(os.ilistdir(name)):\n"
            "   gone(name + '/' + entry[0])\n"
            "  os.rmdir(name)\n"
            " else:\n"
            "  os.remove(name)\n"
            f"try:\n os.stat({name!r})\nexcept OSError:\n pass\nelse:\n gone({name!r})"
        )

    def make_folder(self, name: str) -> None:
        """Make a folder unless it is there."""
        if not self.exists(name):
            self.run(f"import os\nos.mkdir({name!r})")

    def free_bytes(self) -> int:
        """Room in the file system."""
        free: int = self.ask("v[0] * v[3]", also="import os\nv = os.statvfs('.')")
        return free

    def reset(self) -> None:
        """Reset the board, as power would; the port is closed."""
        self._start("import machine\nmachine.reset()")

    def boot_loader(self) -> None:
        """Leave for the chip's own boot loader; the port is closed."""
        self._start("import machine\nmachine.bootloader()")

    def _start(self, code: str) -> None:
        # the board is gone before it could answer
        with contextlib.suppress(LinkLost), self._quiet():
            self._link.exec_raw_no_follow(code)
        self.close()

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep mpremote from printing, and turn what it raises into errors of ours."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except TransportExecError as error:
            last = error.error_output.strip().splitlines()[-1:]
            raise BoardError(f"The board at {self.path} says: {''.join(last)}.", _board_hint("".join(last))) from error
        except (TransportError, serial.SerialException, struct.error, TypeError) as error:
            raise LinkLost(f"The board at {self.path} has stopped answering.", _WHERE) from error
        except OSError as error:
            if error.errno is not None and error.filename is None and isinstance(error.args[-1], str):
                raise LinkLost(f"The connection to {self.path} was lost: {error.args[-1]}.", _WHERE) from error
            raise BoardError(f"The board at {self.path} can't use a file: {error}.", _WHERE) from error

    @staticmethod
    def _closed(path: str) -> PortError:
        try:
            serial.Serial(path, exclusive=True).close()
        except (serial.SerialException, OSError, ValueError) as error:
            return explain_open_error(path, error)
        return PortError(f"The port {path} can't be opened.", "Try again.")


def _board_hint(text: str) -> str:
    if "ENOSPC" in text or "28" in text:
        return "Its file system is full: remove other files from the board, then run `sit flash` again."
    return _WHERE
