"""The lease: renewed only while the program that armed is waiting in the client, and never brought back to life."""

from __future__ import annotations

import itertools
import threading

import pytest
from sit_host._gen import messages
from sit_host._gen.enums import Refusal, State
from sit_host.errors import LinkLost
from sit_host.outcome import Delivered, Refused, expect
from sit_host.testing import ScriptedDevice, header, make

LEASE_MS = 2000


def _armed() -> tuple[ScriptedDevice, object]:
    device = ScriptedDevice()
    client = device.client()
    device.header = header(state=State.ARMED)
    device.answer(messages.Arm, lambda request: make(messages.ArmReply, header=device.header))
    assert isinstance(client.arm(LEASE_MS, 0, 3), Delivered)
    return device, client


def test_waiting_renews_in_time() -> None:
    """Invariant 3: while the host waits, no two renewals lie a lease apart, not even with replies lost."""
    device, client = _armed()
    times = [device.now()]
    device.answer(
        messages.Renew, lambda request: times.append(device.now()) or make(messages.RenewReply, header=device.header)
    )
    client.sleep(5)
    device.drop_replies = 1
    client.sleep(5)
    assert len(times) > 10
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < LEASE_MS / 1000
    assert set(device.sent(messages.Renew)) == {messages.Renew(LEASE_MS)}


def test_a_request_that_waits_long_renews_too() -> None:
    """A reply that doesn't come doesn't cost the lease."""
    device, client = _armed()
    device.answer(messages.SettingsRead, None)
    client.settings_read()
    assert len(device.sent(messages.Renew)) >= 2


def test_a_program_that_does_not_wait_loses_the_lease() -> None:
    """Invariant 3: a program that hangs or stands at a question renews nothing, nor afterwards."""
    device, client = _armed()
    device.wait(device.now() + 3)  # time passes, nobody is in the client
    client.sleep(5)
    assert not device.sent(messages.Renew) and not client.lease.active


def test_serving_others_does_not_keep_a_hung_programs_lease() -> None:
    """Invariant 3: the thread that relays for other processes never renews the lease of the one that armed."""
    device, client = _armed()

    def relay() -> None:
        for _ in range(20):
            expect(client.status())
            client.sleep(0.2)

    thread = threading.Thread(target=relay)
    thread.start()
    thread.join()
    assert not device.sent(messages.Renew)


def test_a_refused_renewal_ends_it() -> None:
    """A renewal that the device refuses isn't repeated: the lease is over."""
    device, client = _armed()
    device.answer(messages.Renew, Refusal.BAD_STATE)
    client.sleep(5)
    assert len(device.sent(messages.Renew)) == 1 and not client.lease.active


@pytest.mark.parametrize("state", [State.IDLE, State.FAULT, State.BUSY])
def test_a_device_that_isnt_armed_any_more_is_not_renewed(state: State) -> None:
    """Any reply that shows another state ends the keeper."""
    device, client = _armed()
    device.header = header(state=state)
    expect(client.status())
    client.sleep(5)
    assert not device.sent(messages.Renew)


def test_a_lost_link_ends_it() -> None:
    """Invariant 3: after a lost link the new session renews nothing of the old one."""
    device, client = _armed()
    device.cut()
    with pytest.raises(LinkLost):
        client.wait(device.now() + 1)
    client.reconnect()
    client.sleep(5)
    assert not device.sent(messages.Renew)


def test_refused_or_unknown_arming_keeps_no_lease() -> None:
    """Arming that was refused or is unknown is not kept alive: an armed device then disarms by itself."""
    device = ScriptedDevice()
    client = device.client()
    device.answer(messages.Arm, Refusal.NOT_READY, None)
    assert isinstance(client.arm(LEASE_MS, 0, 1), Refused)
    client.arm(LEASE_MS, 0, 1)
    client.sleep(5)
    assert not device.sent(messages.Renew)
