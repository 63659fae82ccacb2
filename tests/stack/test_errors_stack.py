"""Errors that need the whole device: a full ledger, damaged records, a store that fails, a fault: each one sentence."""

import json

import pytest
import steps
from flashkit import Bytes
from sit_firmware import image, params
from sit_firmware.ledger import Ledger
from sit_firmware.store.layout import CALIBRATION_ADDR, SETTINGS_ADDR, SLOT_BYTES, Layout
from sit_host import cli
from sit_host._gen import messages
from sit_host._gen.enums import Fault, Ready, Record
from sit_host.outcome import Refused, expect


@pytest.fixture
def sit(capsys, target_spec, tmp_path):
    """Runs a command line on a simulated device that keeps its store in `tmp_path`: (exit code, output, errors)."""

    def run(*args):
        code = cli.run([*args, "--target", target_spec, "--hand", "none", "--state", str(tmp_path)])
        return code, *capsys.readouterr()

    return run


def sentence(errors):
    """The one line that tells the error."""
    lines = [line for line in errors.splitlines() if line.startswith("sit: ")]
    assert len(lines) == 1 and "Traceback" not in errors, errors
    return lines[0]


def image_of(folder):
    """The bytes of a store folder."""
    return bytearray((folder / "store.bin").read_bytes())


def _params():
    """A parameter block, as the ledger reads it when it resolves a shot."""
    block = image.new()[3]
    params.defaults(block)
    return block


def fill_ledger(folder, leave):
    """Fill the ledger of a store folder with records that no host has saved, but for `leave`."""
    data = image_of(folder)
    ledger = Ledger(Bytes(data), Layout(len(data)), _params())
    ledger.open(600)
    while ledger.room() > leave:
        ledger.append(Record.CLEAR)
    (folder / "store.bin").write_bytes(data)


@pytest.mark.parametrize("where", [SETTINGS_ADDR, CALIBRATION_ADDR], ids=["settings", "calibration"])
def test_damaged_settings(sit, tmp_path, where):
    """Error: both copies of a record damaged: `sit settings` fails in one sentence, nothing can be armed."""
    assert sit("settings")[0] == 0
    data = image_of(tmp_path)
    for copy in (0, 1):
        data[where + copy * SLOT_BYTES + 10] ^= 0x5A
    (tmp_path / "store.bin").write_bytes(data)
    code, out, errors = sit("settings", "--json")
    assert code == 1 and "damaged" in sentence(errors)
    assert json.loads(out)["source"] == "damaged"
    code, out, _ = sit("info", "--json")
    assert code == 0 and "SETTINGS" in [item["name"] for item in json.loads(out)["missing"]]


def test_a_full_ledger(sit, tmp_path):
    """Error: a full ledger refuses in one sentence that says how to make room; doing that does."""
    assert sit("info")[0] == 0
    fill_ledger(tmp_path, leave=4)
    code, _, errors = sit("prime", "--yes")
    assert code == 1 and "no room" in sentence(errors) and "`sit log list --save`" in errors
    code, out, _ = sit("info", "--json")
    found = json.loads(out)
    assert "LEDGER" in [item["name"] for item in found["missing"]]
    assert sit("log", "list", "--save", str(tmp_path / "saved"), "--json")[0] == 0
    assert "LEDGER" not in [item["name"] for item in json.loads(sit("info", "--json")[1])["missing"]]
    assert sit("prime", "--yes")[0] == 0


def test_a_full_ledger_refuses_arming(open_device, tmp_path):
    """Invariant 4: without room for the records of its shots a table can't be armed."""
    first = open_device(hand="none", state_dir=tmp_path)
    first.close()
    fill_ledger(tmp_path, leave=40)
    client = open_device(hand="auto", state_dir=tmp_path)
    steps.make_ready(client)
    steps.load(client, steps.rows(30))
    assert not expect(client.status()).header.ready & Ready.LEDGER
    outcome = client.arm(2000, 0, 30)
    assert isinstance(outcome, Refused) and outcome.name == "LEDGER_FULL"


def test_a_store_that_fails(open_device):
    """Error: a record that can't be written latches a fault; nothing more moves until the store is mended."""
    client = open_device(hand="none")
    client.transport.control({"do": "store", "kind": "write"})
    client.run(messages.Prime(2000), 10)
    status = expect(client.status())
    assert status.header.fault == Fault.STORE
    before = client.transport.truth()["plunger_steps"]
    outcome = client.run(messages.Prime(2000), 10)
    assert isinstance(outcome, Refused)
    refused = client.clear_fault(Fault.STORE)
    assert isinstance(refused, Refused) and refused.name == "CAUSE_REMAINS"
    assert client.transport.truth()["plunger_steps"] == before
    client.transport.control({"do": "store", "count": 0})
    expect(client.clear_fault(Fault.STORE))


def test_a_fault_and_its_end(open_device):
    """Error: with a fault latched work is refused; it is cleared only once its cause has gone."""
    client = open_device(hand="none")
    client.transport.control({"do": "hand", "action": "estop"})
    client.sleep(0.1)
    status = expect(client.status())
    assert status.header.fault
    outcome = client.run(messages.Selftest(), 10)
    assert isinstance(outcome, Refused)
    refused = client.clear_fault(status.header.fault)
    assert isinstance(refused, Refused) and refused.name == "CAUSE_REMAINS"
    client.transport.control({"do": "hand", "action": "estop_release"})
    client.sleep(0.1)
    expect(client.clear_fault(status.header.fault))
    client.sleep(0.1)
    assert not expect(client.status()).header.fault
