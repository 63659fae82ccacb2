"""The host's keys: files for this user alone, nothing of them in a log, a key written before the device gets it."""

import os
import stat
from pathlib import Path

import pytest
from sit_host import keys
from sit_host._gen import enums, messages
from sit_host.codec import encode_frame, signed_part
from sit_host.wirelog import WireLog

UID = b"DEVICE01"
KEY = bytes(range(16))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own."""
    monkeypatch.setenv("SIT_KEYS_DIR", str(tmp_path / "keys"))
    return tmp_path / "keys"


def store(key: bytes = KEY) -> Path:
    with keys.storing(UID, key):
        pass
    return keys.path_of(UID)


def test_a_key_is_this_users_alone(folder: Path) -> None:
    """Access: folder and file can be read by this user only; the key comes back as it was."""
    assert keys.load(UID) is None
    path = store()
    assert keys.load(UID) == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    keys.remove(UID)
    assert keys.load(UID) is None
    keys.remove(UID)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(mode: int) -> None:
    """Access: a key that may be known to others isn't used, and the sentence says what to do."""
    path = store()
    path.chmod(mode)
    with pytest.raises(keys.KeyFileError, match=r"isn't this user's alone.*sit pair"):
        keys.load(UID)


@pytest.mark.parametrize("text", [b"", b"00" * 15, b"00" * 17, b"zz" * 16, b"\xff" * 32])
def test_a_damaged_key_is_named(text: bytes) -> None:
    """Access: a file that holds no key gives one sentence with its path."""
    path = store()
    path.write_bytes(text)
    with pytest.raises(keys.KeyFileError, match=f"{path.name} is damaged"):
        keys.load(UID)


def test_a_pairing_that_fails_keeps_the_older_key(folder: Path) -> None:
    """Access: until the device has taken the new key the old one stays, and nothing is left lying about."""
    store()

    def pair() -> None:
        with keys.storing(UID, bytes(16)):
            raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        pair()
    assert keys.load(UID) == KEY
    assert [path.name for path in folder.iterdir()] == [keys.path_of(UID).name]


def test_a_folder_that_cant_be_written_is_told_before_the_device_is_asked(folder: Path) -> None:
    """Access: a device is never given a key that this host can't keep."""
    folder.write_text("a file where the folder should be")
    asked = []

    def pair() -> None:
        with keys.storing(UID, KEY):
            asked.append(1)

    with pytest.raises(keys.KeyFileError, match="can't be written"):
        pair()
    assert asked == []


def test_no_key_reaches_the_wire_log(tmp_path: Path) -> None:
    """Access: the log of frames names PAIR and SERVICE and shows neither their payload nor any MAC."""
    path = tmp_path / "wire.log"
    log = WireLog(path)
    mac = keys.signer(KEY, bytes(24))(b"")
    for message in (messages.Pair(KEY), messages.Service(enums.Service.OPEN, KEY), messages.Renew(2000)):
        log.sent(0.0, encode_frame(1, message.ID, message.pack(), session=5, mac=mac))
    log.close()
    text = path.read_text()
    assert text.count("16 bytes, not shown") == 1 and text.count("17 bytes, not shown") == 1
    assert "d007" in text, "other payloads are shown"
    assert KEY.hex() not in text and mac.hex() not in text


def test_keys_are_made_at_random_and_codes_for_one_device() -> None:
    """Access: two keys differ; the same code gives another key on another device."""
    assert keys.new_key() != keys.new_key()
    assert keys.code_key("a long code", UID) != keys.code_key("a long code", b"DEVICE02")
    assert os.path.basename(keys.path_of(UID)) == f"{UID.hex()}.key"


def test_the_pages_example_is_right() -> None:
    """Wire: the MAC that PROTOCOL.md shows is the one that this host makes."""
    page = (Path(__file__).resolve().parents[2] / "protocol" / "PROTOCOL.md").read_text()
    seed = keys.session_seed(b"DEVICE01", 3, 0x1234, bytes(range(0xA0, 0xA8)))
    mac = keys.signer(KEY, seed)(signed_part(7, messages.Renew.ID, messages.Renew(2000).pack(), session=0x1234))
    assert f"has the mac `{mac.hex(' ')}`" in page
