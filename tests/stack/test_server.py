"""The served simulator: pseudo-terminal, TCP, control port. It is paced to the wall clock, so these tests are too."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time

import echo_app
import pytest
import serial
from fake_plant import FakePlant
from sit_sim import control_port
from sit_sim.ports import PtyPort
from sit_sim.run_command import run_command
from sit_sim.server import Server
from sit_sim.targets import ControlError, TargetError
from sit_sim.targets.inprocess import InProcess

pytestmark = pytest.mark.targets("sim:", reason="the server knows nothing of the firmware process")
PATIENCE_S = 10.0
SPEED = 5.0


@pytest.fixture
def served(open_sim, tmp_path):
    """A served echo App, with its way in by pseudo-terminal, TCP and control port."""
    target = open_sim(plant=FakePlant(), process=lambda fram: InProcess(fram, echo_app.App), hand="none")
    server = Server(target, link=tmp_path / "tty", speed=SPEED)
    server.lines = []
    server.log = server.lines.append
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join(PATIENCE_S)
    server.close()
    assert not thread.is_alive()


def control(server, **command):
    """One command on the control port."""
    return control_port.ask(*server.control_address, json.dumps(command))


def tcp(server):
    """A client on the TCP port."""
    client = socket.create_connection(server.tcp_address, PATIENCE_S)
    client.settimeout(PATIENCE_S)
    return client


def tcp_patiently(server):
    """A client on the TCP port, once it is there again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return tcp(server)
        except ConnectionRefusedError:
            assert time.monotonic() < end


def ask(client, data):
    """Send a frame on a socket, return the answer's frame."""
    client.sendall(data)
    got = b""
    while not got.endswith(b"\0"):
        more = client.recv(100)
        assert more, "the server closed the connection"
        got += more
    return got


def open_tty(server):
    """pyserial on the pseudo-terminal."""
    return serial.Serial(str(server.pty_path), timeout=PATIENCE_S, exclusive=True)


def wait_for(server, condition):
    """Until the server's thread has come so far: each look asks it something, which takes it one round further."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        control(server, do="info")


def told(server):
    """What happened to the connection, without the commands of the control port."""
    return [line for line in server.lines if not line.startswith("control:")]


def test_pty_carries_bytes_unchanged(served):
    """Served: any serial client can talk to it; no byte is eaten or changed by the terminal."""
    with open_tty(served) as port:
        port.write(b"\x03\x04\x11\x13\r\n\xff\0")
        assert port.read_until(b"\0").split(b" ", 1)[1] == b"\x03\x04\x11\x13\r\n\xff\0"


def test_pty_is_there_for_the_next_client(served):
    """Served: clients come and go; what one has left unread isn't read by the next."""
    with open_tty(served) as port:
        port.write(b"unread\0")
        wait_for(served, lambda: port.in_waiting)
    wait_for(served, lambda: "the client has gone" in served.lines)
    with open_tty(served) as port:
        port.write(b"mine\0")
        assert port.read_until(b"\0").endswith(b" mine\0")


def test_tcp_carries_bytes(served):
    """Served: the same over TCP."""
    with tcp(served) as client:
        assert ask(client, b"hello\0").endswith(b" hello\0")


def test_second_client_is_told_nothing_and_disconnected(served):
    """Served: one client at a time, on pseudo-terminal and TCP together."""
    with tcp(served) as first:
        ask(first, b"x\0")
        with tcp(served) as second:
            assert second.recv(10) == b""
        with contextlib.suppress(OSError), open_tty(served) as third:
            third.write(b"y\0")
            assert third.read_until(b"\0") == b""
        assert ask(first, b"z\0").endswith(b" z\0")


def test_pulled_cable_comes_back_at_the_same_address(served):
    """Served: a pulled cable takes TCP and pseudo-terminal away and brings both back where they were."""
    with tcp(served) as client:
        ask(client, b"x\0")
        assert control(served, do="cable", state="out") == {"ok": True, "result": {}}
        assert client.recv(10) == b""
    wait_for(served, lambda: not os.path.lexists(served.pty_path))
    with pytest.raises(ConnectionRefusedError):
        tcp(served)
    control(served, do="cable", state="in")
    with tcp_patiently(served) as client:
        assert ask(client, b"back\0").endswith(b" back\0")
    wait_for(served, lambda: told(served)[-1] == "the client has gone")
    with open_tty(served) as port:
        port.write(b"back\0")
        assert port.read_until(b"\0").endswith(b" back\0")


def test_power_cut_ends_the_connection_and_the_store_stays(served):
    """Served: a device without power is gone from its port; after the boot it answers, with its store."""
    with tcp(served) as client:
        ask(client, b"Wkept...\0")
        control(served, do="power", off_ms=200)
        assert client.recv(10) == b""
    with tcp_patiently(served) as client:
        client.sendall(b"R\0")
        assert client.recv(100) == b"Wkept..."


def test_control_port_says_what_is_wrong(served):
    """Control port: a wrong line gets one sentence, and the port goes on."""
    assert "commands are" in control(served, do="fly")["error"]
    assert "between 0 and 1" in control(served, do="link", drop=2)["error"]
    assert "takes no number" in control(served, do="hand", action="lift", value=1)["error"]
    assert "there is no fault" in control(served, do="fault", name="gremlin")["error"]
    with socket.create_connection(served.control_address, PATIENCE_S) as client:
        client.sendall(b"not json\n")
        assert "isn't JSON" in json.loads(client.makefile().readline())["error"]
    assert control(served, do="truth")["result"]["tip_um"] == 0


def test_run_jumps_and_pacing_goes_on_from_there(served):
    """Control port: `run` passes target time at once; afterwards the pace is the wall clock's again."""
    before = control(served, do="info")["result"]["now_s"]
    assert control(served, do="run", ms=60_000)["result"]["now_s"] >= before + 60
    after = control(served, do="info")["result"]["now_s"]
    assert before + 60 <= after < before + 60 + PATIENCE_S * SPEED


def test_world_is_paced_to_the_wall_clock(served):
    """Served: target time runs `speed` times as fast as the wall clock, within the server's patience."""
    wall, target = time.monotonic(), control(served, do="info")["result"]["now_s"]
    wait_for(served, lambda: time.monotonic() > wall + 0.3)
    passed = control(served, do="info")["result"]["now_s"] - target
    assert 0.3 * SPEED * 0.5 < passed < (time.monotonic() - wall) * SPEED + 0.1


def test_link_never_replaces_a_file(tmp_path):
    """Served: `--link` names a link; a file of the user's in its place is left alone."""
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(TargetError, match="choose another path"):
        PtyPort(tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_taken_port_is_one_sentence(served, open_sim):
    """Served: a TCP port that somebody has is named in one sentence."""
    with pytest.raises(TargetError, match="can't be served"):
        Server(
            open_sim(plant=FakePlant(), process=lambda fram: InProcess(fram, echo_app.App)),
            pty=False,
            tcp_port=served.tcp_address[1],
        )


CLIENT = """
import os, sys, socket
host, port = os.environ["SIT_TARGET"].removeprefix("tcp:").rsplit(":", 1)
with socket.create_connection((host, int(port)), 10) as device:
    print("reached")
assert os.environ["SIT_CONTROL"].startswith("127.0.0.1:")
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 3])
def test_command_finds_the_simulator_and_its_exit_code_comes_back(tmp_path, capfd, code):
    """`sit sim -- CMD`: the connection string is in SIT_TARGET, the exit code is the command's."""
    log = tmp_path / "sim.log"
    argv = [sys.executable, "-c", CLIENT, str(code)]
    assert run_command(argv, spec="sim:", log_path=log) == code
    out, err = capfd.readouterr()
    assert out == "reached\n"
    assert (str(log) in err) == bool(code)
    assert "sit sim --target sim:" in log.read_text() and f"exit code {code}" in log.read_text()


def test_command_that_is_not_there_is_said_so(tmp_path, capfd):
    """`sit sim -- CMD`: a command that doesn't exist is named, with the shell's exit code for it."""
    assert run_command(["no-such-command"], spec="sim:", log_path=tmp_path / "log") == 127
    assert "no command 'no-such-command'" in capfd.readouterr().err


def test_command_is_not_run_when_the_simulator_does_not_start(tmp_path):
    """`sit sim -- CMD`: a wrong scenario is one sentence, and the command isn't run."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[unti]\n")
    with pytest.raises(ControlError, match="unti"):
        run_command([sys.executable, "-c", "raise SystemExit(9)"], spec="sim:", scenario=wrong)


def test_a_terminated_server_keeps_its_store(tmp_path):
    """Served: SIGTERM ends it in order; the state folder has what the device wrote, and the link is gone."""
    code = (
        "import sys; from pathlib import Path\n"
        "from sit_sim.server import serve; from sit_sim.targets import open_target\n"
        "with open_target('sim:', state_dir=sys.argv[1]) as target:\n"
        "    serve(target, link=Path(sys.argv[2]), announce=lambda server: print('ready', flush=True))\n"
    )
    link, state = tmp_path / "tty", tmp_path / "state"
    process = subprocess.Popen([sys.executable, "-c", code, str(state), str(link)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    assert link.is_symlink()
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert not link.is_symlink()
    assert (state / "store.bin").read_bytes() != b"\xff" * 262144
