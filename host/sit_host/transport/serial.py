"""`serial:` - a device on a serial port, a USB port or a pseudo-terminal, opened for this process alone."""

from __future__ import annotations

import errno
import os
import sys
import time

import serial
from serial.tools import list_ports

from sit_host.errors import PortBusy, PortError, UsageError
from sit_host.transport.handle import CHUNK, WRITE_TIMEOUT_S, HandleTransport
from sit_host.transport.url import TargetUrl, int_option, take_option

DEFAULT_BAUD = 115200  # USB devices ignore it


class SerialTransport(HandleTransport[serial.Serial]):
    """A serial port."""

    look = "Check cable and power, then connect again."

    def __init__(self, url: TargetUrl) -> None:
        """Open the port. Raises PortError or PortBusy with a sentence that says what to do."""
        take_option(url, ("baud",))
        if not url.place:
            raise UsageError("The target serial: names no port.", "Use serial:/dev/ttyACM0; `sit ports` lists ports.")
        self._path = url.place
        self.baud = int_option(url, "baud", DEFAULT_BAUD, 300, 4_000_000)
        self._usb_serial = usb_serial_of(self._path)
        super().__init__(f"serial:{self._path}", _open(self._path, self.baud))

    def send(self, data: bytes) -> None:
        port = self._alive()
        try:
            port.write(data)
        except serial.SerialTimeoutException as error:
            raise self._lost("it takes no more bytes") from error
        except OSError as error:
            raise self._lost("it is gone") from error

    def wait(self, deadline_s: float) -> bytes:
        if os.name != "nt":
            return super().wait(deadline_s)
        port = self._alive()
        try:
            return _wait_polling(port, deadline_s)
        except (OSError, TypeError, ValueError) as error:
            raise self._lost("it is gone") from error

    def _read(self, handle: serial.Serial) -> bytes:
        return os.read(handle.fileno(), CHUNK)

    def _open_again(self, left_s: float) -> serial.Serial:
        path = find_again(self._path, self._usb_serial)
        port = _open(path, self.baud)
        self._path = path
        return port


def _wait_polling(port: serial.Serial, deadline_s: float) -> bytes:
    """Wait by read timeouts: select works on sockets only on this system."""
    port.timeout = max(0.0, min(0.05, deadline_s - time.monotonic()))
    first = port.read(1)
    return bytes(first) + bytes(port.read(port.in_waiting)) if first else b""


def _open(path: str, baud: int) -> serial.Serial:
    try:
        port = serial.Serial(
            path, baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=None if os.name == "nt" else True
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
