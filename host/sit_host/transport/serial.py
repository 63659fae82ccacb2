"""`serial:` - a device on a serial port, a USB port or a pseudo-terminal, opened for this process alone."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
import time

import serial
from serial.tools import list_ports

from sit_host.errors import LinkLost, PortBusy, PortError, UsageError
from sit_host.transport.base import retry
from sit_host.transport.url import TargetUrl, int_option, take_option

DEFAULT_BAUD = 115200  # USB devices ignore it
_CHUNK = 4096
_WRITE_TIMEOUT_S = 2.0


class SerialTransport:
    """A serial port. Its clock is the monotonic wall clock."""

    def __init__(self, url: TargetUrl) -> None:
        """Open the port. Raises PortError or PortBusy with a sentence that says what to do."""
        take_option(url, ("baud",))
        if not url.place:
            raise UsageError("The target serial: names no port.", "Use serial:/dev/ttyACM0; `sit ports` lists ports.")
        self._path = url.place
        self.baud = int_option(url, "baud", DEFAULT_BAUD, 300, 4_000_000)
        self.name = f"serial:{self._path}"
        self._watched: int | None = None
        self._usb_serial = usb_serial_of(self._path)
        self._port: serial.Serial | None = _open(self._path, self.baud)

    def now(self) -> float:
        return time.monotonic()

    def send(self, data: bytes) -> None:
        port = self._alive()
        try:
            port.write(data)
        except serial.SerialTimeoutException as error:
            raise self._lost("it takes no more bytes") from error
        except (serial.SerialException, OSError) as error:
            raise self._lost("it is gone") from error

    def wait(self, deadline_s: float) -> bytes:
        port = self._alive()
        try:
            if os.name == "nt":
                return _wait_polling(port, deadline_s)
            fds = [port.fileno()] + ([] if self._watched is None else [self._watched])
            ready, _, _ = select.select(fds, [], [], max(0.0, deadline_s - time.monotonic()))
            if port.fileno() not in ready:
                return b""
            data = os.read(port.fileno(), _CHUNK)
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            # pyserial raises TypeError when the port is closed under it
            raise self._lost("it is gone") from error
        if not data:
            raise self._lost("the other side closed it")
        return data

    def watch(self, fd: int | None) -> None:
        self._watched = fd

    def reopen(self, deadline_s: float) -> None:
        self.close()
        self._port = retry(self.name, deadline_s, self._open_again)

    def _open_again(self, left_s: float) -> serial.Serial:
        path = find_again(self._path, self._usb_serial)
        port = _open(path, self.baud)
        self._path = path
        return port

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(Exception):
                port.close()

    def _alive(self) -> serial.Serial:
        if self._port is None:
            raise LinkLost(f"The connection to {self.name} is closed.", "Connect again.")
        return self._port

    def _lost(self, why: str) -> LinkLost:
        self.close()
        return LinkLost(f"The connection to {self.name} was lost: {why}.", "Check cable and power, then connect again.")


def _wait_polling(port: serial.Serial, deadline_s: float) -> bytes:
    """Wait by read timeouts: select works on sockets only on this system."""
    port.timeout = max(0.0, min(0.05, deadline_s - time.monotonic()))
    first = port.read(1)
    return bytes(first) + bytes(port.read(port.in_waiting)) if first else b""


def _open(path: str, baud: int) -> serial.Serial:
    try:
        port = serial.Serial(
            path, baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=None if os.name == "nt" else True
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise explain_open_error(path, error) from error
    port.reset_input_buffer()
    return port


def explain_open_error(path: str, error: Exception) -> PortError:
    """Turn what the system said while opening `path` into one sentence and what to do."""
    number = getattr(error, "errno", None)
    text = str(error).lower()
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in text:
        return PortBusy(f"The port {path} is in use by another program.", "Close that program, then try again.")
    if number in (errno.EACCES, errno.EPERM) or "permission" in text or "access is denied" in text:
        return PortError(f"No permission to open the port {path}.", _permission_hint(path))
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or "filenotfound" in text:
        return PortError(f"There is no port {path}.", "Plug the device in; `sit ports` lists the ports that exist.")
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "could not configure" in text:
        return PortError(f"{path} isn't a serial port.", "`sit ports` lists the ports that exist.")
    return PortError(f"The port {path} can't be opened: {error}.", "`sit ports` lists the ports that exist.")


def _permission_hint(path: str) -> str:
    if not sys.platform.startswith("linux"):
        return "Close programs that use it, or ask the owner of this computer for access to serial ports."
    try:
        import grp

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        group = "dialout"
    return f"Run `sudo usermod -aG {group} $USER`, then log out and in again."


def usb_serial_of(path: str) -> str:
    """Return the USB serial number of the device behind `path`, "" when it has none."""
    real = os.path.realpath(path)
    for port in list_ports.comports():
        if os.path.realpath(port.device) == real and port.serial_number:
            return str(port.serial_number)
    return ""


def find_again(path: str, usb_serial: str) -> str:
    """Return where the same device is now: a replugged one may come back under another name."""
    if usb_serial and usb_serial_of(path) != usb_serial:
        for port in list_ports.comports():
            if port.serial_number == usb_serial:
                return str(port.device)
        if os.path.exists(path):
            raise PortError(
                f"The port {path} now belongs to another device.", f"Plug in the one with USB serial {usb_serial}."
            )
    return path
