"""The lockstep under the real firmware and the host's client: a treatment is the same bytes however it is run."""

import itertools
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import sit_firmware
import steps
from sit_build.slim import slim
from sit_host import device_link
from sit_host.client import Client
from sit_host.transport import SimOptions, open_transport
from sit_sim.targets.child import frames
from sit_sim.targets.trace import Trace, read
from test_lockstep_scenarios import FOLDER, give

CLOCK_S = 1_800_000_000
STORIES = (
    "nominal",
    "noisy_link",
    "power_cut_mid_shot",
    "cable_pulled_mid_treatment",
    "background_hung",
    "contact_lost",
)
ONCE = pytest.mark.targets("sim:", reason="the processes are compared with each other in test_same_seed_same_trace")


@cache
def treat(spec, seed=1, story="nominal", skip=True):
    """Two points on a new device in a scenario: (trace, store, truth, tick at the end, ticks run, state)."""
    nonces = itertools.count(41)  # the host's are random
    transport = open_transport(spec, SimOptions(seed=seed, scenario=FOLDER / f"{story}.toml"))
    client = Client(transport, unix_s=lambda: CLOCK_S)
    try:
        machine = transport.target.machine
        machine.skip_idle = skip
        transport.target.process.want_state = True
        trace = Trace()
        transport.target.trace(trace)
        with mock.patch.object(device_link.secrets, "randbelow", lambda limit: next(nonces)):
            client.hello()
            client.start_events()
            client.set_clock_if_needed()
            steps.make_ready(client)
            steps.load(client, steps.rows(2, volume_nl=5_000))
            give(client, 2)
        transport.control({"do": "run", "ms": 3000})
        assert machine.shots_begun == 2
        state = list(transport.target.process.state)
        return bytes(trace.data), bytes(machine.fram.data), transport.truth(), machine.tick, machine.ticks_run, state
    finally:
        client.close()


@pytest.mark.parametrize("story", STORIES)
def test_same_seed_same_trace(target_spec, seed, story):
    """Lockstep: a seed gives the same trace byte for byte and the same state, on `sim:` and on `sim:micropython`."""
    ours, reference = treat(target_spec, seed, story), treat("sim:", seed, story)
    assert ours[0] == reference[0]
    assert ours[1:] == reference[1:]


@pytest.mark.needs("heap", reason="what is made for chips runs on MicroPython")
def test_slimmed_firmware_gives_the_same_trace(target_spec, seed, tmp_path, monkeypatch):
    """One source: with its constants put in, as on every chip, the firmware does the same byte for byte."""
    package = Path(sit_firmware.__file__).parent
    texts = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    # what starts the firmware here asks for some constants by name; nothing on a chip does
    texts["launcher.py"] = Path(frames.__file__).with_name("launcher.py").read_text()
    texts["launcher.py"] = texts["launcher.py"].replace("from sit_firmware", "from elsewhere")
    for name, text in slim(texts, package.name).items():
        path = tmp_path / package.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    slimmed = SimpleNamespace(__file__=str(tmp_path / package.name / "__init__.py"))
    monkeypatch.setattr("sit_sim.targets.pipe.sit_firmware", slimmed)
    assert treat.__wrapped__(target_spec, seed) == treat("sim:", seed)


@ONCE
def test_the_same_run_twice(target_spec, seed):
    """Lockstep: nothing but seed and host decides what happens."""
    assert treat.__wrapped__(target_spec, seed) == treat(target_spec, seed)


@ONCE
@pytest.mark.parametrize("story", STORIES)
def test_skipped_and_unskipped_end_in_the_same_state(target_spec, seed, story):
    """Lockstep: stepping through every idle tick ends in the same store, the same plant, at the same time."""
    skipped, plain = treat(target_spec, seed, story), treat(target_spec, seed, story, skip=False)
    assert skipped[1] == plain[1]
    assert skipped[2] == plain[2]
    assert skipped[3] == plain[3]
    assert skipped[4] < plain[4] * 0.6
    by_tick = {record[0]: record for record in read(plain[0])}
    assert all(by_tick[record[0]] == record for record in read(skipped[0]))


@ONCE
def test_another_seed_is_another_run(target_spec, seed):
    """Lockstep: the comparisons above can fail."""
    assert treat(target_spec, seed + 1)[0] != treat(target_spec, seed)[0]
