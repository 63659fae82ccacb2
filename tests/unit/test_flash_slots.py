"""The two slots: what the host makes of sit_slots.json, what the loader starts, how firmware lets itself end."""

import hashlib
import importlib.util
import json
import sys

import pytest
from appkit import Device, armed_device
from sit_build import bundle
from sit_firmware import codes, image
from sit_host.errors import PortError, SitError, UsageError
from sit_host.flash import base, find, install, slots
from sit_host.flash.install import WrongBoard
from sit_host.flash.port import SerialPort
from sit_host.flash.slots import Slots

ROWS = ((1, 1, 1, 1200, 10000),)
A, B = slots.SLOTS


@pytest.fixture
def loader(tmp_path, monkeypatch):
    """sit_slots.py on a board whose files lie in a folder; `resets` counts its resets."""
    spec = importlib.util.spec_from_file_location("sit_slots", bundle.FIRMWARE / "sit_slots.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    module.resets = 0

    def reset():
        module.resets += 1

    monkeypatch.setattr(module, "reset", reset)
    return module


def _slot(tmp_path, name, platform=sys.platform):
    folder = tmp_path / name / "sit_firmware"
    folder.mkdir(parents=True)
    (folder / "app.mpy").write_bytes(name.encode())
    files = {"sit_firmware/app.mpy": [len(name), hashlib.sha256(name.encode()).hexdigest()]}
    (tmp_path / name / slots.MANIFEST).write_text(json.dumps({"platform": platform, "files": files}))


@pytest.mark.parametrize(
    ("now", "written"),
    [(None, A), (Slots(A, 1), B), (Slots(B, 1, 0, A), A), (Slots(B, 0, 1, A), B), (Slots(A, 0), A)],
)
def test_the_healthy_slot_is_never_written(now, written):
    """Flash: an image goes to the slot that wasn't the last one found healthy, and falling back leads there."""
    assert slots.to_write(now) == written
    first = slots.before_writing(now) or now
    assert first is None or not first.good or first.active == first.good != written
    after = slots.switched(first, written)
    assert (after.active, after.confirmed) == (written, 0)
    assert after.before == (now.good if now else "")
    assert slots.parse(after.text()) == after


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"active":"x","confirmed":1,"tries":0,"before":""}', b"\xff"])
def test_a_state_that_cant_be_understood_is_none(data):
    """Flash: a damaged sit_slots.json counts as none."""
    assert slots.parse(data) is None


def test_the_loader_starts_what_is_whole_alone(loader, tmp_path):
    """Flash: a slot with a changed, missing or foreign file doesn't start; the confirmed one before does."""
    _slot(tmp_path, A)
    _slot(tmp_path, B)
    loader.write({"active": B, "confirmed": 1, "tries": 0, "before": A})
    assert loader.ready() and not loader.resets
    (tmp_path / B / "sit_firmware" / "app.mpy").write_bytes(b"slot_x")
    assert not loader.ready() and loader.resets == 1
    assert loader.read() == {"active": A, "confirmed": 1, "tries": 0, "before": ""}
    assert loader.ready()
    (tmp_path / A / "sit_firmware" / "app.mpy").unlink()
    assert not loader.ready() and loader.resets == 1, "nothing is left: it stays at the prompt"


def test_an_image_of_another_platform_doesnt_start(loader, tmp_path):
    """Flash: the loader itself refuses an image for another board."""
    _slot(tmp_path, A, platform="esp32")
    loader.write({"active": A, "confirmed": 1, "tries": 0, "before": ""})
    assert not loader.ready()


def test_tries_are_counted_before_the_start(loader, tmp_path):
    """Flash: each start of an unconfirmed firmware counts, so that one that hangs is given up too."""
    _slot(tmp_path, A)
    _slot(tmp_path, B)
    loader.write({"active": B, "confirmed": 0, "tries": 0, "before": A})
    assert [loader.ready() for _ in range(loader.MOST_TRIES + 1)] == [True] * loader.MOST_TRIES + [False]
    assert loader.read()["active"] == A and loader.resets == 1
    loader.failed()
    assert loader.resets == 1, "a confirmed firmware that fails isn't started over and over"


def test_a_firmware_that_fills_the_heap_is_given_up_too(loader, tmp_path, monkeypatch):
    """Flash: on trial it is started anew without reading anything; a manifest that fills the heap counts as damage."""
    _slot(tmp_path, A)
    _slot(tmp_path, B)
    loader.write({"active": B, "confirmed": 0, "tries": 0, "before": A})
    assert loader.ready()

    def full(*_):
        raise MemoryError

    with monkeypatch.context() as heap:
        heap.setattr(loader.json, "load", full)
        loader.failed()
        assert loader.resets == 1
        assert loader.damage(B) == "it isn't whole"


def test_the_prompt_comes_once(loader, tmp_path):
    """Flash: UPDATE leads to the prompt once; without slots a firmware beside main.py starts as it is."""
    loader.stay()
    assert loader.resets == 1
    assert not loader.ready()
    assert not loader.ready(), "there is no firmware"
    (tmp_path / "sit_firmware").mkdir()
    assert loader.ready()


def _update(dev):
    return dev.ask(codes.MSG_UPDATE).result


def test_update_ends_an_idle_firmware_after_its_reply():
    """UPDATE: an idle device answers, then ends; a host of another protocol may ask it too."""
    dev = Device()
    dev.run(100)
    dev.hello(schema=bytes(8))
    assert _update(dev) == 0
    dev.run(100)
    with pytest.raises(SystemExit):
        dev.run(1000)


def test_update_is_refused_while_armed_or_moving():
    """UPDATE: armed, injecting, with the needle out or something touching the nose-piece nothing ends."""
    dev = armed_device(ROWS, 1)
    assert _update(dev) == codes.REFUSED_BAD_STATE
    dev.app.session.disarm()
    dev.run(100)
    dev.board.pins_in[image.IN_ENC_UM] = 500
    dev.run(4)
    assert _update(dev) == codes.REFUSED_BAD_STATE
    dev.board.pins_in[image.IN_ENC_UM] = 0
    dev.board.pins_in[image.IN_CONTACT] = 1
    dev.run(4)
    assert _update(dev) == codes.REFUSED_STILL_CONTACT
    dev.run(2000)


def test_update_doesnt_cut_off_what_began_meanwhile():
    """UPDATE: work that began between the reply and the end goes on; the firmware stays."""
    dev = Device()
    dev.hello()
    dev.run(100)
    assert _update(dev) == 0
    dev.app.session.busy(True)
    dev.run(2000)


def test_ports_are_named_or_unmistakable(monkeypatch):
    """Flash: only a serial port takes firmware; none or several boards each give a sentence."""
    assert find.port_of("/dev/ttyACM7") == "/dev/ttyACM7"
    with pytest.raises(UsageError, match="over a serial port"):
        find.port_of("sim:")
    ports = []
    monkeypatch.setattr(find.list_ports, "comports", lambda: ports)
    with pytest.raises(PortError, match="No board"):
        find.port_of(None)
    with monkeypatch.context() as empty:
        empty.setattr(find, "drives", lambda: ["RPI-RP2"])
        with pytest.raises(PortError, match="waits as a drive"):
            find.port_of(None)
    port = type("Port", (), {"device": "/dev/ttyACM0", "vid": 0x2E8A})
    ports += [port, type("Port", (), {"device": "/dev/ttyS0", "vid": None})]
    assert find.port_of(None) == "/dev/ttyACM0"
    ports.append(type("Port", (), {"device": "/dev/ttyUSB0", "vid": 0x10C4}))
    with pytest.raises(UsageError, match="More than one"):
        find.port_of(None)


def test_a_base_file_tells_its_chip(tmp_path, monkeypatch):
    """Flash: a UF2 for another chip, or no firmware at all, is refused; an RP2040's goes onto its drive."""
    file = tmp_path / "base.uf2"
    head = (0x0A324655, 0x9E5D5157, 0, 0, 256, 0, 1)
    file.write_bytes(base._UF2.pack(*head, 0xE48BFF56))
    assert base.kind_of(file) == "rp2040"
    drive = tmp_path / "drives" / "RPI-RP2"
    drive.mkdir(parents=True)
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\r\nBoard-ID: RPI-RP2\r\n")
    assert find.drives([tmp_path / "drives"]) == [drive]
    monkeypatch.setattr(base, "drives", lambda: [drive])
    base.write(file, None)
    assert (drive / "base.uf2").read_bytes() == file.read_bytes()
    file.write_bytes(base._UF2.pack(*head, 0x12345678))
    with pytest.raises(UsageError, match="another chip"):
        base.kind_of(file)
    file.write_text("not firmware at all, but long enough to be read as a head")
    with pytest.raises(UsageError, match="neither"):
        base.kind_of(file)
    with pytest.raises(UsageError, match="There is no file"):
        base.kind_of(tmp_path / "none")


def test_a_base_goes_onto_its_own_chip_alone(tmp_path, monkeypatch):
    """Flash: MicroPython for another chip than the port's is refused before anything is sent."""
    image = tmp_path / "esp32.bin"
    image.write_bytes(b"\xe9" + bytes(100))
    pico = type("Port", (), {"device": "/dev/ttyACM0", "vid": 0x2E8A})
    monkeypatch.setattr(find.list_ports, "comports", lambda: [pico])
    with pytest.raises(WrongBoard, match="for esp32, on /dev/ttyACM0 there is an rp2040"):
        base.write(image, "/dev/ttyACM0")


ESPTOOL = """
import json, pathlib, sys
pathlib.Path(__file__).with_name("called.json").write_text(json.dumps(sys.argv[1:]))
sys.exit(len(sys.argv) < 5)
"""


def test_an_esp32_is_written_by_esptool(tmp_path, monkeypatch):
    """Flash: an ESP32's base goes to esptool with port, address and file; without esptool one sentence says so."""
    image = tmp_path / "esp32.bin"
    image.write_bytes(b"\xe9" + bytes(100))
    bridge = type("Port", (), {"device": "/dev/ttyUSB0", "vid": 0x10C4})
    monkeypatch.setattr(find.list_ports, "comports", lambda: [bridge])
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SitError, match="esptool isn't installed"):
        base.write(image, "/dev/ttyUSB0")
    (tmp_path / "esptool.py").write_text(ESPTOOL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: name)
    base.write(image, "/dev/ttyUSB0")
    called = json.loads((tmp_path / "called.json").read_text())
    assert called == ["--port", "/dev/ttyUSB0", "write-flash", "0x1000", str(image)]
    with pytest.raises(UsageError, match="through its port"):
        base.write(image, None)


@pytest.mark.parametrize(
    ("platform", "machine", "board"),
    [
        ("rp2", "Raspberry Pi Pico with RP2040", "rp2040"),
        ("rp2", "Raspberry Pi Pico2 with RP2350", ""),
        ("esp32", "Generic ESP32 module with ESP32", "esp32"),
        ("esp32", "Generic ESP32S3 module with ESP32S3", ""),
    ],
)
def test_a_chip_is_told_by_its_name(platform, machine, board):
    """Flash: a chip's sister on the same platform has other registers: that there is no firmware for it is said."""
    found = install.Found(platform, (1, 26, 1), 0, machine, None, {})
    assert found.board == board
    if not board:
        with pytest.raises(WrongBoard, match=f"no firmware for this board: {machine}"):
            install.board_of(found)


def test_a_board_that_comes_back_elsewhere_is_known_again(tmp_path, monkeypatch):
    """Flash: after a reset the board's port may have another name; another board on the old one isn't taken for it."""

    def plugged(**boards):
        found = [type("Port", (), {"device": device, "serial_number": serial}) for device, serial in boards.items()]
        monkeypatch.setattr("sit_host.transport.serial.list_ports.comports", lambda: found)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "acm0").touch()
    plugged(acm0="E660")
    board = SerialPort("acm0")
    plugged()
    with pytest.raises(PortError, match="another device"):
        assert board.name
    plugged(acm0="F770", acm1="E660")
    assert board.name == "serial:acm1"
