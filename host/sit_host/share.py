"""One process owns a port; others reach the device through it.

`PortLock` is a lock file in a per-user folder, keyed by the port itself (not by how it was spelled). Beside it
lie a note of who owns it and a local socket (0600) on which the owner relays STOP, DISARM and reads for others:
see `relay`. The system drops the lock when its process ends, however it ends; a note or socket left behind is
removed by the next owner.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import stat
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sit_host.errors import PortBusy, PortError

_SOCKET_PATH_MAX = 100  # the system's limit for a local socket's path is about 104


@dataclass(frozen=True)
class Owner:
    """Who owns a port: process id, its command line, its socket ("" when it shares nothing)."""

    pid: int
    command: str
    socket_path: str


class PortLock:
    """Exclusive ownership of one port, for as long as this object is not released."""

    def __init__(self, name: str, command: str = "") -> None:
        """Take the lock. Raises PortBusy naming the owner, PortError when the lock folder can't be used."""
        self.name = name
        self.command = command or command_line()
        base = _runtime_dir() / _key(name)
        self._note = base.with_suffix(".json")
        self.socket_path = str(base.with_suffix(".sock"))
        self._lock = FileLock(str(base.with_suffix(".lock")), mode=0o600)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise busy_error(name, owner_of(name)) from None
        except OSError as error:
            raise PortError(
                f"The lock of {name} can't be taken: {error}.", f"Check the folder {base.parent}."
            ) from error
        self._remove_leavings()
        self._write_note(shares=False)

    def announce(self, shares: bool) -> None:
        """Say in the note whether the socket is being served."""
        self._write_note(shares)

    def release(self) -> None:
        """Give the port back. May be called twice."""
        if self._lock.is_locked:
            self._remove_leavings()
            self._lock.release()

    def __enter__(self) -> PortLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _remove_leavings(self) -> None:
        for path in (self.socket_path, str(self._note)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _write_note(self, shares: bool) -> None:
        note = {
            "pid": os.getpid(),
            "command": self.command,
            "name": self.name,
            "socket": self.socket_path if shares else "",
        }
        fresh = self._note.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps(note), encoding="utf-8")
        os.replace(fresh, self._note)


def owner_of(name: str) -> Owner | None:
    """Return who owns port `name`, None when nobody says so."""
    note = (_runtime_dir() / _key(name)).with_suffix(".json")
    try:
        data = json.loads(note.read_text(encoding="utf-8"))
        owner = Owner(int(data["pid"]), str(data["command"]), str(data["socket"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return owner if _alive(owner.pid) else None


def busy_error(name: str, owner: Owner | None) -> PortBusy:
    """Return the one sentence for a port that somebody else owns."""
    if owner is None:
        return PortBusy(f"{name} is in use by another process of this computer.", "End it, then try again.")
    return PortBusy(
        f"{name} is in use by process {owner.pid}: {owner.command}.",
        "`sit stop`, `sit info` and `sit monitor` work beside it; for anything else end that process first.",
        pid=owner.pid,
        command=owner.command,
    )


def connect_owner(name: str, timeout_s: float = 1.0) -> socket.socket:
    """Connect to the owner of port `name`. Raises PortBusy when it cannot be reached."""
    owner = owner_of(name)
    if owner is None or not owner.socket_path:
        raise busy_error(name, owner)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(owner.socket_path)
    except OSError:
        connection.close()
        raise busy_error(name, owner) from None
    return connection


def listen(lock: PortLock) -> socket.socket:
    """Return a listening local socket of the owner, for this user only. Raises OSError when there are none."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(lock.socket_path)
    finally:
        os.umask(before)
    os.chmod(lock.socket_path, 0o600)
    listener.listen(8)
    return listener


def command_line() -> str:
    """Return how this process was called, short enough for a sentence."""
    words = [os.path.basename(sys.argv[0] or "python"), *sys.argv[1:]]
    text = " ".join(words)
    return text if len(text) <= 80 else text[:77] + "..."


def canonical(name: str) -> str:
    """Return one spelling for all names of a port: links followed, host names as addresses."""
    scheme, _, place = name.partition(":")
    if scheme == "serial":
        return f"serial:{os.path.realpath(place)}" if place.startswith("/") else f"serial:{place.upper()}"
    if scheme == "tcp":
        host, _, port = place.rpartition(":")
        try:
            address = str(socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, ValueError):
            address = host
        return f"tcp:{'127.0.0.1' if address == '::1' else address}:{port}"
    return name


def _alive(pid: int) -> bool:
    """Return False for a process that has ended without removing its note."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def _key(name: str) -> str:
    return hashlib.sha256(canonical(name).encode()).hexdigest()[:16]


def _runtime_dir() -> Path:
    """Return the per-user folder of locks and sockets, made if need be, nobody else's to write."""
    import platformdirs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a system without XDG_RUNTIME_DIR is no news to a user
        path = Path(os.environ.get("SIT_RUNTIME_DIR") or platformdirs.user_runtime_dir("opensit", ensure_exists=False))
    if len(str(path)) > _SOCKET_PATH_MAX - 24:
        path = Path(tempfile.gettempdir()) / f"opensit-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise PortError(
            f"The folder for port locks {path} can't be made: {error.strerror}.", "Set XDG_RUNTIME_DIR."
        ) from error
    if hasattr(os, "getuid"):
        if found.st_uid != os.getuid() or path.is_symlink():
            raise PortError(f"The folder for port locks {path} belongs to somebody else.", "Set XDG_RUNTIME_DIR.")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path
