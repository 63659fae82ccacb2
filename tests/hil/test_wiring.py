"""The wiring of a bench, before anything else: nothing is driven here."""

import bench_rig
import pytest
from sit_host._gen.enums import State
from sit_host.describe import INPUTS
from sit_host.outcome import expect

ACTS = (
    ("trigger", "trigger", "release"),
    ("contact", "press", "lift"),
    ("service jumper", "jumper_on", "jumper_off"),
    ("pairing button", "pair", "pair_release"),
)
PERSON_S = 60.0


def is_on(client, name):
    """Whether STATUS shows an input on."""
    return bool(expect(client.status()).inputs >> INPUTS.index(name) & 1)


def await_input(client, name, on):
    """Wait until an input is on or off; fails when it isn't in time."""
    seen = client.wait_for(lambda: is_on(client, name) == on, PERSON_S)
    assert seen, f"{name} didn't go {'on' if on else 'off'} within {PERSON_S:g} s: look at its wire in docs/wiring.md"


def test_board_inputs_and_supply_are_the_rigs(wired, rig):
    """Board, identity, depth limit, inputs at rest and supply are as the rig says; nothing else runs before."""
    assert bench_rig.wiring_errors(wired, rig) == []


@pytest.mark.needs("asking", reason="somebody must act on the inputs when asked")
@pytest.mark.parametrize(("name", "act", "undo"), ACTS, ids=[row[1] for row in ACTS])
def test_each_input_reaches_the_device(bench, ask, name, act, undo):
    """Each input that a person can act on goes on and off on its own wire, and no other one goes with it."""
    before = expect(bench.status()).inputs
    assert not is_on(bench, name)
    ask(act)
    await_input(bench, name, True)
    assert expect(bench.status()).inputs == before | 1 << INPUTS.index(name)
    ask(undo)
    await_input(bench, name, False)
    assert expect(bench.status()).inputs == before


@pytest.mark.needs("asking", reason="somebody must press the e-stop when asked")
def test_the_estop_latches_a_fault(bench, ask):
    """Invariant 6: the e-stop reaches the device, latches its fault, and only CLEAR takes it away."""
    ask("estop")
    await_input(bench, "e-stop", True)
    assert bench.wait_for(lambda: expect(bench.status()).header.state == State.FAULT, 2.0)
    ask("estop_release")
    await_input(bench, "e-stop", False)
    assert expect(bench.status()).header.state == State.FAULT
    expect(bench.clear_fault(expect(bench.status()).header.fault))
    assert bench.wait_for(lambda: expect(bench.status()).header.state == State.IDLE, 2.0)
