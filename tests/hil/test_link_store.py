"""Link, identity, settings and ledger of a device: nothing moves."""

import pytest
from sit_host._gen.enums import Refusal, State
from sit_host.describe import SETTINGS_DAMAGED
from sit_host.ledger import read_records
from sit_host.outcome import Delivered, Refused, expect

TRIPS = 50


def test_the_same_device_answers_each_hello(bench):
    """A new session finds the same device, the same boot, and a nonce of its own."""
    first = bench.device
    again = bench.hello()
    assert (again.uid, again.boot_count, again.board) == (first.uid, first.boot_count, first.board)
    assert again.device_nonce != first.device_nonce


def test_a_status_comes_back_quickly(bench, figure):
    """A STATUS takes there and back less than a tenth of the lease."""
    times_s = []
    for _ in range(TRIPS):
        before = bench.transport.now()
        expect(bench.status())
        times_s.append(bench.transport.now() - before)
    figure(f"link round trip, {bench.name}: {1000 * sorted(times_s)[TRIPS // 2]:.2f} ms median of {TRIPS}")
    assert max(times_s) < 0.2


def test_settings_and_calibration_are_whole(bench):
    """Settings and calibration are read from records that are whole."""
    assert expect(bench.settings_read()).source != SETTINGS_DAMAGED


def test_the_ledger_is_readable(bench):
    """Invariant 4: every record that the device says it has can be read, each chained to the one before."""
    status = expect(bench.status())
    found = list(read_records(bench))
    assert [entry.record.seq for entry in found] == list(range(status.ledger_tail, status.ledger_head))


def test_stop_and_disarm_always_work(bench):
    """Invariant 9: STOP and DISARM are taken in any state and leave the device idle."""
    assert isinstance(bench.stop(), Delivered) and isinstance(bench.disarm(), Delivered)
    assert expect(bench.status()).header.state == State.IDLE


def test_a_device_that_is_not_ready_cannot_be_armed(bench):
    """Invariant 2: with no table loaded ARM is refused by the device itself."""
    outcome = bench.arm(1000, 0, 1, check=False)
    assert isinstance(outcome, Refused) and outcome.reply is not None
    assert expect(bench.status()).header.state == State.IDLE


@pytest.mark.needs("simulated", reason="a table stays in a device until the next one")
def test_what_refuses_arming_is_said(bench):
    """A device that has just booted says that it isn't ready."""
    assert bench.arm(1000, 0, 1, check=False).number == Refusal.NOT_READY
