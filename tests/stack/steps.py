"""Steps of a treatment that stack tests share, through the host's client, with the hand at the device."""

from sit_host._gen import enums, messages
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_host.table import NO_EXPIRY, Row

TREATMENT = b"stack\0\0\1"
SALINE = dict(
    syringe_id=1, needle_id=1, viscosity_upas=1000, flow_nl_per_s=50_000, dwell_ms=500, expiry_unix_s=NO_EXPIRY
)
HAND_S = 3.0  # how long a host waits for the hand to make a change


def rows(count, depth_um=1500, volume_nl=10_000, attempt=1):
    """A table of equal points, numbered from 1."""
    return [Row(point, attempt, 1, depth_um, volume_nl) for point in range(1, count + 1)]


def work(client, message, timeout_s=60.0):
    """Have long work done; fails unless it was."""
    end = expect(client.run(message, timeout_s))
    assert end.done, f"{message.NAME} ended with {end}"
    return end


def make_ready(client, prime_nl=60_000):
    """Self-test, zero, prime."""
    work(client, messages.Selftest())
    work(client, messages.Zero())
    client.sleep(1.0)  # the hand takes the zero tool off
    work(client, messages.Prime(prime_nl))


def load(client, table, treatment=TREATMENT, **fluid):
    """Load and seal a table."""
    begin = messages.LoadBegin(treatment=treatment, count=len(table), **{**SALINE, **fluid})
    return expect(client.load_table(begin, table))


def give(client, count, timeout_s=60.0, lease_ms=2000):
    """Arm for all rows and follow the device until it has given them or disarmed; the SHOT events."""
    shots = []
    expect(client.arm(lease_ms, 0, count))

    def over():
        shots.extend(event for event in client.events() if event.kind == enums.Event.SHOT)
        return len(shots) >= count or client.header.state not in (enums.State.ARMED, enums.State.INJECTING)

    client.wait_for(over, timeout_s)
    return shots


def records(client, *kinds):
    """The ledger's records of these kinds, or all."""
    found = [entry.record for entry in read_records(client)]
    return [record for record in found if not kinds or record.kind in kinds]
