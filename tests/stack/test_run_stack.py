"""Runs through the whole stack: a hand that glides or hops with the trigger held, against the plant's truth."""

import itertools

import pytest
from shotkit import Bench
from sit_firmware import codes
from sit_host._gen import enums, messages
from sit_host.outcome import Refused, expect
from treatkit import treat, write_plan

PERIOD_MS = 111
VOLUME_NL = 7000
DEPTH_UM = 1700


def declared(run, place_nl=100_000, skin_ms=100):
    return messages.LoadRun(run, PERIOD_MS, skin_ms, place_nl, 200_000, 6500)


def starts_ms(bench):
    """When each shot began, in ms."""
    events = [event for event in bench.events(enums.Event.STATE) if event.a == enums.State.INJECTING]
    return [event.tick / 4 for event in events]


@pytest.mark.parametrize("run", [enums.Run.GLIDE, enums.Run.HOP])
def test_a_hand_gives_a_run(open_sim, run, figure):
    """Repetitive mode: a hand glides at nine points a second, or hops: rate, depth, dose and time in the skin hold."""
    bench = Bench(open_sim(hand="auto"))
    bench.prepare()
    points = [(number, DEPTH_UM, VOLUME_NL) for number in range(1, 15)]
    expect(bench.load(points, run=declared(run)))
    for _ in range(8):  # a glide ends where its place has had enough; a missed point disarms
        left = len(points) - len(bench.ends())
        if not left:
            break
        expect(bench.arm(cursor=len(points) - left, count=left))
        bench.follow()
    ends = bench.ends()
    done = [end for end in ends if end.kind == enums.Record.DONE]
    assert len(ends) == len(points) and len(done) >= len(points) - 2
    gaps = [b - a for a, b in itertools.pairwise(starts_ms(bench)) if b - a < 400]
    figure(f"{enums.Run(run).name}: {len(gaps)} in a row, {sum(gaps) / len(gaps):.1f} ms from start to start")
    if run == enums.Run.GLIDE:
        assert len(gaps) >= 8 and PERIOD_MS * 0.95 <= sum(gaps) / len(gaps) <= PERIOD_MS * 1.05
    shots = [truth["shot"] for truth in bench.truth()["shots"]]
    for record, shot in zip(done, [s for s in shots if s["tissue_nl"] > VOLUME_NL / 2], strict=True):
        assert record.tissue_min_nl <= shot["tissue_nl"] <= record.tissue_max_nl
        assert abs(shot["tissue_nl"] / VOLUME_NL - 1) < 0.08
        assert abs(shot["depth_end_um"] - DEPTH_UM) < 25
    bench.check_depth()


@pytest.mark.targets("sim:micropython", reason="the unit tests hold the rest: one target is enough")
def test_a_glide_on_one_place_stops_at_what_it_may_get(open_sim):
    """Invariant 2: a hand that doesn't move gives one place no more than declared, however long it holds."""
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    expect(bench.load([(n, DEPTH_UM, VOLUME_NL) for n in range(1, 13)], run=declared(enums.Run.GLIDE, 30_000)))
    expect(bench.arm(count=12))
    bench.press_and_trigger()  # the careful one that measures the syringe
    bench.client.sleep(1)
    bench.lift()
    before = bench.truth()["tissue_nl"]
    bench.press_and_trigger()
    bench.client.sleep(3)
    assert VOLUME_NL * 3 < bench.truth()["tissue_nl"] - before <= 30_000
    assert bench.status().header.state == enums.State.ARMED
    bench.check_depth()


@pytest.mark.targets("sim:micropython", reason="the unit tests hold the rest: one target is enough")
def test_a_released_trigger_ends_a_glide(open_sim):
    """Invariant 3: the trigger let go in the middle of a shot: that one is finished, none follows."""
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    expect(bench.load([(n, DEPTH_UM, VOLUME_NL) for n in range(1, 13)], run=declared(enums.Run.GLIDE)))
    expect(bench.arm(count=12))
    bench.press_and_trigger()
    bench.client.sleep(1)
    bench.lift()
    bench.press_and_trigger()
    bench.run_ms(150)
    bench.run_to_phase(codes.PHASE_INSERT)
    before = bench.target.machine.shots_begun
    bench.hand("release")
    bench.client.sleep(1)
    assert bench.target.machine.shots_begun == before
    assert bench.ends()[-1].kind == enums.Record.DONE
    bench.check_depth()


@pytest.mark.targets("sim:micropython", reason="a treatment of runs: one target is enough")
@pytest.mark.parametrize("how", ["glide", "hop"])
def test_a_plan_of_a_run_is_given(open_device, tmp_path, how):
    """Treatment: a plan with a [run] is given whole, each point once, its record true to the plant."""
    run = f'how = "{how}"\nrate_per_s = 9.0\n' + ("place_max_ul = 30.0" if how == "glide" else "")
    done = treat(open_device(), write_plan(tmp_path, [(1.5, 5.0)] * 14, run=run), tmp_path / "records")
    assert done.record["complete"]
    for point in done.record["points"]:
        assert abs(point["truth"]["depth_um"] - 1500) < 25 and abs(point["reported"]["depth_um"] - 1500) < 25
        assert 0.93 < point["truth"]["volume_nl"] / 5000 < 1.07


@pytest.mark.targets("sim:", reason="only the host is looked at")
def test_a_board_of_single_shots_refuses_the_plan(open_device, tmp_path, monkeypatch):
    """Boards: a run is refused in one sentence by a board that offers single shots only, and nothing is given."""
    client = open_device()
    whole = client.request
    hardware = Refused("LOAD_RUN", enums.Refusal.HARDWARE, "HARDWARE", "This board can't do that.", "")
    monkeypatch.setattr(
        client, "request", lambda m, **k: hardware if isinstance(m, messages.LoadRun) else whole(m, **k)
    )
    plan = write_plan(tmp_path, [(1.5, 5.0)] * 3, run='how = "hop"\nrate_per_s = 5.0')
    done = treat(client, plan, tmp_path / "records")
    assert done.record["ended"] == "failed" and "board" in done.record["reason"]
