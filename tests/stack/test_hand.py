"""The automatic hand at the whole stack: it sees lights, hears tones, feels contact, and finishes what is asked."""

import inspect

import pytest
import steps
from sit_host._gen import enums, messages
from sit_host.outcome import Delivered, Refused, expect
from sit_sim import hand

DONE = int(enums.Record.DONE)


def change(client, what, wait_s=steps.HAND_S):
    """The whole change, as a host does it."""
    expect(client.change(what, done=False))
    client.sleep(wait_s)
    return client.run(messages.Change(what, 0, 1), 5.0)


def test_hand_finishes_the_points_in_two_to_three_seconds_each(ready_device):
    """The hand: READY, contact, trigger, lift, next site; each point takes 2-3 s of target time."""
    count = 6
    steps.load(ready_device, steps.rows(count, volume_nl=3_000))
    start_s = ready_device.transport.now()
    shots = steps.give(ready_device, count)
    assert [(event.b, event.c) for event in shots] == [(DONE, point) for point in range(1, count + 1)]
    assert 1.5 <= (ready_device.transport.now() - start_s) / count <= 3.0


def test_hand_goes_to_a_new_site_for_each_point(ready_device):
    """The hand moves on: each point meets its own skin."""
    steps.load(ready_device, steps.rows(3, volume_nl=1_000))
    steps.give(ready_device, 3)
    surfaces = [shot["skin_surface_um"] for shot in ready_device.transport.truth()["shots"]]
    assert len(set(surfaces)) == 3


def test_hand_that_nobody_asks_keeps_still(device):
    """The hand: without a light that asks for it, it touches nothing."""
    device.sleep(20.0)
    truth = device.transport.truth()
    assert truth["contact_n"] == 0 and truth["shot"]["number"] == 0


@pytest.mark.parametrize("what", [enums.Change.NEEDLE, enums.Change.SYRINGE])
def test_hand_changes_and_adjusts(ready_device, what):
    """The hand: a change light gets the part changed and the nose-piece adjusted: the next zero is in its window."""
    before = ready_device.transport.truth()
    end = expect(change(ready_device, what))
    assert end.done
    after = ready_device.transport.truth()
    assert after["zero_um"] != before["zero_um"]
    assert after["air_nl"] > before["air_nl"]
    steps.work(ready_device, messages.Zero())
    steps.work(ready_device, messages.Prime(60_000))


def test_syringe_that_is_out_refuses_the_end_of_the_change(ready_device):
    """Hand and host: a host that doesn't wait for the hand is refused while no syringe is there."""
    expect(ready_device.change(enums.Change.SYRINGE, done=False))
    ready_device.sleep(0.8)
    outcome = ready_device.run(messages.Change(enums.Change.SYRINGE, 0, 1), 5.0)
    assert isinstance(outcome, Refused)
    ready_device.sleep(2.0)
    assert isinstance(ready_device.run(messages.Change(enums.Change.SYRINGE, 0, 1), 5.0), Delivered)


def test_hand_lifts_when_the_host_disarms(ready_device):
    """The hand: when the light asks for nothing any more it lets go and lifts."""
    steps.load(ready_device, steps.rows(2))
    expect(ready_device.arm(2000, 0, 2))
    pressed = ready_device.wait_for(lambda: ready_device.transport.truth()["contact_n"] > 0, 5.0)
    expect(ready_device.disarm())
    assert pressed
    ready_device.sleep(2.0)
    assert ready_device.transport.truth()["contact_n"] == 0


def test_hand_of_another_seed_is_as_quick(open_device):
    """The hand's delays are drawn: other seeds press at other times and finish too."""
    times = set()
    for seed in (11, 12):
        client = open_device(seed=seed)
        steps.make_ready(client)
        steps.load(client, steps.rows(1, volume_nl=1_000))
        assert len(steps.give(client, 1)) == 1
        times.add(client.transport.now())
    assert len(times) == 2


def test_no_hand_gives_no_shot(open_device):
    """Invariant 2: prepared and armed by the host, with nobody at the device, nothing is injected."""
    client = open_device(hand="none")
    steps.work(client, messages.Selftest())
    client.transport.control({"do": "hand", "action": "fit_zero_tool"})
    steps.work(client, messages.Zero())
    client.transport.control({"do": "hand", "action": "remove_zero_tool"})
    steps.work(client, messages.Prime(60_000))
    steps.load(client, steps.rows(1))
    before = client.transport.truth()
    assert steps.give(client, 1, timeout_s=10.0) == []
    after = client.transport.truth()
    assert after["shot"]["number"] == before["shot"]["number"]
    assert after["plunger_steps"] == before["plunger_steps"]


@pytest.mark.targets("sim:", reason="it reads source text")
def test_hand_knows_lights_and_tones_alone(target_spec):
    """The hand: of the firmware it knows the codes of lights and tones, and of the device what it does to it."""
    source = inspect.getsource(hand)
    assert [line for line in source.splitlines() if "sit_firmware" in line] == ["from sit_firmware import codes"]
    words = {word.split("_")[0] for word in source.split("codes.")[1:]}
    assert words == {"LIGHT", "TONE"}
