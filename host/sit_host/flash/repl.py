"""A board at MicroPython's prompt, over the raw REPL as mpremote speaks it. Paths are relative to the board's root.

mpremote's protocol runs over our transport, whose `wait` is the only clock; its failures become SitErrors. Files go in
base64, some KiB at a time, and come back as the SHA-256 that the board takes of what lies in its flash.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from sit_host.errors import LinkLost, NoAnswer, SitError
from sit_host.transport import Transport

CHUNK = 3072
_READ_S = 10.0
_ENTER_S = 0.5  # a board at its prompt answers at once; one that runs firmware never does
_WHERE = "Nothing is lost: the firmware that ran before still starts. Check the cable, then run `sit flash` again."
# what the board's own Python is taught first; sit_sum gives "" for a file that isn't there
_HELPERS = """
import hashlib, os
from binascii import a2b_base64, hexlify
def sit_put(name, mode, text):
 with open(name, mode) as file:
  file.write(a2b_base64(text))
def sit_parts(name):
 part = memoryview(bytearray(1024))
 with open(name, 'rb') as file:
  while True:
   n = file.readinto(part)
   if not n:
    return
   yield part[:n]
def sit_sum(name):
 sha = hashlib.sha256()
 try:
  for part in sit_parts(name):
   sha.update(part)
 except OSError:
  return ''
 return hexlify(sha.digest()).decode()
def sit_copy(name, to):
 with open(to, 'wb') as file:
  for part in sit_parts(name):
   file.write(part)
def sit_gone(name):
 if os.stat(name)[0] & 0x4000:
  for entry in list(os.ilistdir(name)):
   sit_gone(name + '/' + entry[0])
  os.rmdir(name)
 else:
  os.remove(name)
def sit_there(name):
 try:
  os.stat(name)
 except OSError:
  return False
 return True
"""


class BoardError(SitError):
    """The board's own Python has raised: the file system is full, a file is missing."""


class Repl:
    """One board at its prompt."""

    def __init__(self, transport: Transport) -> None:
        """Enter the raw REPL. Raises NoAnswer, LinkLost."""
        self.name = transport.name
        self._link = _Mpremote(transport)
        self._taught = False
        try:
            with self._quiet():
                self._link.enter_raw_repl(soft_reset=False, timeout_overall=_ENTER_S)
        except LinkLost as error:
            if isinstance(error.__cause__, LinkLost):
                raise  # the port itself is gone
            raise NoAnswer(
                f"MicroPython's prompt doesn't answer on {self.name}.",
                "Unplug the board, hold its pairing button, plug it in again, then try once more.",
            ) from error

    def run(self, code: str) -> str:
        """Run code on the board and return what it printed. Raises BoardError with the board's words, LinkLost."""
        if not self._taught:
            self._taught = True
            self.run(_HELPERS)
        with self._quiet():
            output: bytes = self._link.exec(code)
        return output.decode(errors="replace")

    def ask(self, expression: str, *, also: str = "") -> Any:
        """The value of an expression that JSON can carry; `also` is run first."""
        return json.loads(self.run(f"import json\n{also}\nprint(json.dumps({expression}))"))

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return bool(self.ask(f"sit_there({name!r})"))

    def read(self, name: str) -> bytes:
        """A file's bytes; BoardError when it isn't there."""
        text = self.run(f"with open({name!r}, 'rb') as file: print(hexlify(file.read()).decode())")
        return bytes.fromhex(text.strip())

    def write(self, name: str, data: bytes) -> None:
        """Write a file, read its SHA-256 back from the board and compare. BoardError when they differ."""
        for at in range(0, max(1, len(data)), CHUNK):
            text = b64encode(data[at : at + CHUNK]).decode()
            self.run(f"sit_put({name!r}, {'ab' if at else 'wb'!r}, {text!r})")
        if self.sha256(name) != hashlib.sha256(data).hexdigest():
            raise BoardError(
                f"{name} reads back from {self.name} other than it was written.",
                "Run `sit flash` again; if it returns, the board's flash memory is worn out.",
            )

    def sha256(self, name: str) -> str:
        """SHA-256 of a file, taken by the board, in hexadecimal; "" when it isn't there."""
        return self.sums([name])[0]

    def sums(self, names: list[str]) -> list[str]:
        """The SHA-256 of each file, as `sha256` gives it."""
        return list(self.ask(f"[sit_sum(name) for name in {names!r}]"))

    def copy(self, name: str, to: str) -> str:
        """Copy a file on the board and return the SHA-256 of what lies there now."""
        self.run(f"if sit_there({name!r}): sit_copy({name!r}, {to!r})")
        return self.sha256(to)

    def put(self, name: str, data: bytes) -> None:
        """Write a file so that it is whole at every moment: beside the old one, then renamed over it."""
        self.write(f"{name}.new", data)
        self.run(f"os.rename({name + '.new'!r}, {name!r})")

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and all in it; nothing happens when it isn't there."""
        self.run(f"if sit_there({name!r}): sit_gone({name!r})")

    def make_folder(self, name: str) -> None:
        """Make a folder unless it is there."""
        self.run(f"if not sit_there({name!r}): os.mkdir({name!r})")

    def free_bytes(self) -> int:
        """Room in the file system."""
        free: int = self.ask("v[0] * v[3]", also="v = os.statvfs('.')")
        return free

    def reset(self) -> None:
        """Reset the board, as power would."""
        self._start("import machine\nmachine.reset()")

    def boot_loader(self) -> None:
        """Leave for the chip's own boot loader."""
        self._start("import machine\nmachine.bootloader()")

    def _start(self, code: str) -> None:
        # the board is gone before it could answer
        with contextlib.suppress(LinkLost, BoardError), self._quiet():
            self._link.exec_raw_no_follow(code)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep mpremote from printing, and turn what it raises into errors of ours."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except TransportExecError as error:
            last = "".join(error.error_output.strip().splitlines()[-1:])
            raise BoardError(f"The board at {self.name} says: {last}.", _board_hint(last)) from error
        except (TransportError, struct.error) as error:
            raise LinkLost(f"The board at {self.name} has stopped answering.", _WHERE) from error
        except LinkLost as error:
            raise LinkLost(error.what, _WHERE) from error


def _board_hint(text: str) -> str:
    if "ENOSPC" in text or "28" in text:
        return "Its file system is full: remove other files from the board, then run `sit flash` again."
    return _WHERE


class _Bytes:
    """A transport with the few methods of pyserial that mpremote uses."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        """Send all of it."""
        self._transport.send(bytes(data))
        return len(data)

    def read(self, size: int = 1) -> bytes:
        """As many bytes, fewer when they don't come in time."""
        return self.read_by(self._transport.now() + _READ_S, size)

    def read_by(self, deadline_s: float, size: int = 1) -> bytes:
        """As many bytes, fewer at the deadline of the transport's clock."""
        while len(self._held) < size and self._transport.now() < deadline_s:
            self._held += self._transport.wait(deadline_s)
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def inWaiting(self) -> int:
        """Bytes that are here."""
        self._held += self._transport.wait(self._transport.now())
        return len(self._held)

    def now(self) -> float:
        """The transport's clock."""
        return self._transport.now()


class _Mpremote(SerialTransport):  # type: ignore[misc]
    """mpremote's protocol on a transport that is open: its clock, none of its ports."""

    def __init__(self, transport: Transport) -> None:
        self.serial = _Bytes(transport)
        self.device_name = transport.name
        self.in_raw_repl = self.mounted = self.is_pty = False
        self.use_raw_paste = True

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = _READ_S,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """As mpremote has it, without its polling; a byte must come within `timeout`, the end within the other."""
        port = self.serial
        end_s = port.now() + (float("inf") if timeout_overall is None else timeout_overall)
        data = b""
        while not data.endswith(ending):
            byte = port.read_by(min(end_s, port.now() + (float("inf") if timeout is None else timeout)))
            if not byte:
                break
            if data_consumer is not None:
                data_consumer(byte)
                data = byte
            else:
                data += byte
        return data
