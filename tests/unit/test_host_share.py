"""A port has one owner; others are told who it is, and reach the device through it to read, STOP and DISARM."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sit_host import device_link, share
from sit_host._gen import messages
from sit_host._gen.enums import State
from sit_host.connect import open_client
from sit_host.errors import PortBusy
from sit_host.outcome import Delivered, Refused, expect
from sit_host.testing import ScriptedDevice, header, make, served

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs local sockets")


@pytest.fixture(autouse=True)
def own_locks(runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of a test are its own."""
    monkeypatch.setenv("SIT_RUNTIME_DIR", str(runtime_dir))


@pytest.fixture
def device() -> Iterator[tuple[ScriptedDevice, str]]:
    """A scripted device and where it is served."""
    scripted = ScriptedDevice()
    with served(scripted) as target:
        yield scripted, target


def test_one_owner_named_to_the_others() -> None:
    """A port that another process owns: one sentence naming that process; after it ends the port is free."""
    code = (
        "import sys; from sit_host.share import PortLock; lock = PortLock('serial:/dev/x', 'sit treat plan.toml');"
        "print('owned', flush=True); sys.stdin.read(); lock.release()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None and owner.stdin is not None
        assert owner.stdout.readline() == "owned\n"
        with pytest.raises(PortBusy, match=rf"in use by process {owner.pid}: sit treat plan\.toml") as caught:
            share.PortLock("serial:/dev/x")
        assert caught.value.pid == owner.pid and caught.value.exit_code == 1
        owner.stdin.close()
        owner.wait()
    share.PortLock("serial:/dev/x").release()


def test_a_killed_owner_leaves_the_port_free(runtime_dir: Path) -> None:
    """An owner that was killed leaves its note; the port is free, and nobody is named any more."""
    code = "from sit_host.share import PortLock; PortLock('serial:/dev/x'); import os; os._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    assert list(runtime_dir.glob("*.json"))
    assert share.owner_of("serial:/dev/x") is None
    share.PortLock("serial:/dev/x").release()
    assert not list(runtime_dir.glob("*.json"))


def test_one_port_by_any_of_its_names(tmp_path: Path) -> None:
    """A port reached by a link or another host name is the same port."""
    port = tmp_path / "ttyACM0"
    port.touch()
    link = tmp_path / "link"
    link.symlink_to(port)
    with share.PortLock(f"serial:{port}"), pytest.raises(PortBusy):
        share.PortLock(f"serial:{link}")
    with share.PortLock("tcp:127.0.0.1:7310"), pytest.raises(PortBusy):
        share.PortLock("tcp:localhost:7310")


def test_locks_are_the_users_own(runtime_dir: Path) -> None:
    """The folder of locks and sockets is closed to other users of the computer."""
    with share.PortLock("serial:/dev/x"):
        assert runtime_dir.stat().st_mode & 0o077 == 0


def test_a_failed_opening_gives_the_port_back() -> None:
    """A port that can't be opened isn't left locked."""
    for _ in range(2):
        with pytest.raises(Exception, match="There is no port"):
            open_client("serial:/dev/nowhere")


def test_a_visitor_reads_and_stops_while_the_owner_waits(device: tuple[ScriptedDevice, str]) -> None:
    """Invariant 9: STOP of another process goes out while the owner waits for something else."""
    scripted, target = device
    owner = open_client(target)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: [owner.sleep(0.2) for _ in iter(ended.is_set, True)])
    thread.start()
    try:
        with open_client(target, acting=False, shared=True) as visitor:
            assert visitor.device == owner.device and "through process" in visitor.name
            scripted.header = header(state=State.ARMED)
            assert expect(visitor.status()).header.state == State.ARMED
            assert isinstance(visitor.stop(), Delivered)
            assert isinstance(visitor.disarm(), Delivered)
    finally:
        ended.set()
        thread.join()
        owner.close()
    assert len(scripted.sent(messages.Stop)) == 1 and len(scripted.sent(messages.Disarm)) == 1
    assert len(scripted.sent(messages.Hello)) == 1, "a visitor opens no session of its own"


def test_a_visitor_stops_while_the_owner_is_elsewhere(device: tuple[ScriptedDevice, str]) -> None:
    """Invariant 9: STOP of another process goes out while the owner stands at a question."""
    scripted, target = device
    with open_client(target), open_client(target, shared=True, acting=False, hello=False) as visitor:
        assert isinstance(visitor.stop(), Delivered)
    assert len(scripted.sent(messages.Stop)) == 1


def test_a_visitor_stops_while_the_owner_waits_for_a_reply(device: tuple[ScriptedDevice, str]) -> None:
    """Invariant 9: STOP of another process doesn't queue behind a request of the owner that gets no reply."""
    scripted, target = device
    scripted.answer(messages.Prime, None)
    with open_client(target) as owner:
        thread = threading.Thread(target=owner.prime, args=(5000,))
        thread.start()
        with open_client(target, shared=True, acting=False, hello=False) as visitor:
            assert isinstance(visitor.stop(), Delivered)
            assert thread.is_alive(), "the owner still waits for its reply"
        thread.join()


@pytest.mark.parametrize("owner_waits", [True, False])
def test_a_stop_passes_a_reading_of_another_visitor(
    device: tuple[ScriptedDevice, str], monkeypatch: pytest.MonkeyPatch, owner_waits: bool
) -> None:
    """Invariant 9: STOP of one process doesn't queue behind readings of others that get no reply."""
    monkeypatch.setattr(device_link, "REPLY_S", 1.0)
    scripted, target = device
    with open_client(target) as owner, contextlib.ExitStack() as visitors:
        readers = [
            visitors.enter_context(open_client(target, shared=True, acting=False, hello=False)) for _ in range(4)
        ]
        stopper = visitors.enter_context(open_client(target, shared=True, acting=False, hello=False))
        asked = threading.Event()
        scripted.answer(messages.Status, lambda request: asked.set())  # and no reply
        threads = [threading.Thread(target=reader.status) for reader in readers]
        if owner_waits:
            threads.append(threading.Thread(target=owner.sleep, args=(1.5,)))
        for thread in threads:
            thread.start()
        assert asked.wait(10)
        began = time.monotonic()
        assert isinstance(stopper.stop(), Delivered)
        assert time.monotonic() - began < 0.7, "less than one reading waits"
        scripted.answer(messages.Status, scripted.status())
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kind", [messages.Stop, messages.Disarm])
def test_a_stop_of_another_is_not_undone(device: tuple[ScriptedDevice, str], kind: type) -> None:
    """Invariant 9: after another process has stopped the device, its owner arms no more by itself."""
    scripted, target = device
    scripted.answer(messages.Arm, make(messages.ArmReply, header=header(state=State.ARMED)))
    with open_client(target) as owner:
        assert isinstance(owner.arm(1000, 0, 1), Delivered)
        with open_client(target, shared=True, acting=False, hello=False) as visitor:
            visitor.request(kind())
        outcome = owner.arm(1000, 0, 1)
        assert isinstance(outcome, Refused) and outcome.reply is None and "has stopped" in outcome.doc
        assert len(scripted.sent(messages.Arm)) == 1
        owner.stopped_elsewhere = False  # an operator has agreed
        assert isinstance(owner.arm(1000, 0, 1), Delivered)


def test_a_visitor_changes_nothing(device: tuple[ScriptedDevice, str]) -> None:
    """What changes the device is refused to a visitor and doesn't reach the device."""
    scripted, target = device
    with open_client(target), open_client(target, shared=True, acting=False) as visitor:
        for outcome in (visitor.zero(), visitor.prime(2000), visitor.arm(1000, 0, 1), visitor.subscribe(100)):
            assert isinstance(outcome, Refused) and outcome.name == "NO_SESSION"
    kinds = {type(message) for message in scripted.seen}
    assert not kinds & {messages.Zero, messages.Prime, messages.Arm, messages.Subscribe}


def test_only_some_commands_may_visit(device: tuple[ScriptedDevice, str]) -> None:
    """Without `shared` a port in use is an error that names its owner."""
    _, target = device
    with open_client(target), pytest.raises(PortBusy, match=f"process {os.getpid()}"):
        open_client(target)


def test_a_visitor_that_talks_garbage_or_leaves_harms_nobody(device: tuple[ScriptedDevice, str]) -> None:
    """Garbage on the local socket, half frames and hanging up leave the owner at work."""
    scripted, target = device
    with open_client(target) as owner:
        rude = share.connect_owner(target)
        rude.sendall(b"\x01\x02garbage\x00" * 100)
        rude.sendall(b"\x05half")
        rude.close()
        with open_client(target, shared=True, acting=False) as visitor:
            assert isinstance(visitor.status(), Delivered)
        assert isinstance(owner.status(), Delivered)
    assert not scripted.sent(messages.Stop)


def test_a_visitor_reads_the_events_too(device: tuple[ScriptedDevice, str]) -> None:
    """Readings with content pass through unchanged."""
    scripted, target = device
    reply = make(messages.EventsReadReply, header=scripted.header, head=0, events=b"")
    scripted.answer(messages.EventsRead, reply)
    with open_client(target), open_client(target, shared=True, acting=False) as visitor:
        assert expect(visitor.events_read(0)) == reply
