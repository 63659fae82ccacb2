"""`sit flash` on the emulated RP2040: the whole firmware onto an empty board, over its USB port, started and confirmed.

One board is flashed; every other test goes on with a copy of it, where it then was.
"""

import contextlib
import json
import os
import shutil

import flashkit
import pytest
from branches import branch
from sit_build import bundle
from sit_firmware import calibration, settings
from sit_host.cli import flash as command
from sit_host.cli import run
from sit_host.errors import EXIT_OK, LinkLost
from sit_host.flash import health
from sit_host.flash.flow import Flasher, RolledBack
from sit_host.flash.port import SimPort
from sit_host.flash.repl import Repl
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_host.transport.sim import SimTransport
from sit_sim.targets import open_target
from sit_sim.targets.emu import EmuProcess

START_S = 30.0
NEWER = "9.9.9"
LIMITS = {"max_shot_nl": 23000}
MEASURED = {"bore_um": 4711, "calibrated_unix_s": 1_800_000_000}


def keep(values, fields, changed):
    """Write settings or calibration as the device would."""
    values.save(0, [changed.get(field[0], field[1]) for field in fields])


@pytest.fixture(scope="module")
def port(formatted):
    """An empty board whose FRAM has been in use: limits set, a syringe measured."""
    store = flashkit.Bytes(bytearray(formatted))
    keep(settings.Settings(store), settings.FIELDS, LIMITS)
    keep(calibration.Calibration(store), calibration.FIELDS, MEASURED)

    def process(fram):
        fram.data[:] = store.data
        return EmuProcess(os.environ["SIT_UF2"], empty=True)

    with open_target("emu:", hand="none", process=process) as target:
        yield SimPort(SimTransport(target, "emu:"))


@pytest.fixture(scope="module")
def installed(port):
    """The board after its first `sit flash`: what the command told, and what the device says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "_port", lambda *_: port)
        code = run(["flash", "--target", "emu:", "--yes", "--json"])
    assert code == EXIT_OK
    return told(port)


def told(port):
    """What the firmware that runs says: version, settings and calibration, records."""
    with health.connect(port, START_S) as client:
        values = expect(client.settings_read())
        kept = {name: getattr(values, name) for name in (*LIMITS, *MEASURED)}
        return {
            "version": client.device.firmware_version,
            "kept": kept,
            "records": [entry.raw.hex() for entry in read_records(client)],
        }


def slots_of(port):
    """sit_slots.json as the board has it."""
    with Flasher(port).prompt() as repl:
        state = json.loads(repl.read("sit_slots.json"))
        repl.reset()
    return state


def after_a_cut(port):
    """Power is lost here and comes back, and a host sends Ctrl-C among its bytes at once: what then runs."""
    port.control({"do": "power", "off_ms": 20})
    for _ in range(4):
        port.pause()
        with contextlib.suppress(LinkLost), port.raw() as wire:
            wire.send(b"\3" * 8)
    return told(port)


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """The same firmware under another version."""
    source = tmp_path_factory.mktemp("newer") / "firmware"
    shutil.copytree(bundle.FIRMWARE, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    file = source / bundle.PACKAGE / "version.py"
    lines = [
        f'VERSION = "{NEWER}"' if line.startswith("VERSION = ") else line for line in file.read_text().splitlines()
    ]
    file.write_text("\n".join(lines) + "\n")
    return bundle.build(bundle.BOARDS["rp2040"], source)


def test_first_install(port, installed):
    """Flash: the whole firmware onto an empty board; it starts, passes its self-test, is confirmed, keeps the FRAM."""
    assert installed["kept"] == {**LIMITS, **MEASURED}
    assert branch(lambda: slots_of(port))() == {"active": "slot_a", "confirmed": 1, "tries": 0, "before": ""}


class Watched(Repl):
    """A prompt that tells `at` where it is: in the middle of a file of the firmware, before the switch."""

    at = staticmethod(lambda what: None)

    def write(self, name, data):
        if name.endswith(".mpy"):
            super().write(name, data[: len(data) // 2])
            self.at("half of a file")
        super().write(name, data)

    def run(self, code):
        if "os.rename('sit_slots.json.new'" in code:
            self.at("before the switch")
        return super().run(code)


def upgrade(port, newer):
    """`sit flash` of another version; at three moments a copy of the board loses its power."""
    cuts = {}

    def at(what):
        if what not in cuts:
            cuts[what] = branch(lambda: after_a_cut(port))

    Watched.at = staticmethod(at)
    flasher = Flasher(port, open_repl=Watched, start_s=START_S)
    flasher.write(lambda _: newer)
    cuts["after the switch"] = branch(lambda: after_a_cut(port))
    flasher.confirm(newer, selftest=False)
    return told(port), slots_of(port), {what: end() for what, end in cuts.items()}


def spoil(port, newer):
    """`sit flash` of an image that raises while it starts."""
    image = flashkit.changed(newer, "app", "raise RuntimeError('spoiled')", bundle.BOARDS["rp2040"])
    flasher = Flasher(port, start_s=START_S)
    flasher.write(lambda _: image)
    with pytest.raises(RolledBack):
        flasher.confirm(image, selftest=False)
    return told(port)


@pytest.fixture(scope="module")
def ends(port, installed, newer):
    """Both go on with a copy of the board, at the same time."""
    return {work: branch(lambda work=work: work(port, newer)) for work in (upgrade, spoil)}


def test_upgrade_and_three_cuts(installed, ends):
    """Flash: an upgrade keeps the FRAM; power lost in a file, before and after the switch leaves one that starts."""
    after, slots, cuts = ends[upgrade]()
    assert (after["version"], after["kept"]) == (NEWER, installed["kept"])
    assert slots == {"active": "slot_b", "confirmed": 1, "tries": 0, "before": "slot_a"}
    versions = {what: cut["version"] for what, cut in cuts.items()}
    old = installed["version"]
    assert versions == {"half of a file": old, "before the switch": old, "after the switch": NEWER}
    for found in (after, *cuts.values()):
        assert found["kept"] == installed["kept"]
        assert found["records"][: len(installed["records"])] == installed["records"]


def test_an_unhealthy_image_is_rolled_back(installed, ends):
    """Flash: a firmware that doesn't start is given up by the board itself; the one before runs, the FRAM as it was."""
    after = ends[spoil]()
    assert (after["version"], after["kept"]) == (installed["version"], installed["kept"])
    assert after["records"][: len(installed["records"])] == installed["records"]
