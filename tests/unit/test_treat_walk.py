"""The walk to readiness against a scripted device: what can't be brought about ends in one sentence with what to do."""

import pytest
from sit_host._gen import enums, messages
from sit_host._gen.enums import Ready, Refusal, State
from sit_host.errors import RefusedError, UnknownError, WorkFailed
from sit_host.testing import ScriptedDevice, header, make
from sit_host.treatment import walk as walk_module
from sit_host.treatment.device import Watched
from sit_host.treatment.walk import Walk

PRESENT = 1 << 5
OWN = (Ready.TESTED, Ready.ZEROED, Ready.PRIMED, Ready.LOADED)


class Quiet:
    """A `Talk` with nobody behind it."""

    attended = True

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)

    pause = say


@pytest.fixture
def device():
    scripted = ScriptedDevice()
    scripted.answer(
        messages.EventsRead,
        lambda request: make(
            messages.EventsReadReply, header=scripted.header, head=scripted.status().event_head, events=b""
        ),
    )
    return scripted


@pytest.fixture
def walk(device):
    return Walk(Watched(device.client()), Quiet())


def status(missing=0, inputs=PRESENT):
    return make(messages.StatusReply, header=header(ready=enums.READY_NEED & ~missing), inputs=inputs)


@pytest.mark.parametrize("bit", [bit for bit in Ready if bit & enums.READY_NEED and bit not in OWN])
def test_what_nobody_here_can_mend_is_told(walk, bit):
    """A full ledger, damaged settings, no clock, an unhealthy device: one sentence and what to do, before anything."""
    with pytest.raises(RefusedError) as refused:
        walk.check(status(bit))
    assert refused.value.name == bit.name
    assert enums.READY_DOCS[bit][0] in refused.value.what and enums.READY_DOCS[bit][1] == refused.value.do


@pytest.mark.parametrize("bit", OWN)
def test_what_the_walk_brings_about_is_no_obstacle(walk, bit):
    """Self-test, zero, prime and loading are the walk's own work; a missing syringe is put in by a change."""
    walk.check(status(bit))
    walk.check(status(Ready.HEALTHY, inputs=0))


def work_events(device, kind, result, cause=0, ready=enums.READY_NEED):
    """Work of a kind is accepted and ends so."""

    def begin(request):
        device.header = header(ready=ready)
        device.event(enums.Event.WORK, request.ID, result, cause)
        return make(messages.RULES[request.ID].reply, header=header(state=State.BUSY))

    device.answer(kind, begin)


def test_done_is_what_the_device_says(device, walk):
    """A self-test is done when the device says TESTED, not when it was asked for."""
    device.header = header(ready=enums.READY_NEED & ~Ready.TESTED)
    work_events(device, messages.Selftest, enums.Fault.SPRING, cause=7, ready=enums.READY_NEED & ~Ready.TESTED)
    with pytest.raises(WorkFailed, match="failed in step 7: The spring"):
        walk.selftest()


def test_a_zero_outside_its_window_is_adjusted_and_tried_again(device, walk):
    """Zero: the operator is told by how much, and asked again a few times, not for ever."""
    device.header = header(ready=enums.READY_NEED & ~Ready.ZEROED)
    work_events(device, messages.Zero, Refusal.WRONG_ZERO, cause=40, ready=enums.READY_NEED & ~Ready.ZEROED)
    with pytest.raises(WorkFailed, match=r"It is \+40 um off"):
        walk.zero()
    asked = sum("fit the zero tool" in text for text in walk._talk.said)
    assert asked == walk_module.ZERO_TRIES


def test_a_zero_without_its_tool_is_asked_for_again(device, walk):
    """Zero: without the tool the gate isn't met; the operator is told so."""
    device.header = header(ready=enums.READY_NEED & ~Ready.ZEROED)
    ready = enums.READY_NEED & ~Ready.ZEROED
    work_events(device, messages.Zero, Refusal.NOT_READY, cause=enums.Cause.NO_GATE, ready=ready)
    with pytest.raises(WorkFailed, match="light gate"):
        walk.zero()


def test_priming_goes_on_while_air_is_left(device, walk):
    """Prime: the device says whether air is left; then it is primed again a few times, not for ever."""
    ready = enums.READY_NEED & ~Ready.PRIMED
    device.header = header(ready=ready)
    work_events(device, messages.Prime, Refusal.NOT_READY, ready=ready)
    with pytest.raises(WorkFailed, match="Air is left"):
        walk.prime(10_000)
    assert len(device.sent(messages.Prime)) == walk_module.PRIME_TRIES


def test_a_fault_while_priming_is_not_tried_again(device, walk):
    """Prime: a blocked needle is told with what to do, and nothing more is pushed."""
    ready = enums.READY_NEED & ~Ready.PRIMED
    device.header = header(ready=ready)
    work_events(device, messages.Prime, enums.Fault.OCCLUSION, ready=ready)
    with pytest.raises(WorkFailed, match="blocked"):
        walk.prime(10_000)
    assert len(device.sent(messages.Prime)) == 1


def test_a_change_whose_syringe_is_out_is_not_taken_for_done(device, walk, monkeypatch):
    """Change: while the device sees no syringe it is asked for again, and in the end the change is broken off."""
    monkeypatch.setattr(walk_module, "CHANGE_TRIES", 3)

    def change(request):
        return Refusal.NOT_READY if request.done else make(messages.ChangeReply, header=header(state=State.BUSY))

    device.answer(messages.Change, change)
    with pytest.raises(WorkFailed, match="was not changed"):
        walk.change(enums.Change.SYRINGE, 1, "Fit a syringe.")
    assert any(isinstance(message, messages.Stop) for message in device.seen)


def test_work_whose_end_is_never_told_is_unknown(device, walk):
    """Exit code 3: work that was accepted and never reported is neither done nor failed."""
    device.answer(messages.Prime, make(messages.PrimeReply, header=header(state=State.BUSY)))
    with pytest.raises(UnknownError):
        walk.prime(45_000)


def test_a_late_reply_keeps_no_treatment_waiting(device):
    """Invariant 9: after a stop by another process a treatment goes by what the device does, not by an older reply."""
    client = device.client()
    watched = Watched(client)
    client.header = header(state=State.ARMED)
    assert watched.moving(), "as its last reply told"
    client.stopped_elsewhere = True
    assert not watched.moving()
