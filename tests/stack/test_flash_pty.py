"""`sit flash` over the real raw REPL: MicroPython's unix port on a pseudo-terminal, the real loader and firmware."""

import json
import shutil

import flashkit
import pytest
from sit_build import bundle
from sit_firmware import keys as device_keys
from sit_host import keys as host_keys
from sit_host.cli import run
from sit_host.errors import LinkLost
from sit_host.flash import health, install, slots
from sit_host.flash.flow import Flasher, RolledBack
from sit_host.flash.health import Unhealthy
from sit_host.flash.install import WrongBoard
from sit_host.flash.port import SerialPort
from sit_host.flash.repl import BoardError, Repl
from sit_sim.targets.pipe import find_micropython

pytestmark = pytest.mark.skipif(find_micropython() is None, reason="no MicroPython unix port for this platform")
sit_slots = flashkit.loader_module()
STATE = sit_slots.STATE


@pytest.fixture(autouse=True)
def _this_board(monkeypatch):
    monkeypatch.setitem(bundle.BOARDS, flashkit.UNIX.name, flashkit.UNIX)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The whole firmware, compiled for this board."""
    return bundle.build(flashkit.UNIX, flashkit.source(tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="module")
def installed(image, tmp_path_factory):
    """The files of a board on which the image runs and is confirmed."""
    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch, flashkit.UnixBoard(folder / "files") as board:
        patch.setitem(bundle.BOARDS, flashkit.UNIX.name, flashkit.UNIX)
        flasher = Flasher(SerialPort(board.path))
        assert flasher.write(lambda _: image) is image
        assert _state(board)["confirmed"] == 0
        flasher.confirm(image, selftest=True)
    return folder / "files"


@pytest.fixture
def board(installed, tmp_path):
    """A board on which the image runs and is confirmed."""
    shutil.copytree(installed, tmp_path / "files")
    with flashkit.UnixBoard(tmp_path / "files") as board:
        yield board


def _state(board):
    return json.loads((board.folder / STATE).read_text())


def _version(board):
    """The firmware that answers HELLO."""
    with health.connect(SerialPort(board.path), 20) as client:
        return client.device.firmware_version


class CutRepl(Repl):
    """A prompt that tells `at` before each thing it has the board do; `at` may raise, as a pulled cable does."""

    at = staticmethod(lambda what: None)

    def run(self, code):
        self.at("run")
        return super().run(code)

    def write(self, name, data):
        half = len(data) // 2
        self.at(name)
        super().write(name, data[:half])  # what a cut in the middle leaves
        self.at(f"half of {name}")
        super().write(name, data)
        self.at(f"after {name}")


def _write_small(folder, version, repl_class=Repl):
    with flashkit.UnixBoard(folder) as board, SerialPort(board.path).raw() as transport:
        repl = repl_class(transport)
        image = flashkit.small(version)
        found = install.look(repl)
        slot = install.write_image(repl, found, image, lambda *_: None)
        install.write_loader(repl, image)
        state = slots.confirmed(slots.switched(found.slots, slot))
        install.switch(repl, state)


def test_first_install_confirms_after_hello_and_self_test(installed):
    """First install: an empty board ends with the image confirmed, its self-test passed, nothing else started."""
    state = json.loads((installed / STATE).read_text())
    assert (state["active"], state["confirmed"], state["before"]) == ("slot_a", 1, "")
    assert not (installed / sit_slots.STAY).exists()


def test_cut_at_every_command_leaves_a_whole_firmware(tmp_path, monkeypatch):
    """Flash: before and in the middle of every file, and at every command, what would start is whole and one of two."""
    files = tmp_path / "files"
    _write_small(files, "1.0.0")
    _write_small(files, "2.0.0")
    seen = []

    def whole(what):
        state = sit_slots.read()
        assert state and sit_slots.damage(state["active"]) == "", what
        seen.append((what, state["active"]))

    monkeypatch.chdir(files)
    monkeypatch.setattr(CutRepl, "at", staticmethod(whole))
    _write_small(files, "3.0.0", CutRepl)
    whole("end")
    cut_in = {what for what, _ in seen if what.startswith("half of slot_a/")}
    assert len(cut_in) == len(flashkit.small("3.0.0").files)
    assert {slot for _, slot in seen[:-1]} == {"slot_b"}
    assert seen[-1][1] == "slot_a"


def test_a_cut_while_writing_starts_the_old_firmware(board, image, monkeypatch):
    """Flash: power lost in the middle of a file; the board starts the firmware it had, and it answers HELLO."""

    def cut(what):
        if what == "half of slot_b/sit_firmware/guard.mpy":
            board.power_cycle()
            raise LinkLost("cut")

    monkeypatch.setattr(CutRepl, "at", staticmethod(cut))
    with pytest.raises(LinkLost):
        Flasher(SerialPort(board.path), open_repl=CutRepl).write(lambda _: image, force=True)
    assert _version(board) == image.version
    assert _state(board) == {"active": "slot_a", "confirmed": 1, "tries": 0, "before": ""}


def _second_slot(board, confirmed):
    """The same firmware in the other slot too, which starts from now on."""
    _version(board)  # it has started: what is changed now is read at the next start
    shutil.copytree(board.folder / "slot_a", board.folder / "slot_b")
    state = slots.Slots("slot_b", confirmed=confirmed, before="slot_a")
    (board.folder / STATE).write_bytes(state.text())


def test_an_unconfirmed_firmware_starts_three_times_at_most(board, image):
    """Flash: the host dies after the switch; after three starts the board goes back by itself."""
    _second_slot(board, confirmed=0)
    for start in (1, 2, 3):
        board.power_cycle()
        _version(board)
        assert (_state(board)["active"], _state(board)["tries"]) == ("slot_b", start)
    board.power_cycle()
    assert _version(board) == image.version
    assert _state(board) == {"active": "slot_a", "confirmed": 1, "tries": 0, "before": ""}


def test_a_file_that_reads_back_otherwise_is_refused(board, image, monkeypatch):
    """Flash: a file corrupted on its way is noticed by the SHA-256 that the board takes; nothing is switched."""

    class Corrupting(Repl):
        def sha256(self, name):
            if name.endswith("guard.mpy") and (board.folder / name).exists():
                data = bytearray((board.folder / name).read_bytes())
                data[100] ^= 1
                (board.folder / name).write_bytes(data)
            return super().sha256(name)

    with pytest.raises(BoardError, match=r"guard\.mpy reads back"):
        Flasher(SerialPort(board.path), open_repl=Corrupting).write(lambda _: image, force=True)
    assert _state(board)["active"] == "slot_a"


def test_a_damaged_slot_never_starts(board, image):
    """Flash: a confirmed firmware that is damaged later isn't run; the one before is."""
    _second_slot(board, confirmed=1)
    file = board.folder / "slot_b" / "sit_firmware" / "guard.mpy"
    file.write_bytes(file.read_bytes()[:-1])
    board.power_cycle()
    assert _version(board) == image.version
    assert _state(board)["active"] == "slot_a"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("app", "raise RuntimeError('spoiled')"),
        ("guard", "def check(state, inputs, outputs, params):\n    raise ValueError"),
        ("app", "kept = []\nwhile True:\n    kept.append(bytearray(64))"),
    ],
    ids=["does not load", "fails in the tick", "fills the heap"],
)
def test_an_unhealthy_firmware_is_rolled_back(board, image, module, text):
    """Flash: a firmware that doesn't start, or faults, isn't confirmed; the one before runs again with its ledger."""
    before = _ledger(board)
    flasher = Flasher(SerialPort(board.path))
    spoiled = flasher.write(lambda _: flashkit.changed(image, module, text))
    with pytest.raises((RolledBack, Unhealthy)) as caught:
        flasher.confirm(spoiled, selftest=False)
    assert isinstance(caught.value, RolledBack)
    assert _state(board)["active"] == "slot_a"
    after = _ledger(board)
    assert after.uid == before.uid and after.ledger_head >= before.ledger_head and after.boot_count > before.boot_count


def _ledger(board):
    with health.connect(SerialPort(board.path), 20) as client:
        return health.kept(client)


def test_the_wrong_board_is_refused(board, image):
    """Flash: an image for another board, or another architecture, isn't written."""
    with Flasher(SerialPort(board.path)).prompt() as repl:
        found = install.look(repl)
        with pytest.raises(WrongBoard, match="this board is rp2040"):
            install.board_of(found, "esp32")
        arm = bundle.Board("rp2040", "linux", "armv6m", "thumb")
        with pytest.raises(WrongBoard, match="compiled for armv6m"):
            install.refuse(found, bundle.Image(arm, image.version, image.files, image.loader))
        with pytest.raises(WrongBoard, match=r"needs 1\.26"):
            install.refuse(install.Found("linux", (1, 25, 0), found.mpy, "", None, {}), image)
    assert not (board.folder / "slot_b").exists()


def test_check_dry_run_and_rollback(board, capsys, monkeypatch, image):
    """Flash: --check hashes on the board, --dry-run says what would be written, --rollback needs something before."""
    monkeypatch.setattr("sit_build.bundle.build", lambda board: image)
    assert run(["flash", "--target", board.path, "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True
    assert run(["flash", "--target", board.path, "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["slot"], told["files"], told["running"]) == ("slot_b", len(image.files), image.version)
    assert run(["flash", "--target", board.path, "--rollback", "--yes"]) == 1
    assert "no firmware to go back to" in capsys.readouterr().err
    (board.folder / "slot_a" / "sit_firmware" / "app.mpy").write_bytes(b"")
    board.power_cycle()
    assert run(["flash", "--target", board.path, "--check", "--json"]) == 1
    assert "sit_firmware/app.mpy" in json.loads(capsys.readouterr().out)["slots"][0]["files"]


def test_a_paired_device_asks_for_the_key(board, image, capsys, monkeypatch, tmp_path):
    """Flash: a paired device is taken to the prompt by its paired host alone; any other gets one sentence, exit 1."""
    monkeypatch.setenv("SIT_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setattr("sit_build.bundle.build", lambda board: image)
    uid = _ledger(board).uid
    store = bytearray((board.folder / "fram.bin").read_bytes())
    key = host_keys.new_key()
    device_keys.Keys(flashkit.Bytes(store)).keep(key, device_keys.NO_KEY)
    (board.folder / "fram.bin").write_bytes(store)
    board.power_cycle()
    _version(board)
    for options in ([], ["--check"], ["--dry-run"], ["--rollback"]):
        assert run(["flash", "--target", board.path, "--yes", *options]) == 1
        told = capsys.readouterr().err
        assert told.count("sit: ") == 1 and "sit pair" in told
    with host_keys.storing(uid, key):
        pass
    assert run(["flash", "--target", board.path, "--yes", "--force", "--no-selftest"]) == 0
    assert _state(board) == {"active": "slot_b", "confirmed": 1, "tries": 0, "before": "slot_a"}
    assert run(["flash", "--target", board.path, "--yes", "--rollback"]) == 0
    assert _state(board)["active"] == "slot_a"
