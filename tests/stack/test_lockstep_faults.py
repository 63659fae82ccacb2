"""Single faults drawn from the closed list, anywhere in a shot, on drawn units: what must hold whatever happens."""

import random
from collections import Counter

import pytest
import steps
from sit_host._gen import enums
from sit_host.errors import LinkLost, NoAnswer, SitError
from sit_host.outcome import Delivered, expect
from sit_sim.faults import F1

RUNS = 10
PHASES = ("APPROACH", "INSERT", "SETTLE", "DISPENSE", "DWELL", "RETRACT")
ENDS = (enums.Record.DONE, enums.Record.PARTIAL, enums.Record.ABORTED, enums.Record.UNCERTAIN)
# the plant's own steps that no firmware asked for, and a syringe torn out: what a shot has made can't be compared
STEPS_OF_THEIR_OWN = ("steps_extra", "wrong_syringe")


def story(draw, unit_seed):
    """(what happens, scenario text) of one run."""
    name = draw.choice(list(F1)).name.lower()
    command = f'do = "fault"\nname = "{name}"'
    if draw.random() < 0.15:
        name = "power_cut in a write"
        write, kept = draw.randint(1, 5), draw.choice((0, 1, 16, 32, 63, 64))
        command = f'do = "power"\nat_write = {write}\nkept_bytes = {kept}'
    when = f'at_point = {draw.randint(1, 2)}\nphase = "{draw.choice(PHASES)}"'
    after_ms = draw.choice((0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0))
    text = f"[device]\nspread_seed = {unit_seed}\n[[event]]\n{when}\nafter_ms = {after_ms}\n{command}\n"
    return name, text


def mend(client):
    """The world is put right again: cable, link, store; then the board starts anew."""
    for command in ({"do": "link"}, {"do": "cable", "state": "in"}, {"do": "store", "count": 0}):
        client.transport.control(command)
    client.transport.control({"do": "run", "ms": 4000})


@pytest.mark.parametrize("number", range(RUNS))
def test_any_single_fault_ends_safe_and_accounted_for(open_device, seed, tmp_path, number):
    """Invariants 1, 4, 5, 6 under F1: depth, drive off, one end for each INTENT, no identity twice, steps as booked."""
    draw = random.Random(f"{seed} {number}")
    unit_seed = draw.randrange(1 << 30)
    name, text = story(draw, unit_seed)
    path = tmp_path / "story.toml"
    path.write_text(text)
    client = open_device(scenario=path, seed=unit_seed)
    try:
        steps.make_ready(client)
        depth_um = draw.choice((600, 1200, 1800, client.device.max_depth_um))
        steps.load(client, steps.rows(3, volume_nl=draw.choice((1_000, 5_000, 10_000)), depth_um=depth_um))
        steps.give(client, 3, timeout_s=25.0)
    except (SitError, AssertionError):
        pass  # a fault may end the treatment anywhere; what holds afterwards is what counts
    mend(client)
    truth = client.transport.truth()
    assert truth["tip_max_um"] <= 2000, text
    assert truth["energised"] == 0, text
    client.transport.control({"do": "power"})
    with pytest.raises((LinkLost, NoAnswer)):
        while True:
            client.wait(client.transport.now() + 1.0)
    client.reconnect(10.0)
    intents = steps.records(client, enums.Record.INTENT)
    ends = steps.records(client, *ENDS)
    assert Counter(record.ref for record in ends) == Counter(record.seq for record in intents), text
    assert max(Counter((record.point, record.attempt) for record in intents).values(), default=1) == 1, text
    # power may go between INTENT and motion: one shot fewer than the ledger takes into account, never one more
    assert len(intents) - len(truth["shots"]) in (0, 1), text
    if name not in STEPS_OF_THEIR_OWN:
        for record, shot in zip(ends, truth["shots"], strict=False):
            assert record.kind == enums.Record.UNCERTAIN or record.steps == shot["shot"]["steps"], text
    uncertain = expect(client.status()).uncertain_seq
    assert bool(uncertain) == any(record.kind == enums.Record.UNCERTAIN for record in ends), text
    if uncertain:
        refused = client.arm(2000, 0, 1)
        assert not isinstance(refused, Delivered), text
