"""`sit` against a scripted device: exit codes, one JSON value, questions without a terminal, one sentence per error."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sit_host import cli, device_link
from sit_host._gen import messages
from sit_host._gen.enums import Alarm, Event, Fault, Ready, Refusal, State
from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.connect import open_client
from sit_host.describe import SETTINGS_DAMAGED
from sit_host.testing import ScriptedDevice, header, make, served

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs local sockets")


class Ran(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


Sit = Callable[..., Ran]


@pytest.fixture
def sit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, runtime_dir: Path) -> Sit:
    """Runs a command line, without a terminal."""
    monkeypatch.setenv("SIT_RUNTIME_DIR", str(runtime_dir))
    monkeypatch.delenv("SIT_TARGET", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*args: str) -> Ran:
        code = cli.run(list(args))
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, sit: Sit) -> Iterator[ScriptedDevice]:
    """A scripted device that SIT_TARGET points at."""
    scripted = ScriptedDevice()
    scripted.answer(messages.EventsRead, lambda request: _no_events(scripted))
    # time is the wall's here: don't be as patient as with a real device
    monkeypatch.setattr(device_link, "REPLY_S", 0.08)
    monkeypatch.setattr(device_link, "_STOP_S", 0.02)
    with served(scripted) as target:
        monkeypatch.setenv("SIT_TARGET", target)
        yield scripted


def _no_events(scripted: ScriptedDevice) -> messages.EventsReadReply:
    return make(messages.EventsReadReply, header=scripted.header, head=scripted.status().event_head)


def _work(scripted: ScriptedDevice, kind: type, result: int, measure: int) -> None:
    """Let work be accepted, and end like this soon after."""

    def accept(request: Any) -> Any:
        ends = scripted.now() + 0.02
        scripted.at(ends, lambda: scripted.event(Event.WORK, kind.ID, result, measure))
        return make(messages.RULES[kind.ID].reply, header=header(state=State.BUSY))

    scripted.answer(kind, accept)


def _one_sentence(ran: Ran) -> str:
    """The error's sentence: standard error tells it in one line, with no trace of a program."""
    lines = [line for line in ran.err.splitlines() if line.startswith("sit: ")]
    assert len(lines) == 1 and "Traceback" not in ran.err and lines[0].endswith((".", "?"))
    return lines[0]


NOUNS = sorted(cli.NOUNS)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_has_help_with_an_example(sit: Sit, noun: str) -> None:
    """Help of each command ends with an example."""
    ran = sit(noun, "--help")
    assert ran.code == 0 and ("Example" in ran.out or "Commands:" in ran.out)


def test_help_and_version(sit: Sit) -> None:
    """`sit --help` names each command and the disclaimer; no command at all is wrong usage."""
    ran = sit("--help")
    assert ran.code == 0 and "not a certified medical device" in " ".join(ran.out.split())
    assert all(f"  {noun} " in ran.out for noun in NOUNS)
    assert sit("--version").code == 0
    assert sit().code == 2


@pytest.mark.parametrize("args", [("nix",), ("info", "--nix"), ("prime", "--volume", "0"), ("info", "too", "many")])
def test_wrong_usage(sit: Sit, args: tuple[str, ...]) -> None:
    """Wrong usage is exit code 2, one sentence, and where the help is; with --json also as JSON."""
    ran = sit(*args)
    assert ran.code == 2 and _one_sentence(ran) and "--help" in ran.err and ran.out == ""
    ran = sit(*args, "--json")
    assert ran.code == 2 and ran.json["error"]["kind"] == "UsageError"


def test_no_target(sit: Sit) -> None:
    """Without a target nothing is guessed."""
    ran = sit("info")
    assert ran.code == 2 and "SIT_TARGET" in ran.err


def test_wrong_port(sit: Sit) -> None:
    """Error: a wrong port is one sentence and exit code 1."""
    ran = sit("info", "--target", "serial:/dev/nowhere")
    assert ran.code == 1 and _one_sentence(ran) == "sit: There is no port /dev/nowhere."
    assert sit("info", "--target", "/dev/nowhere", "--json").json["error"]["kind"] == "PortError"


def test_busy_port(sit: Sit, device: ScriptedDevice) -> None:
    """Error: a port that another process holds is one sentence naming it, exit code 1; reads and stop still work."""
    with open_client(os.environ["SIT_TARGET"]):
        ran = sit("selftest")
        assert ran.code == 1 and f"in use by process {os.getpid()}" in _one_sentence(ran)
        assert sit("info").code == 0
        assert sit("stop").code == 0
    assert len(device.sent(messages.Stop)) == 1 and not device.sent(messages.Selftest)


def test_garbage(sit: Sit, device: ScriptedDevice) -> None:
    """Error: a device that answers garbage is one sentence with what it said, exit code 1."""
    device.answer(messages.Hello, None)
    device.at(0, lambda: device.say(b"$GPGGA,123519\r\n"))
    ran = sit("info")
    assert ran.code == 1 and "not like an OpenSIT device" in _one_sentence(ran) and "$GPGGA" in ran.err


def test_silence(sit: Sit, device: ScriptedDevice) -> None:
    """Error: a device that doesn't answer is one sentence, exit code 1."""
    device.answer(messages.Hello, None)
    ran = sit("zero", "--yes")
    assert ran.code == 1 and "doesn't answer" in _one_sentence(ran)


def test_schema_mismatch(sit: Sit, device: ScriptedDevice) -> None:
    """Error: with another schema reading works and says so, changing is refused with exit code 1."""
    device.answer(messages.Hello, make(messages.HelloReply, header=device.header, schema_hash=b"another!", board="b"))
    ran = sit("info", "--json")
    assert ran.code == 0 and ran.json["schema_matches"] is False and "different protocols" in _one_sentence(ran)
    ran = sit("selftest")
    assert ran.code == 1 and "schema hash differs" in _one_sentence(ran)
    assert not device.sent(messages.Selftest) and not device.sent(messages.SetClock)


def test_settings_damaged(sit: Sit, device: ScriptedDevice) -> None:
    """Error: a damaged settings record is one sentence and exit code 1; the safe values are shown."""
    device.answer(messages.SettingsRead, make(messages.SettingsReadReply, header=device.header, max_depth_um=1900))
    ran = sit("settings", "--json")
    assert ran.code == 0 and ran.json["max_depth_um"] == 1900 and ran.json["source"] == "stored"
    damaged = make(messages.SettingsReadReply, header=device.header, source=SETTINGS_DAMAGED)
    device.answer(messages.SettingsRead, damaged)
    ran = sit("settings", "--json")
    assert ran.code == 1 and "damaged" in _one_sentence(ran)
    assert ran.json["source"] == "damaged" and ran.json["error"]["kind"] == "WorkFailed"


def test_info(sit: Sit, device: ScriptedDevice) -> None:
    """`sit info` tells state, fault, alarms and what is missing to arm, each with what to do."""
    device.header = header(state=State.FAULT, fault=Fault.ESTOP, ready=Ready.TESTED | Ready.CONTACT)
    device.answer(messages.Status, lambda request: device.status(alarms=1 << 1, inputs=0b100, unix_s=0))
    ran = sit("info")
    assert ran.code == 0 and "The e-stop is pressed. Release the e-stop, then clear." in ran.out
    assert "Run `sit zero`." in ran.out and "Alarm, high" in ran.out and "e-stop" in ran.out
    found = sit("info", "--json").json
    assert found["fault"]["name"] == "ESTOP" and found["state"] == "FAULT" and found["alarms"] == ["FAULT"]
    assert {item["name"] for item in found["missing"]} == {
        bit.name for bit in Ready if bit not in (Ready.TESTED, Ready.CONTACT)
    }
    assert not device.sent(messages.SetClock), "looking changes nothing"


def test_selftest(sit: Sit, device: ScriptedDevice) -> None:
    """`sit selftest` waits for the end; a failed step is exit code 1 with the fault's hint."""
    _work(device, messages.Selftest, 0, 0)
    assert sit("selftest", "--json").json == {"passed": True}
    _work(device, messages.Selftest, Fault.SPRING, 7)
    ran = sit("selftest")
    assert ran.code == 1 and "step 7" in _one_sentence(ran) and "serviced" in ran.err


def test_zero(sit: Sit, device: ScriptedDevice) -> None:
    """`sit zero` tells the offset; outside the window it says by how much to adjust, exit code 1."""
    _work(device, messages.Zero, 0, -4)
    assert sit("zero", "--yes", "--json").json == {"zeroed": True, "offset_um": -4}
    _work(device, messages.Zero, Refusal.WRONG_ZERO, 31)
    ran = sit("zero", "--yes")
    assert ran.code == 1 and "+31 um off" in _one_sentence(ran) and "by -31 um" in ran.err


def test_prime(sit: Sit, device: ScriptedDevice) -> None:
    """`sit prime` takes uL and sends nl."""
    _work(device, messages.Prime, 0, 12_503)
    assert sit("prime", "--volume", "12.5", "--yes", "--json").json == {"primed": True, "pushed_nl": 12_503}
    assert device.sent(messages.Prime) == [messages.Prime(12_500)]
    _work(device, messages.Prime, Refusal.NOT_READY, 12_503)
    ran = sit("prime", "--volume", "12.5", "--yes")
    assert ran.code == 1 and "12.5 uL, but tube and needle still hold air" in _one_sentence(ran)


def test_refused_and_unknown(sit: Sit, device: ScriptedDevice) -> None:
    """A refusal is exit code 1 with its hint, an unknown outcome is exit code 3."""
    device.answer(messages.Prime, Refusal.PLUNGER_END, None)
    ran = sit("prime", "--yes", "--json")
    assert ran.code == 1 and ran.json["error"]["name"] == "PLUNGER_END" and "Change the syringe." in ran.err
    ran = sit("prime", "--yes", "--json")
    assert ran.code == 3 and ran.json["error"]["kind"] == "UnknownError" and "isn't known" in _one_sentence(ran)
    assert len(device.sent(messages.Prime)) == 2


def test_stop(sit: Sit, device: ScriptedDevice) -> None:
    """`sit stop` opens no session; without a reply it says what to do with one's hands, exit code 3."""
    ran = sit("stop", "--json")
    assert ran.code == 0 and ran.json == {"stopped": True, "state": "IDLE", "phase": "IDLE"}
    assert device.seen == [messages.Stop()]
    device.answer(messages.Stop, make(messages.StopReply, header=header(state=State.INJECTING)))
    assert sit("stop", "--json").json["state"] == "IDLE", "the state once the needle is home"
    device.header = header(state=State.INJECTING)
    ran = sit("stop")
    assert ran.code == 1 and "hasn't ended" in _one_sentence(ran)
    device.answer(messages.Stop, None)
    ran = sit("stop")
    assert ran.code == 3 and "Press the e-stop" in ran.err


def test_clear(sit: Sit, device: ScriptedDevice) -> None:
    """`sit clear` clears the latched fault and no other; without one it does nothing."""
    assert sit("clear", "--json").json == {"cleared": None}
    device.header = header(state=State.FAULT, fault=Fault.OCCLUSION)
    ran = sit("clear")
    assert ran.code == 2 and "--yes" in ran.err and not device.sent(messages.ClearFault)
    device.answer(messages.ClearFault, _clears(device, header()))
    assert sit("clear", "--yes", "--json").json["cleared"] == "OCCLUSION"
    assert device.sent(messages.ClearFault) == [messages.ClearFault(Fault.OCCLUSION)]
    device.header = header(state=State.FAULT, fault=Fault.OCCLUSION)
    device.answer(messages.ClearFault, Refusal.CAUSE_REMAINS)
    ran = sit("clear", "--yes")
    assert ran.code == 1 and "still there" in _one_sentence(ran)


def test_clear_tells_of_the_fault_that_follows(sit: Sit, device: ScriptedDevice) -> None:
    """`sit clear` fails when another fault is latched at once, and names the alarm that REPEATED stands for."""
    device.header = header(state=State.FAULT, fault=Fault.ESTOP)
    device.answer(messages.ClearFault, _clears(device, header(state=State.FAULT, fault=Fault.REPEATED)))
    device.answer(messages.Status, lambda request: device.status(fault_value=Alarm.CONTACT_LOST))
    ran = sit("clear", "--yes")
    assert ran.code == 1 and "It is CONTACT_LOST" in ran.err and "`sit clear` once more" in ran.err


def _clears(device: ScriptedDevice, after: messages.ReplyHeader) -> Callable[[Any], messages.ClearFaultReply]:
    """A clearing that is obeyed: from then on the device answers with this header."""

    def answer(request: Any) -> messages.ClearFaultReply:
        device.header = after
        return make(messages.ClearFaultReply, header=after)

    return answer


def test_ack(sit: Sit, device: ScriptedDevice) -> None:
    """`sit ack` shows the uncertain shot with its bounds before it asks, and acknowledges that record."""
    assert sit("ack", "--json").json == {"acknowledged": None}
    record = make(Record, seq=9, kind=Kind.UNCERTAIN, point=4, attempt=1, asked_nl=10_000, tissue_max_nl=10_400)
    page = make(messages.LedgerReadReply, header=device.header, first=9, records=record.pack())
    device.answer(messages.LedgerRead, page)
    device.answer(messages.Status, lambda request: device.status(uncertain_seq=9, ledger_head=11, ledger_tail=1))
    ran = sit("ack", "--yes", "--json")
    assert ran.json == {"acknowledged": 9, "point": 4, "attempt": 1} and "0.00 and 10.40 uL" in ran.err
    assert device.sent(messages.AckUncertain) == [messages.AckUncertain(9)]


def test_monitor(sit: Sit, device: ScriptedDevice) -> None:
    """`sit monitor` prints samples and events; with --json one object a line."""
    device.at(0.3, lambda: device.event(Event.TRIGGER, Refusal.NO_CONTACT))
    ran = sit("monitor", "--every", "0.1", "--count", "8", "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0 and sum("sample" in line for line in lines) == 8
    assert [line["event"]["text"] for line in lines if "event" in line] == [
        "trigger not obeyed: The nose-piece isn't in contact."
    ]


@pytest.mark.parametrize("noun", ["zero", "prime", "clear", "ack"])
def test_questions_never_hang(sit: Sit, device: ScriptedDevice, noun: str) -> None:
    """Without a terminal a question is exit code 2 and names --yes; nothing was done."""
    device.header = header(state=State.FAULT, fault=Fault.ESTOP)
    device.answer(messages.Status, lambda request: device.status(uncertain_seq=1, ledger_head=2, ledger_tail=1))
    page = make(messages.LedgerReadReply, header=device.header, first=1, records=make(Record, seq=1).pack())
    device.answer(messages.LedgerRead, page)
    ran = sit(noun)
    assert ran.code == 2 and "--yes" in ran.err and ran.out == ""
    changing = (messages.Zero, messages.Prime, messages.ClearFault, messages.AckUncertain)
    assert not any(device.sent(kind) for kind in changing)


def test_a_no_is_a_no(sit: Sit, device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who answers no gets nothing done, exit code 1."""
    terminal = io.StringIO("what\nn\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    ran = sit("zero")
    assert ran.code == 1 and "Nothing was done." in ran.err and not device.seen


def test_ctrl_c_stops_work(sit: Sit, device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the needle moves sends STOP before the command ends."""
    from sit_host.client import Client

    def interrupted(self: Client, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "run", interrupted)
    ran = sit("zero", "--yes")
    assert ran.code == 1 and "Interrupted." in ran.err and len(device.sent(messages.Stop)) == 1


def test_wire_log(sit: Sit, device: ScriptedDevice, tmp_path: Path) -> None:
    """--wire-log writes each frame with time, direction and name."""
    log = tmp_path / "wire.log"
    assert sit("info", "--wire-log", str(log)).code == 0
    lines = [line.split()[1:3] for line in log.read_text().splitlines()]
    assert lines[:2] == [[">", "HELLO"], ["<", "HELLO"]] and [">", "STATUS"] in lines
    ran = sit("info", "--wire-log", str(tmp_path / "no" / "folder"))
    assert ran.code == 2 and "can't be written" in _one_sentence(ran)


def test_a_bug_is_told_without_a_trace(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours is one sentence too; its trace goes to a file."""
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: 1 / 0)
    ran = sit("ports")
    assert ran.code == 1 and "ZeroDivisionError" in _one_sentence(ran)
    path = ran.err.split("Details are in ")[1].split(";")[0]
    assert "Traceback" in Path(path).read_text()
    Path(path).unlink()


def test_ports(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sit ports` is one JSON array; with no port at all it says what to do."""
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    assert sit("ports", "--json").json == []
    assert "sit sim" in sit("ports").out
