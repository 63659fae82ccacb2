"""The lockstep: one loop, two firmware processes, time that jumps and time that doesn't."""

import random
from functools import partial
from pathlib import Path

import echo_app
import pytest
from fake_plant import FakePlant
from sit_firmware import codes, image
from sit_sim.targets import LinkLost
from sit_sim.targets.inprocess import InProcess
from sit_sim.targets.link import Lane, LinkFault
from sit_sim.targets.pipe import PipeProcess
from sit_sim.targets.stall import WINDOW_TICKS, Stall
from sit_sim.targets.trace import Trace, read

HERE = Path(__file__).parent


def echo_process(spec, fram):
    """The echo App on the process of a target."""
    if spec == "sim:":
        return InProcess(fram, echo_app.App)
    process = PipeProcess(fram, app_module="echo_app")
    process.extra_path.append(str(HERE))
    return process


@pytest.fixture
def echo(open_sim, target_spec):
    """Opens a target that runs the echo App on the fake plant."""

    def open_echo(spec=target_spec, **arguments):
        return open_sim(spec, plant=FakePlant(), process=partial(echo_process, spec), **arguments)

    return open_echo


def converse(target, skip):
    """A conversation with a power cut in it; what the host got, and the trace."""
    trace = Trace()
    target.trace(trace)
    target.machine.skip_idle = skip
    got = []
    for number in range(4):
        target.send(b"W%07d\0" % number)
        got.append((target.wait(target.now() + 0.7), target.now()))
        target.wait(target.now() + 0.3)
    target.control({"do": "power", "off_ms": 120})
    with pytest.raises(LinkLost):
        target.wait(target.now() + 1)
    target.reopen(target.now() + 1)
    target.send(b"R\0")
    got.append((target.wait(target.now() + 1), target.now()))
    target.wait(8.0)
    return got, bytes(trace.data)


def test_same_seed_same_trace_on_both_processes(echo):
    """Lockstep: the same seed gives the same bytes and the same trace, whatever runs the firmware and how often."""
    runs = [converse(echo(), skip=True), converse(echo(), skip=True), converse(echo("sim:"), skip=True)]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][0][4][0] == b"W0000003"  # what was written before the power cut


def test_skipped_and_unskipped_end_in_the_same_state(echo):
    """Lockstep: jumping over idle ticks changes nothing: bytes, times, records of the ticks that were run, plant."""
    skipped, plain = echo(), echo()
    got_skipped, trace_skipped = converse(skipped, skip=True)
    got_plain, trace_plain = converse(plain, skip=False)
    assert got_skipped == got_plain
    assert skipped.truth() == plain.truth()
    assert skipped.machine.ticks_run < plain.machine.ticks_run / 2
    by_tick = {record[0]: record for record in read(trace_plain)}
    assert all(by_tick[record[0]] == record for record in read(trace_skipped))


def test_seeds_differ(echo):
    """Lockstep: another seed is another run (else the two tests above prove nothing)."""
    assert converse(echo(seed=1), skip=True)[1] != converse(echo(seed=2), skip=True)[1]


def test_exception_in_read_ends_with_the_board_off(echo):
    """Invariant 6: an exception inside the tick clears drive, token and steps at once, and stays one tick."""
    target = echo(hand="none")
    target.control({"do": "hand", "action": "trigger"})
    target.wait(0.01)
    assert target.machine.outputs[image.OUT_DUTY] == 100
    target.control({"do": "tick_exception"})
    target.wait(target.now() + 0.00025)
    out = target.machine.outputs
    slots = (image.OUT_DUTY, image.OUT_BRIDGE, image.OUT_SWITCH, image.OUT_TOKEN, image.OUT_STEPS)
    assert [out[slot] for slot in slots] == [0] * 5
    target.wait(target.now() + 0.1)
    assert target.truth()["tip_um"] == 0


def test_standing_processor_gives_no_token_and_is_reset(echo):
    """Invariant 6: a dead processor emits no token and no step; the watchdog resets it and the drive comes back off."""
    target = echo(hand="none")
    target.control({"do": "hand", "action": "trigger"})
    target.wait(0.2)
    target.control({"do": "fault", "name": "tick_hung"})
    target.wait(target.now() + 0.0005)
    assert target.machine.outputs[image.OUT_DUTY] == 100  # what a peripheral holds stays
    assert target.machine.outputs[image.OUT_TOKEN] == 0
    target.control({"do": "hand", "action": "release"})
    with pytest.raises(LinkLost):
        target.wait(target.now() + 1.5)
    assert list(target.machine.outputs) == [0] * image.N_OUTPUTS
    target.reopen(target.now() + 1)
    assert target.machine.boots == 2


def test_hung_background_is_reset_by_the_watchdog(echo):
    """Invariant 6: a background that doesn't feed the watchdog is reset within its second; its tick runs on."""
    target = echo(hand="none")
    target.wait(0.1)
    target.control({"do": "fault", "name": "background_hung"})
    trace = Trace()
    target.trace(trace)
    with pytest.raises(LinkLost):
        target.wait(2.0)
    assert 1.0 <= target.now() <= 1.2
    assert len(read(trace.data)) >= 3999


def test_late_tick_shows_in_the_period(echo):
    """Invariant 8: a tick that comes late says so in IN_PERIOD_US; ticks jumped over while idle are not late."""
    target = echo(hand="none")
    trace = Trace()
    target.trace(trace)
    target.wait(1.0)
    assert {inputs[image.IN_PERIOD_US] for _, inputs, _, _ in read(trace.data)} == {250}
    target.control({"do": "hang_processor", "ms": 2})
    target.wait(target.now() + 0.01)
    assert max(inputs[image.IN_PERIOD_US] for _, inputs, _, _ in read(trace.data)) == 9 * 250


def test_hardware_counters_begin_anew_at_boot(echo):
    """Architecture: a reset board counts ticks and steps from zero, as a real one does."""
    target = echo(hand="none")
    target.wait(0.5)
    target.control({"do": "power", "off_ms": 100})
    trace = Trace()
    target.trace(trace)
    target.reopen(2.0)
    target.wait(2.0)
    assert read(trace.data)[0][1][image.IN_TICK] == 0


@pytest.mark.parametrize("kept", [0, 3, 8])
def test_power_cut_in_a_write_keeps_what_reached_the_store(echo, kept):
    """Invariant 4: the FRAM outlives the firmware; a write that power interrupts is there up to the cut."""
    target = echo(hand="none")
    target.send(b"Wold....\0")
    target.wait(0.1)
    target.control({"do": "power", "at_write": 1, "kept_bytes": kept, "off_ms": 50})
    target.send(b"Wnew----\0")
    with pytest.raises(LinkLost):
        target.wait(1.0)
    target.reopen(1.0)
    target.send(b"R\0")
    assert target.wait(2.0) == (b"Wnew----"[:kept] + b"Wold...."[kept:])


def test_failing_store_raises_oserror(echo):
    """Board contract: the store raises OSError while its fault is on, and works again after."""
    target = echo(hand="none")
    target.control({"do": "store", "kind": "write", "count": 1})
    target.send(b"Wxxxxxxx\0")
    assert target.wait(1.0) == b"E5\0"
    target.send(b"Wxxxxxxx\0")
    assert target.wait(2.0).endswith(b"Wxxxxxxx\0")


def test_store_lives_in_the_state_folder(echo, tmp_path):
    """A simulator started again on its state folder finds its store; two at once are refused."""
    target = echo(hand="none", state_dir=tmp_path)
    target.send(b"Wkeep me\0")
    target.wait(1.0)
    with pytest.raises(Exception, match="another simulator"):
        echo(hand="none", state_dir=tmp_path)
    target.close()
    again = echo(hand="none", state_dir=tmp_path)
    again.send(b"R\0")
    assert again.wait(1.0) == b"Wkeep me"


def test_pulled_cable_is_noticed_however_short(echo):
    """A loss of the connection that nobody was waiting through is a loss all the same."""
    target = echo(hand="none")
    target.control({"do": "cable", "out_ms": 10})
    target.control({"do": "run", "ms": 50})
    with pytest.raises(LinkLost):
        target.send(b"lost\0")
    target.reopen(target.now())
    target.send(b"found\0")
    assert target.wait(1.0).endswith(b"found\0")


def test_wait_returns_at_the_deadline_and_at_once_for_one_past(echo):
    """Transport contract: a deadline in the past takes no time, one ahead is reached and not overshot."""
    target = echo(hand="none")
    assert target.wait(0.1) == b"" and target.now() == 0.1
    assert target.wait(0.05) == b"" and target.now() == 0.1


def test_wait_returns_with_the_bytes_not_later(echo):
    """Transport contract: an answer is handed over at the tick it arrives, however idle the device is then."""
    target = echo(hand="none")
    target.wait(1.0)
    target.send(b"x\0")
    assert target.wait(3.0).endswith(b"x\0")
    assert target.now() <= 1.0 + 0.005


@pytest.mark.targets("sim:", reason="the lanes know nothing of the firmware process")
def test_link_faults_are_deterministic(target_spec):
    """Link faults are a function of the seed and the frames, not of how their bytes were cut up."""

    def run(pieces):
        lane = Lane(5, "to_device")
        lane.set_faults([LinkFault(drop=0.2, duplicate=0.2, corrupt=0.2, truncate=0.2, delay_ms=4, reorder=True)])
        stream = b"".join(b"frame %d\0" % number for number in range(40))
        cuts = random.Random(pieces)
        tick = 0
        while stream:
            size = cuts.randrange(1, pieces + 1)
            lane.put(tick, stream[:size])
            stream = stream[size:]
        out = []
        while lane.due_tick < 1 << 40:
            tick = lane.due_tick
            out.append((tick, lane.take(tick, 1 << 20)))
        return out

    assert run(1) == run(7) == run(400)
    frames = b"".join(data for _, data in run(7))
    assert frames.count(b"\0") not in (0, 40)


@pytest.mark.targets("sim:", reason="stalls know nothing of the firmware process")
def test_stalls_are_a_function_of_the_tick(target_spec):
    """Stalls don't move when ticks are jumped over, and a window without them has none."""
    every = Stall(3)
    withheld = [tick for tick in range(60 * WINDOW_TICKS) if every.withholds(tick)]
    odd = Stall(3)
    assert [tick for tick in range(1, 60 * WINDOW_TICKS, 2) if odd.withholds(tick)] == [t for t in withheld if t % 2]
    assert 0 < len(withheld) < 60 * 12
    every.set(0, 12)
    assert not any(every.withholds(tick) for tick in range(60 * WINDOW_TICKS))


def test_hand_shows_on_the_panel(echo):
    """The hand and the panel: a light that asks for a press gets one within two seconds, without the host."""
    target = echo()
    target.wait(2.0)
    assert target.machine.shots_begun >= 1
    assert target.machine.phase in (codes.PHASE_IDLE, codes.PHASE_APPROACH)
