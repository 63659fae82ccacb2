"""Connection strings, serial ports and TCP: what can be opened, and one sentence for what can't."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sit_host import transport
from sit_host.errors import LinkLost, PortBusy, PortError, SitError, UsageError
from sit_host.transport import SimOptions, open_transport, parse_url
from sit_host.transport.serial import explain_open_error

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pseudo-terminals")


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """The device's end of a pseudo-terminal, and the path of the host's end."""
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    yield ours, path
    with contextlib.suppress(OSError):
        os.close(ours)


URLS = [
    ("serial:/dev/ttyACM0", "serial", "/dev/ttyACM0", {}),
    ("/dev/ttyACM0", "serial", "/dev/ttyACM0", {}),
    ("COM3", "serial", "COM3", {}),
    ("serial:/dev/x?baud=9600", "serial", "/dev/x", {"baud": "9600"}),
    ("tcp:localhost:7310", "tcp", "localhost:7310", {}),
    ("sim:", "sim", "", {}),
    ("sim:micropython?seed=3&hand=none", "sim", "micropython", {"seed": "3", "hand": "none"}),
]


@pytest.mark.parametrize(("text", "scheme", "place", "options"), URLS)
def test_connection_strings(text: str, scheme: str, place: str, options: dict[str, str]) -> None:
    """A connection string names scheme, place and options."""
    url = parse_url(text)
    assert (url.scheme, url.place, url.options) == (scheme, place, options)


WRONG = [
    ("", "empty"),
    ("nonsense", "connection string"),
    ("usb:1", "connection string"),
    ("serial:", "names no port"),
    ("serial:/dev/x?speed=1", "speed"),
    ("serial:/dev/x?baud=fast", "baud"),
    ("tcp:localhost", "tcp:host:port"),
    ("tcp:localhost:99999", "tcp:host:port"),
    ("sim:pypy", "sim:pypy"),
    ("sim:?speed=2", "speed"),
    ("sim:?seed=x", "seed"),
    ("sim:?hand=/nowhere", "/nowhere"),
    ("sim:?scenario=/nowhere", "/nowhere"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_wrong_connection_strings(text: str, words: str) -> None:
    """A wrong connection string is wrong usage (exit code 2) and one sentence naming what is wrong."""
    with pytest.raises(UsageError) as caught:
        open_transport(text)
    assert words in caught.value.what and caught.value.what.endswith(".") and caught.value.exit_code == 2


def test_simulator_options_belong_to_the_simulator() -> None:
    """Simulator options with a real port are wrong usage."""
    with pytest.raises(UsageError, match="--seed"):
        open_transport("serial:/dev/ttyACM0", SimOptions(seed=3))


def test_serial_ports_that_cant_be_opened(tmp_path: Path) -> None:
    """A wrong port: one sentence that says which, and `sit ports` as what to do."""
    with pytest.raises(PortError, match="There is no port /dev/nowhere") as caught:
        open_transport("serial:/dev/nowhere")
    assert "sit ports" in caught.value.do and caught.value.exit_code == 1
    file = tmp_path / "file"
    file.write_text("no port")
    with pytest.raises(PortError, match="isn't a serial port"):
        open_transport(f"serial:{file}")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(13, "Permission denied"), PortError, "No permission"),
        (OSError(16, "Device or resource busy"), PortBusy, "in use"),
        (OSError(5, "Input/output error"), PortError, "can't be opened"),
    ],
)
def test_what_the_system_says_of_a_port(error: OSError, kind: type[SitError], words: str) -> None:
    """Each reason of the system becomes a sentence with something to do."""
    found = explain_open_error("/dev/ttyACM0", error)
    assert type(found) is kind and words in found.what and found.do


def test_a_port_in_use(pty: tuple[int, str]) -> None:
    """A port that another program has opened for itself is busy."""
    _, path = pty
    first = open_transport(f"serial:{path}")
    with pytest.raises(PortBusy, match="in use"):
        open_transport(f"serial:{path}")
    first.close()
    open_transport(f"serial:{path}").close()


def test_serial_bytes_both_ways_and_the_end(pty: tuple[int, str]) -> None:
    """Bytes go both ways unchanged; a closed other side is a lost link, and so is everything after it."""
    ours, path = pty
    port = open_transport(f"serial:{path}")
    everything = bytes(range(256))
    port.send(everything)
    assert os.read(ours, 1000) == everything
    os.write(ours, everything)
    got = b""
    while len(got) < 256:
        got += port.wait(port.now() + 1)
    assert got == everything
    assert port.wait(port.now() + 0.01) == b""
    os.close(ours)
    with pytest.raises(LinkLost, match="lost"):
        port.wait(port.now() + 1)
    with pytest.raises(LinkLost):
        port.send(b"x")
    with pytest.raises(LinkLost, match="did not come back"):
        port.reopen(port.now() + 0.05)
    port.close()


def test_a_wait_ends_early_when_woken(pty: tuple[int, str]) -> None:
    """A wait can be woken, so that what others ask isn't kept waiting."""
    _, path = pty
    port = open_transport(f"serial:{path}")
    read, write = os.pipe()
    port.watch(read)
    os.write(write, b"x")
    began = time.monotonic()
    assert port.wait(port.now() + 5) == b"" and time.monotonic() - began < 2
    port.close()
    os.close(read)
    os.close(write)


def test_tcp_nothing_listens() -> None:
    """Nothing listens at an address: one sentence, and how to start the simulator."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(PortError, match=f"Nothing listens at tcp:127.0.0.1:{number}"):
        open_transport(f"tcp:127.0.0.1:{number}")


def test_tcp_bytes_the_end_and_the_way_back() -> None:
    """Bytes go both ways; a server that ends is a lost link; the same address can be opened anew."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        port = open_transport(f"tcp:127.0.0.1:{number}")
        device, _ = server.accept()
        port.send(b"\x00ask")
        assert device.recv(10) == b"\x00ask"
        device.sendall(b"reply")
        assert port.wait(port.now() + 1) == b"reply"
        device.close()
        with pytest.raises(LinkLost):
            port.wait(port.now() + 1)
        port.reopen(port.now() + 1)
        device, _ = server.accept()
        device.sendall(b"again")
        assert port.wait(port.now() + 1) == b"again"
        device.close()
        port.close()
        port.close()


def test_the_simulator_is_imported_in_one_place() -> None:
    """The host meets the simulator in transport/sim.py alone, and that is loaded only for a simulated target."""
    root = Path(transport.__file__).parent.parent
    importers = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"^\s*(from|import) sit_sim", path.read_text(), re.MULTILINE)
    ]
    assert importers == ["transport/sim.py"]
    code = "import sys, sit_host.cli, sit_host.connect; sys.exit('sit_sim' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
