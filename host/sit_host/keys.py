"""This host's keys of paired devices: one file each, for this user alone; and what is made from them.

A file holds 32 hexadecimal digits and is named after the device's id. The folder is `keys` in the user's data folder,
or $SIT_KEYS_DIR. A file that others can read is refused. Keys are never printed, logged or put on a command line.
The derivations are those of protocol/PROTOCOL.md, *Pairing*; the firmware has its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from sit_host.errors import SitError

KEY_BYTES = 16
MAC_BYTES = 8
NO_KEY = bytes(KEY_BYTES)
_SESSION_LABEL = b"OpenSIT session"
_SERVICE_LABEL = b"OpenSIT service"
_CODE_LABEL = b"OpenSIT code"
_CODE_ROUNDS = 200_000  # makes guessing a short code from a proof heard on the line slow


class KeyFileError(SitError):
    """A key can't be read or written, or others could have read it."""


def new_key() -> bytes:
    """Return a key made at random."""
    return secrets.token_bytes(KEY_BYTES)


# --- files -------------------------------------------------------------------------------------------


def path_of(uid: bytes) -> Path:
    """Return where this host keeps the key of the device with this id."""
    import platformdirs

    base = os.environ.get("SIT_KEYS_DIR")
    folder = Path(base) if base else Path(platformdirs.user_data_dir("opensit")) / "keys"
    return folder / f"{uid.hex()}.key"


def load(uid: bytes) -> bytes | None:
    """Return the key of this device, None when this host isn't paired with it. Raises KeyFileError."""
    path = path_of(uid)
    try:
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            text = file.read(4 * KEY_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyFileError(f"The key {path} can't be read: {error.strerror}.", "Mend its permissions.") from error
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"The key {path} is damaged.", "Remove the file, then `sit pair` anew.")
    return key


@contextlib.contextmanager
def storing(uid: bytes, key: bytes) -> Iterator[None]:
    """Write the key beside an older one first, have the body done, then put it in the old one's place.

    A body that raises leaves the older key; so a device is never given a key that this host can't keep.
    Raises KeyFileError.
    """
    path = path_of(uid)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # made for this user alone from the first byte on, and never through a link that was put there
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.hex().encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyFileError(f"The key {path} can't be written: {error.strerror}.", "Set SIT_KEYS_DIR.") from error
    try:
        yield
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def remove(uid: bytes) -> None:
    """Forget the key of this device, if there is one. Raises KeyFileError."""
    path = path_of(uid)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KeyFileError(f"The key {path} can't be removed: {error.strerror}.", "Remove it by hand.") from error


def _check_owner(path: Path, found: os.stat_result) -> None:
    """Refuse a key that others may have read or put there; only where the system tells."""
    if not hasattr(os, "getuid"):
        return
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyFileError(
            f"The key {path} isn't this user's alone: others can read or change it.",
            "Remove the file, then `sit pair` anew: the old key may be known to others.",
        )


# --- what is made from keys --------------------------------------------------------------------------


def session_seed(uid: bytes, boot_count: int, host_nonce: int, device_nonce: bytes) -> bytes:
    """Return what the keys of one session follow from."""
    return uid + struct.pack("<II", boot_count, host_nonce) + device_nonce


def signer(key: bytes, seed: bytes) -> Callable[[bytes], bytes]:
    """Return the function that makes the MAC of header and payload in one session."""
    session_key = hmac.digest(key, _SESSION_LABEL + seed, "sha256")
    return lambda signed: hmac.digest(session_key, signed, "sha256")[:MAC_BYTES]


def code_key(code: str, uid: bytes) -> bytes:
    """Return the key of a service code for the device with this id."""
    return hashlib.pbkdf2_hmac("sha256", code.encode(), _CODE_LABEL + uid, _CODE_ROUNDS, KEY_BYTES)


def service_proof(code: bytes, seed: bytes) -> bytes:
    """Return the proof, good in one session, that this host knows the code with this key."""
    return hmac.digest(code, _SERVICE_LABEL + seed, "sha256")[:KEY_BYTES]
