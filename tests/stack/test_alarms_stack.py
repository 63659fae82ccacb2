"""Every row of the alarm table is brought about on the whole stack: its light, its sound, its event, how it ends.

The host's words for it are the table's own: action and hint in one sentence each (`sit treat`, `sit info`).
"""

import pytest
import storekit
from shotkit import Bench, refusal
from sit_firmware import codes
from sit_firmware.boards.sim import STORE_BYTES
from sit_firmware.store.layout import Layout
from sit_host._gen import enums, messages
from sit_host._gen.statuses import ALARMS
from sit_host.describe import fault_text
from sit_host.errors import LinkLost
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_sim.plant import reference

POINTS = [(1, 1500, 10000), (2, 1500, 10000)]
RECORDS = Layout(STORE_BYTES).records
LOW_MV = reference()["coil"]["supply_range_mv"][0]
LIGHTS = {"high": codes.LIGHT_ALARM_HIGH, "medium": codes.LIGHT_ALARM_MEDIUM, "low": codes.LIGHT_ALARM_LOW}
TONES = {"high": codes.TONE_ALARM_HIGH, "medium": codes.TONE_ALARM_MEDIUM, "low": codes.TONE_ALARM_LOW}


@pytest.fixture
def bench(open_sim, tmp_path, request):
    """A device in nobody's hands; every light and tone it gives is kept. LEDGER finds a ring that is nearly full."""
    full = getattr(request, "param", 0) == codes.ALARM_LEDGER
    if full:
        storekit.make_store(tmp_path / "state", storekit.fill_to(RECORDS // 10 + 1))
    bench = Bench(open_sim(hand="none", state_dir=tmp_path / "state" if full else None))
    bench.lights, bench.tones = set(), set()
    machine = bench.target.machine
    before = machine.on_panel

    def look(light, tone):
        bench.lights.add(light)
        bench.tones.add(tone)
        before(light, tone)

    machine.on_panel = look
    return bench


def in_dose(bench):
    """A shot in the middle of its dose."""
    bench.ready(POINTS)
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_ms(20)


def fault(bench):
    in_dose(bench)
    bench.hand("estop")
    bench.run_ms(400)
    yield
    bench.hand("estop_release")
    bench.lift()
    expect(bench.client.clear_fault(codes.FAULT_ESTOP))


def partial_dose(bench):
    in_dose(bench)
    expect(bench.client.stop())
    bench.run_ms(600)
    yield
    bench.lift()
    expect(bench.arm(cursor=1))


def contact_lost(bench):
    in_dose(bench)
    bench.hand("lift")
    bench.run_ms(600)
    yield
    expect(bench.arm(cursor=1))


def uncertain(bench):
    in_dose(bench)
    bench.target.control({"do": "power", "off_ms": 300})
    with pytest.raises(LinkLost):
        bench.client.wait(bench.target.now() + 1)
    bench.lift()
    bench.client.reconnect(5)
    yield
    expect(bench.client.ack_uncertain(bench.ends()[-1].seq))


def lease(bench):
    bench.ready(POINTS)
    bench.run_ms(2100)
    yield
    expect(bench.arm())


def reservoir(bench):
    bench.prepare()
    for _ in range(3):
        bench.work(messages.Prime(300_000))
    expect(bench.load([(n, 1500, 30_000) for n in range(1, 11)]))
    bench.run_ms(20)
    yield
    expect(bench.load([(1, 1500, 1000)], treatment=b"STACK002"))


def ledger(bench):
    expect(bench.load(POINTS))
    bench.run_ms(20)
    yield
    saved = read_records(bench.client)
    assert all(entry.whole for entry in saved)
    expect(bench.client.ledger_release(saved[-1].record.seq + 1))


def supply_low(bench):
    bench.target.control({"do": "set", "key": "supply_mv", "value": 8800})
    bench.run_ms(20)
    assert not bench.status().header.ready & codes.READY_HEALTHY
    yield
    bench.target.control({"do": "set", "key": "supply_mv", "value": 12000})


ROWS = {
    codes.ALARM_FAULT: fault,
    codes.ALARM_PARTIAL_DOSE: partial_dose,
    codes.ALARM_UNCERTAIN: uncertain,
    codes.ALARM_CONTACT_LOST: contact_lost,
    codes.ALARM_LEASE: lease,
    codes.ALARM_RESERVOIR: reservoir,
    codes.ALARM_LEDGER: ledger,
    codes.ALARM_SUPPLY_LOW: supply_low,
}


def test_every_row_tells_what_to_do():
    """Alarms: each row says what the device has done and what the operator does next."""
    assert all(info.action and info.hint for info in ALARMS.values())


# every row of the schema: a new one without a scene here fails
@pytest.mark.parametrize("bench, alarm", [(n, n) for n in ALARMS], ids=lambda n: ALARMS[n].name, indirect=["bench"])
def test_alarm_is_seen_heard_told_and_ends(bench, alarm):
    """Alarms: its cause raises it with the light and tone of its priority and an event; it ends as the table says."""
    scene = ROWS[alarm](bench)
    next(scene)
    bench.run_ms(5000)  # tones that wait are played one after the other
    assert bench.status().alarms & 1 << alarm
    priority = ALARMS[alarm].priority
    assert LIGHTS[priority] in bench.lights
    assert TONES[priority] in bench.tones
    told = [event for event in bench.events(enums.Event.ALARM) if event.a == alarm]
    assert told and told[-1].b == 1
    assert next(scene, None) is None
    bench.run_ms(50)
    assert not bench.status().alarms & 1 << alarm
    bench.check_depth()


def test_the_same_alarm_three_times_stops_and_says_so(bench):
    """Alarms: contact lost three times in ten minutes latches REPEATED; it names the alarm, and wants a clear."""
    bench.ready([(n, 1500, 2000) for n in range(1, 5)])
    for point in range(3):
        if point:
            expect(bench.arm(cursor=point))
        bench.press_and_trigger()
        bench.run_to_phase(codes.PHASE_DISPENSE)
        bench.hand("lift")
        bench.run_ms(600)
        assert (bench.status().header.fault == codes.FAULT_REPEATED) == (point == 2)
        bench.lift()
    status = bench.status()
    assert status.fault_value in (codes.ALARM_CONTACT_LOST, codes.ALARM_PARTIAL_DOSE)
    assert f"It is {ALARMS[status.fault_value].name}" in fault_text(status.header.fault, status.fault_value)
    assert refusal(bench.arm(cursor=3)) == codes.REFUSED_FAULTED
    bench.press_and_trigger()
    bench.run_ms(300)
    assert bench.target.machine.shots_begun == 3
    bench.lift()
    expect(bench.client.clear_fault(codes.FAULT_REPEATED))
    bench.run_ms(100)
    expect(bench.arm(cursor=3))
    bench.press_and_trigger()
    bench.follow()
    assert bench.ends()[-1].kind == enums.Record.DONE
    bench.check_depth()


def test_noise_about_the_supply_limit_gives_one_alarm(bench):
    """Invariant 2: a supply at its limit raises one alarm and one only, however its noise falls about it."""
    bench.target.control({"do": "set", "key": "supply_mv", "value": LOW_MV})
    ready = []
    for _ in range(60):  # each question has the supply sampled, idle time is skipped
        ready.append(bool(bench.status().header.ready & codes.READY_HEALTHY))
    assert ready == sorted(ready, reverse=True) and not ready[-1]
    assert [event.b for event in bench.events(enums.Event.ALARM) if event.a == codes.ALARM_SUPPLY_LOW] == [1]
