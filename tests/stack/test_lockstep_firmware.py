"""The lockstep under the real firmware and the host's client: a treatment is the same bytes however it is run."""

from functools import cache

import pytest
import steps
from sit_host import device_link
from sit_host.client import Client
from sit_host.transport import SimOptions, open_transport
from sit_sim.targets.trace import Trace, read

CLOCK_S = 1_800_000_000


@cache
def treat(spec, seed=1, skip=True, stall=25):
    """Two points on a new device: (trace, store, truth, ticks run, target time)."""
    transport = open_transport(spec, SimOptions(seed=seed))
    client = Client(transport, unix_s=lambda: CLOCK_S)
    try:
        machine = transport.target.machine
        machine.skip_idle = skip
        transport.control({"do": "stall", "percent": stall})
        trace = Trace()
        transport.target.trace(trace)
        client.hello()
        client.start_events()
        client.set_clock_if_needed()
        steps.make_ready(client)
        steps.load(client, steps.rows(2, volume_nl=5_000))
        shots = steps.give(client, 2)
        client.sleep(1.0)
        assert len(shots) == 2
        return bytes(trace.data), bytes(machine.fram.data), transport.truth(), machine.ticks_run, machine.tick
    finally:
        client.close()


@pytest.fixture(autouse=True)
def same_nonce(monkeypatch):
    """The host's nonce is random; here it isn't."""
    monkeypatch.setattr(device_link.secrets, "randbelow", lambda limit: 41)


def test_same_seed_same_trace(target_spec, seed):
    """Lockstep: the same seed gives the same trace byte for byte, on `sim:` and on `sim:micropython`."""
    ours, reference = treat(target_spec, seed), treat("sim:", seed)
    assert ours[0] == reference[0]
    assert ours[1:] == reference[1:]


@pytest.mark.targets("sim:", reason="the processes are compared with each other above")
def test_the_same_run_twice(target_spec, seed):
    """Lockstep: nothing but seed and host decides what happens."""
    assert treat.__wrapped__(target_spec, seed)[:2] == treat(target_spec, seed)[:2]


@pytest.mark.targets("sim:", reason="the processes are compared with each other above")
def test_skipped_and_unskipped_end_in_the_same_state(target_spec, seed):
    """Lockstep: stepping through every idle tick ends in the same store, the same plant, at the same time."""
    skipped, plain = treat(target_spec, seed), treat(target_spec, seed, skip=False)
    assert skipped[1] == plain[1]
    assert skipped[2] == plain[2]
    assert skipped[4] == plain[4]
    assert skipped[3] < plain[3] * 0.6
    by_tick = {record[0]: record for record in read(plain[0])}
    assert all(by_tick[record[0]] == record for record in read(skipped[0]))


@pytest.mark.targets("sim:", reason="the processes are compared with each other above")
def test_another_seed_is_another_run(target_spec, seed):
    """Lockstep: the comparisons above can fail."""
    assert treat(target_spec, seed + 1)[0] != treat(target_spec, seed)[0]
