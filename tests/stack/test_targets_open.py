"""Opening targets: what is wrong is one sentence, what is asked for is what runs."""

import runpy
import sys
import time
from pathlib import Path

import pytest
import sit_firmware
from fake_plant import FakePlant
from sit_sim.targets import ControlError, TargetError, open_target, pipe
from sit_sim.targets.fram import Fram
from test_lockstep import echo_process

ONCE = pytest.mark.targets("sim:", reason="it knows nothing of the firmware process")


@pytest.fixture
def open_echo(open_sim):
    """Opens the echo App on the fake plant."""
    return lambda **arguments: open_sim(plant=FakePlant(), process=lambda fram: echo_process("sim:", fram), **arguments)


@ONCE
def test_unknown_target_is_one_sentence(target_spec):
    """Opening: an unknown target is named with those there are."""
    with pytest.raises(TargetError, match="'sim:basic' isn't known; use sim:, sim:micropython or emu:PATH"):
        open_target("sim:basic")


@ONCE
def test_missing_micropython_says_what_to_do(target_spec, monkeypatch):
    """Opening: where there is no MicroPython the sentence names the way out."""
    monkeypatch.setattr(pipe, "find_micropython", lambda: None)
    with pytest.raises(TargetError, match=r"make setup.*sim:"):
        open_target("sim:micropython")


@ONCE
def test_missing_hand_script_is_one_sentence(open_echo, tmp_path):
    """Opening: a hand script that isn't there is named."""
    with pytest.raises(ControlError, match=r"nobody\.txt"):
        open_echo(hand=str(tmp_path / "nobody.txt"))


@ONCE
def test_damaged_state_folder_is_not_overwritten(open_echo, tmp_path):
    """Opening: a store of the wrong size is left alone and named."""
    (tmp_path / "store.bin").write_bytes(b"short")
    with pytest.raises(TargetError, match="5 bytes where a store has 262144"):
        open_echo(state_dir=tmp_path)
    assert (tmp_path / "store.bin").read_bytes() == b"short"


@ONCE
def test_realtime_target_is_paced(open_echo):
    """Opening: `realtime` ties target time to the wall clock; without it a second takes no second."""
    start = time.monotonic()
    open_echo().wait(60.0)
    assert time.monotonic() - start < 30
    start = time.monotonic()
    open_echo(realtime=True).wait(0.3)
    assert time.monotonic() - start > 0.25


def test_firmware_that_dies_is_said_with_its_last_lines(open_sim, target_spec, tmp_path, monkeypatch):
    """Opening: a firmware that raises while starting is named with what it raised, on either process."""
    (tmp_path / "broken_app.py").write_text(
        "class App:\n    def __init__(self, board):\n        raise ValueError('ouch')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def process(fram):
        if target_spec == "sim:":
            import broken_app
            from sit_sim.targets.inprocess import InProcess

            return InProcess(fram, broken_app.App)
        runner = pipe.PipeProcess(fram, app_module="broken_app")
        runner.extra_path.append(str(tmp_path))
        return runner

    with pytest.raises(TargetError, match=r"(?s)ValueError.*ouch"):
        open_sim(plant=FakePlant(), process=process)


@ONCE
def test_store_has_its_bounds(target_spec):
    """Board contract: the store refuses what lies outside it with OSError."""
    from sit_firmware.boards.sim import STORE_BYTES, SimBoard
    from sit_sim.targets.inprocess import DirectExchange

    store = SimBoard(DirectExchange(Fram())).store
    assert store.size == STORE_BYTES
    for addr, data in ((-1, b"x"), (STORE_BYTES, b"x"), (STORE_BYTES - 1, b"xy")):
        with pytest.raises(OSError):
            store.write(addr, data)
        with pytest.raises(OSError):
            store.readinto(addr, bytearray(data))
    store.write(STORE_BYTES - 1, b"x")


@ONCE
def test_link_takes_no_more_than_its_buffer(target_spec):
    """Board contract: `link.write` takes what fits and says how much; none while the host doesn't read."""
    from sit_firmware.boards.sim import SimBoard
    from sit_sim.targets.inprocess import DirectExchange

    exchange = DirectExchange(Fram())
    link = SimBoard(exchange).link
    assert link.write(bytes(500)) == 500
    assert link.write(bytes(500)) == 12
    assert link.write(b"x") == 0
    exchange.tx_len = 0
    exchange.tx_blocked = 1
    assert link.write(b"x") == 0


@ONCE
def test_target_may_be_closed_twice(open_echo, tmp_path):
    """Opening: closing again does nothing; the state folder is free for the next one."""
    target = open_echo(state_dir=tmp_path)
    target.close()
    target.close()
    open_echo(state_dir=tmp_path)


MAIN = Path(sit_firmware.__file__).parents[1] / "main.py"


@ONCE
def test_main_names_a_platform_without_a_board(target_spec, monkeypatch):
    """Boot: on a platform with no board module the firmware doesn't start and says so; nothing is simulated."""
    monkeypatch.syspath_prepend(MAIN.parent)  # main.py finds sit_slots beside it
    module = runpy.run_path(str(MAIN))
    with pytest.raises(SystemExit, match="no board for the platform plan9"):
        module["main"]("plan9")
    assert not [name for name in module["BOARDS"].values() if "sim" in name.split(".")[-1]]
    assert sys.platform not in module["BOARDS"]
