"""`sit sim` in one process, `sit` in others: over a pseudo-terminal and TCP, beside each other, and in one line."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sit_host.connect import open_client
from sit_host.errors import LinkLost
from sit_host.outcome import Delivered, expect

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pseudo-terminals")
PLAN = Path(__file__).resolve().parents[2] / "examples" / "plans" / "face-30-points.toml"
SIT = [sys.executable, "-c", "from sit_host.cli import main; main()"]
MOST_S = 60


@contextlib.contextmanager
def started(*args, **options):
    """A process of `sit` that doesn't outlive its test."""
    with subprocess.Popen([*SIT, *args], text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def environment(runtime_dir):
    """The environment of the processes: locks of their own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SIT_")}
    return {**kept, "SIT_RUNTIME_DIR": str(runtime_dir)}


@pytest.fixture
def sit(environment):
    """Runs `sit` to its end: the completed process."""

    def run(*args, target=None):
        where = {"SIT_TARGET": target} if target else {}
        return subprocess.run(
            [*SIT, *args], env=environment | where, capture_output=True, text=True, timeout=MOST_S, check=False
        )

    return run


@pytest.fixture
def hand():
    """Who holds the served device."""
    return "none"


@pytest.fixture
def served(environment, target_spec, tmp_path, hand):
    """A served simulator: its ways in by name. It runs at twice real time, slow enough for the lease."""
    command = ["sim", "--target", target_spec, "--hand", hand, "--link", str(tmp_path / "device")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(*command, "--speed", "2", "--json", env=environment, **pipes) as server:
        text = ""
        while not text.endswith("}\n"):
            line = server.stdout.readline()
            assert line, server.stderr.read()
            text += line
        yield json.loads(text)
        server.send_signal(signal.SIGINT)
        assert server.wait(MOST_S) == 0
        assert "Traceback" not in server.stderr.read()


def info(ran):
    """What `sit info --json` told."""
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_same_device_over_pty_and_tcp(served, sit, tmp_path):
    """`sit sim` serves one device at a link and at a TCP port; work done over one way shows over the other."""
    serial, tcp = f"serial:{tmp_path / 'device'}", served["tcp"]
    assert served["serial"] == serial
    before = info(sit("info", "--json", target=serial))
    assert before["state"] == "IDLE" and "TESTED" not in before["ready"]
    assert sit("selftest", target=serial).returncode == 0
    after = info(sit("info", "--json", target=tcp))
    assert after["device"]["uid"] == before["device"]["uid"] and "TESTED" in after["ready"]


@pytest.mark.targets("sim:", reason="what is shown lies in the host; one target is enough")
def test_stop_and_info_beside_another_process(served, sit, environment):
    """Invariant 9: `sit stop` and `sit info` reach a device that another process holds, through that one."""
    target = served["serial"]
    command = ["monitor", "--every", "0.1", "--json", "--target", target]
    with started(*command, env=environment, stdout=subprocess.PIPE) as owner:
        assert "sample" in json.loads(owner.stdout.readline())
        stopped = sit("stop", "--json", target=target)
        assert stopped.returncode == 0 and json.loads(stopped.stdout)["stopped"]
        assert f"through process {owner.pid}" in info(sit("info", "--json", target=target))["target"]
        busy = sit("selftest", target=target)
        assert busy.returncode == 1 and f"in use by process {owner.pid}" in busy.stderr
        owner.send_signal(signal.SIGINT)
        assert owner.wait(MOST_S) == 0
    assert sit("selftest", target=target).returncode == 0, "the port is free again"


@pytest.mark.targets("sim:", reason="what is shown lies in the host; one target is enough")
@pytest.mark.parametrize("hand", ["auto"])
def test_stop_ends_a_treatment_of_another_process(hand, served, sit, environment, tmp_path):
    """Invariant 9: `sit stop` ends a treatment that another process gives; no point follows, what was given is kept."""
    target = served["serial"]
    command = ["treat", str(PLAN), "--yes", "--records", str(tmp_path / "records"), "--target", target]
    with started(*command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as treat:
        told = []
        while not (told and told[-1].startswith("point 2/")):
            told.append(treat.stderr.readline())
            assert told[-1], "".join(told)
        assert sit("stop", target=target).returncode == 0
        rest = treat.stderr.read()
        # which one is told hangs on whether STOP came between two points or in one
        ends = ("Start the same plan again", "Another process of this computer has stopped the device.")
        assert treat.wait(MOST_S) == 1 and any(end in rest for end in ends), rest
    assert list(tmp_path.glob("records/*/record.json"))
    before = info(sit("info", "--json", target=target))
    assert before["state"] == "IDLE"
    host, port = served["control"].split(":")
    with socket.create_connection((host, int(port))) as control:
        control.sendall(b'{"do": "run", "ms": 5000}\n')  # time for the hand to give another point
        assert control.recv(1000)
    assert info(sit("info", "--json", target=target))["status"]["ledger_head"] == before["status"]["ledger_head"]


@pytest.mark.targets("sim:", reason="what is shown lies in the host; one target is enough")
def test_ctrl_c_stops_the_device(served, sit, environment):
    """Ctrl-C while the device works stops it before the command ends."""
    target = served["serial"]
    assert sit("selftest", target=target).returncode == 0
    command = ["prime", "--volume", "300", "--yes", "--target", target]
    with started(*command, env=environment, stderr=subprocess.PIPE) as worker:
        assert "Priming" in worker.stderr.readline()
        while True:
            status = info(sit("info", "--json", target=target))
            if status["status"]["plunger_steps"] > 0:
                break
        worker.send_signal(signal.SIGINT)
        assert worker.wait(MOST_S) == 1
        assert "Stopped." in worker.stderr.read()
    status = info(sit("info", "--json", target=target))
    assert status["state"] == "IDLE" and status["phase"] == "IDLE"


@pytest.mark.targets("sim:", reason="what is shown lies in the host; one target is enough")
@pytest.mark.parametrize("way", ["serial", "tcp"])
def test_a_cable_pulled_and_put_back(served, monkeypatch, environment, way):
    """Invariant 3: a cable pulled and put back is a lost link and a way back to the same device, disarmed."""
    monkeypatch.setenv("SIT_RUNTIME_DIR", environment["SIT_RUNTIME_DIR"])
    host, port = served["control"].split(":")
    with open_client(served[way]) as client, socket.create_connection((host, int(port))) as control:
        control.sendall(b'{"do": "cable", "out_ms": 500}\n')
        with pytest.raises(LinkLost):
            client.sleep(10)
        back = client.reconnect(10)
        assert not back.rebooted and expect(client.status()).treatment == bytes(8)
        assert isinstance(client.stop(), Delivered)


@pytest.mark.targets("sim:", reason="what is shown lies in the host; one target is enough")
def test_a_command_on_a_simulator_of_its_own(sit, target_spec):
    """`sit sim -- CMD` runs CMD with SIT_TARGET set and hands back its exit code."""
    ran = sit("sim", "--target", target_spec, "--", *SIT, "selftest", "--json")
    assert ran.returncode == 0 and json.loads(ran.stdout) == {"passed": True}, ran.stderr
    ran = sit("sim", "--target", target_spec, "--hand", "none", "--", *SIT, "zero", "--yes")
    assert ran.returncode == 1 and "Run `sit selftest`." in ran.stderr


@pytest.mark.targets("sim:", reason="the target isn't reached")
def test_a_simulator_that_cant_be_served(sit, target_spec, tmp_path):
    """A wrong option of `sit sim` is one sentence and its exit code."""
    ran = sit("sim", "--target", "serial:/dev/ttyACM0")
    assert ran.returncode == 2 and "sim:" in ran.stderr
    ran = sit("sim", "--target", target_spec, "--scenario", str(tmp_path / "none.toml"))
    assert ran.returncode == 2 and "no scenario file" in ran.stderr
    assert "Traceback" not in ran.stderr
