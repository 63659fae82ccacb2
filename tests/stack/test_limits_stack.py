"""Limits on the whole stack: one validator behind every way in, with the host's own checks left out."""

import pytest
import storekit
from shotkit import TREATMENT, Bench, refusal
from sit_firmware import codes
from sit_firmware.params_gen import NEEDLE_POINTS
from sit_host._gen import enums, messages
from sit_host.errors import LinkLost
from sit_host.outcome import Refused, expect
from sit_host.table import NO_EXPIRY, Row

BEVEL_UM = 440  # of the needle that is fitted, hardware/reference.toml


@pytest.fixture
def bench(open_sim):
    return Bench(open_sim(hand="none"))


def _load(bench, *points, site=1, treatment=b"LIMIT001"):
    rows = [Row(n, 1, site, depth, volume) for n, (depth, volume) in enumerate(points, 1)]
    begin = messages.LoadBegin(treatment, len(rows), 1, 1, 1000, 50000, 1000, NO_EXPIRY)
    return bench.client.load_table(begin, rows, check=False)


def test_a_row_at_each_limit_is_taken_and_one_beyond_is_refused(bench):
    """Invariant 1 and 4: depth, bevel and volume of a row, at the limit and one unit beyond it, with no host check."""
    limits = expect(bench.client.settings_read())
    deep, most = limits.max_depth_um, limits.max_shot_nl
    expect(_load(bench, (deep, most), (BEVEL_UM, 1)))
    assert refusal(_load(bench, (deep + 1, 1000))) == codes.REFUSED_TOO_DEEP
    assert refusal(_load(bench, (BEVEL_UM - 1, 1000))) == codes.REFUSED_TOO_SHALLOW
    assert refusal(_load(bench, (1500, most + 1))) == codes.REFUSED_TOO_MUCH
    assert refusal(_load(bench, (1500, 0))) == codes.REFUSED_BAD_VALUE


def test_the_sums_of_a_table_are_refused_when_it_is_sealed(bench):
    """Invariant 4: a table that would pass the limit of a site or of the session isn't sealed, so it can't be armed."""
    limits = expect(bench.client.settings_read())
    most = limits.max_shot_nl
    at_site = limits.max_site_nl // most
    expect(_load(bench, *[(1500, most)] * at_site))
    assert refusal(_load(bench, *[(1500, most)] * (at_site + 1))) == codes.REFUSED_TOO_MUCH
    assert not bench.status().header.ready & codes.READY_LOADED
    assert isinstance(bench.arm(), Refused)


def test_a_refused_row_leaves_no_table_to_arm(bench):
    """Invariant 2: after a refused page nothing of the table can be armed, and a press gives nothing."""
    bench.prepare()
    assert refusal(_load(bench, (1500, 1000), (9000, 1000))) == codes.REFUSED_TOO_DEEP
    assert refusal(bench.arm()) == codes.REFUSED_NOT_READY
    bench.press_and_trigger()
    bench.run_ms(500)
    assert bench.target.machine.shots_begun == 0


def test_the_shortest_time_between_shots(bench):
    """Invariant 2: a press before the gap is over starts nothing; after it the next point is given."""
    gap_ms = expect(bench.client.settings_read()).min_gap_ms
    bench.ready([(1, 1500, 1000), (2, 1500, 1000)])
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_to_phase(codes.PHASE_IDLE)
    bench.hand("release")
    bench.hand("lift")
    bench.run_ms(20)
    bench.hand("press")
    bench.run_ms(30)
    bench.hand("trigger")
    bench.run_ms(20)
    assert bench.target.machine.shots_begun == 1
    bench.lift()
    bench.run_ms(gap_ms)
    expect(bench.client.renew(2000))
    bench.press_and_trigger()
    bench.follow()
    assert bench.target.machine.shots_begun == 2
    bench.check_depth()


# --- what was given before counts: at the seal, at the arming and at each press -----------------------


@pytest.fixture
def limited(open_sim, tmp_path):
    """A function that opens a device whose stored limits are these, in nobody's hands."""

    def open_limited(**limits):
        storekit.make_store(tmp_path / "state", **limits)
        return Bench(open_sim(hand="none", state_dir=tmp_path / "state"))

    return open_limited


def _shoot(bench):
    """One point, and the nose-piece lifted; the device stays armed."""
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_to_phase(codes.PHASE_IDLE)
    bench.run_ms(20)
    bench.lift()
    bench.run_ms(200)
    bench.client.renew(2000)


def _press_refused(bench, limit):
    """The next press starts nothing, and says which limit."""
    begun = bench.target.machine.shots_begun
    bench.press_and_trigger()
    bench.run_ms(100)
    told = bench.events(enums.Event.TRIGGER)[-1]
    assert bench.target.machine.shots_begun == begun
    assert (told.a, told.b) == (codes.REFUSED_TOO_MUCH, limit)
    bench.lift()


def _after_power_cut(bench, points, clock=True):
    """Power goes and comes back; self-test, zero, prime and table anew."""
    bench.target.control({"do": "power", "off_ms": 300})
    with pytest.raises(LinkLost):
        bench.client.wait(bench.target.now() + 1)
    bench.client.reconnect(5)
    if not clock:
        return
    bench.client.set_clock_if_needed()
    bench.prepare()
    expect(bench.load(points))


@pytest.mark.parametrize(
    "limit, number",
    [("max_session_nl", codes.LIMIT_SESSION), ("max_site_nl", codes.LIMIT_SITE), ("max_window_nl", codes.LIMIT_WINDOW)],
)
def test_a_limit_counts_the_upper_bounds_of_what_was_given(limited, limit, number):
    """Invariant 4: two points that just fit by what is asked don't by what the first may have given at most."""
    bench = limited(**{limit: 20_000})
    bench.ready([(1, 1500, 10_000), (2, 1500, 10_000)])
    _shoot(bench)
    assert bench.ends()[-1].tissue_max_nl > 10_000
    _press_refused(bench, number)
    expect(bench.client.disarm())
    assert refusal(bench.arm(cursor=1)) == codes.REFUSED_TOO_MUCH
    assert bench.status().limit == number
    bench.check_depth()


def test_the_session_limit_counts_over_tables_and_power_cuts(limited):
    """Invariant 4: a second table of the treatment is refused when it is sealed, before and after a power cut."""
    bench = limited(max_session_nl=20_000)
    bench.ready([(1, 1500, 10_000)])
    _shoot(bench)
    assert refusal(bench.load([(2, 1500, 10_000)])) == codes.REFUSED_TOO_MUCH
    _after_power_cut(bench, [(2, 1500, 5000)])
    assert refusal(bench.load([(2, 1500, 10_000)])) == codes.REFUSED_TOO_MUCH
    bench.check_depth()


def test_the_window_stays_full_over_a_power_cut_until_its_time_is_over(limited):
    """Invariant 10: with no clock nothing arms; with it the window is as full as it was, and empties by time alone."""
    points = [(2, 1500, 10_000)]
    bench = limited(max_window_nl=15_000, window_s=60)
    bench.ready([(1, 1500, 10_000)])
    _shoot(bench)
    _after_power_cut(bench, points, clock=False)
    assert bench.status().unix_s == 0
    assert not bench.status().header.ready & codes.READY_CLOCK
    bench.prepare()
    expect(bench.load(points))
    bench.run_ms(70_000)
    assert refusal(bench.arm()) == codes.REFUSED_CLOCK
    early = bench.ends()[-1].unix_s + 30
    expect(bench.client.set_clock(early))
    assert refusal(bench.arm()) == codes.REFUSED_TOO_MUCH
    assert bench.status().limit == codes.LIMIT_WINDOW
    bench.run_ms(31_000)
    expect(bench.arm())
    _shoot(bench)
    assert [end.kind for end in bench.ends()] == [enums.Record.DONE] * 2
    bench.check_depth()


def test_an_expired_product_is_refused_by_every_layer(open_sim):
    """Limits: the client refuses it before sending; the device refuses it when loaded, when armed and at the press."""
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    points = [(1, 1500, 1000), (2, 1500, 1000)]
    now_s = bench.status().unix_s
    for check in (True, False):
        assert refusal(bench.load(points, check=check, expiry_unix_s=now_s)) == codes.LIMIT_EXPIRED
    expect(bench.load(points, check=False, expiry_unix_s=now_s + 2))
    expect(bench.arm(count=2))
    bench.run_ms(1500)
    expect(bench.client.renew(2000))
    bench.run_ms(1200)
    bench.press_and_trigger()
    bench.run_ms(100)
    assert bench.events(enums.Event.TRIGGER)[-1].a == codes.LIMIT_EXPIRED
    expect(bench.client.disarm())
    assert refusal(bench.arm()) == codes.LIMIT_EXPIRED
    assert bench.target.machine.shots_begun == 0


def test_a_used_syringe_goes_to_no_other_treatment(open_sim):
    """Limits: what was used on one patient isn't armed for another until syringe and needle were changed."""
    bench = Bench(open_sim(hand="none"))
    bench.ready([(1, 1500, 1000)])
    _shoot(bench)
    expect(bench.load([(1, 1500, 1000)], treatment=b"OTHER001"))
    assert refusal(bench.arm()) == codes.LIMIT_REUSE
    _after_power_cut(bench, [(2, 1500, 1000)])
    expect(bench.load([(1, 1500, 1000)], treatment=b"OTHER001"))
    assert refusal(bench.arm()) == codes.LIMIT_REUSE
    expect(bench.client.change(enums.Change.SYRINGE, done=False))
    for action in ("cartridge_out", "change_syringe", "change_needle"):
        bench.hand(action)
        bench.run_ms(500)
    bench.hand("cartridge_in")
    bench.run_ms(500)
    bench.work(messages.Change(enums.Change.SYRINGE, 0, 1))
    bench.prepare()
    expect(bench.arm())
    _shoot(bench)
    assert bench.ends()[-1].kind == enums.Record.DONE


def test_a_needle_used_for_its_points_is_armed_no_more(open_sim, tmp_path):
    """Limits: a needle's points are counted from the ledger, so over any power cut; a change of the needle ends it."""

    def fill(ledger):
        for point in range(1, NEEDLE_POINTS + 1):
            what = dict(treatment=TREATMENT, point=point + 1000, attempt=1, site=1, asked_nl=1000)
            ref = ledger.append(codes.RECORD_INTENT, cap_steps=1, **what)
            ledger.append(codes.RECORD_ABORTED, cause=codes.CAUSE_CONTACT, ref=ref, **what)

    storekit.make_store(tmp_path / "state", fill)
    bench = Bench(open_sim(hand="none", state_dir=tmp_path / "state"))
    bench.prepare()
    expect(bench.load([(1, 1500, 1000)]))
    assert refusal(bench.arm()) == codes.LIMIT_NEEDLE
    expect(bench.client.change(enums.Change.NEEDLE, done=False))
    bench.work(messages.Change(enums.Change.NEEDLE, 0, 1))
    bench.prepare()
    expect(bench.arm())
