"""`sit flash` as a user meets it on a pseudo-terminal: a device that is at work, or somebody else's, isn't touched."""

import contextlib
import threading

import pytest
from shotkit import PHASES, Bench
from sit_host._gen import enums
from sit_host.cli import run
from sit_host.errors import EXIT_FAILED
from sit_host.share import PortLock
from sit_sim.server import Server

pytestmark = pytest.mark.targets("sim:", reason="what is asked here is asked of the host and of the device's states")
LONG_NL = 100_000  # some seconds of flow
OPTIONS = ([], ["--check"], ["--dry-run"], ["--rollback"])


@contextlib.contextmanager
def served(target, folder):
    """The target behind a pseudo-terminal, at the wall clock's pace: its path."""
    server = Server(target, link=folder / "tty", tcp_port=None, control_port=None)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield str(server.pty_path)
    finally:
        server.stop()
        thread.join()
        server.close()


def flash(path, capsys, *options):
    """Run the command; its exit code and what it told."""
    code = run(["flash", "--target", path, "--yes", *options])
    told = capsys.readouterr()
    assert "Traceback" not in told.err and told.out == ""
    return code, told.err


def test_an_injecting_device_refuses(open_sim, tmp_path, capsys):
    """Flash: an injecting device isn't taken to the prompt: one sentence, exit 1, and the shot goes on to its end."""
    bench = Bench(open_sim(hand="none"))
    bench.ready([(1, 1500, LONG_NL)])
    bench.press_and_trigger()
    bench.run_to_phase(PHASES["dispense"])
    with served(bench.target, tmp_path) as path:
        code, told = flash(path, capsys)
    assert code == EXIT_FAILED
    assert told.count("sit: ") == 1 and "isn't allowed in this state" in told
    bench = Bench(bench.target)
    bench.follow()
    (end,) = bench.ends()
    assert (end.kind, end.cause) == (enums.Record.DONE, 0)
    bench.check_depth()


def test_an_armed_device_belongs_to_its_treatment(open_sim, tmp_path, capsys):
    """Flash: while a treatment has the device armed, its port is taken: one sentence that names the process, exit 1."""
    bench = Bench(open_sim(hand="none"))
    bench.ready([(1, 1500, LONG_NL)])
    with served(bench.target, tmp_path) as path, PortLock(f"serial:{path}", "sit treat plan.toml"):
        for options in OPTIONS:
            code, told = flash(path, capsys, *options)
            assert code == EXIT_FAILED
            assert told.count("sit: ") == 1 and "is in use by process" in told and "sit treat plan.toml" in told
