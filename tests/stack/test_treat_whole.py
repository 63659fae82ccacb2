"""A whole treatment through every layer: plan, host, wire, firmware, plant, ledger, record."""

import json
import re
from pathlib import Path

import pytest
import treatkit
from sit_host import cli
from sit_host.errors import RefusedError
from treatkit import Operator, treat, write_plan

HOST_ONLY = "what it shows is the host's; one target is enough"
MIXED = [(1.2, 5.0), (1.5, 10.0), (1.8, 20.0), (1.2, 5.0)]


def test_every_point_is_given_and_reported_as_it_truly_was(device, tmp_path):
    """Invariant 4: the ledger's plunger volume equals the truth to the step, the truth lies inside each interval."""
    done = treat(device, write_plan(tmp_path, MIXED), tmp_path / "records")
    record = done.record
    assert record["complete"], record["reason"]
    assert [(p["commanded"]["depth_um"], p["commanded"]["volume_nl"]) for p in record["points"]] == [
        (round(depth * 1000), round(volume * 1000)) for depth, volume in MIXED
    ]
    for point in record["points"]:
        assert point["truth"]["steps"] == point["reported"]["steps"]
        assert point["truth"]["inside_interval"]
        assert abs(point["truth"]["depth_um"] - point["commanded"]["depth_um"]) <= 50
    figures = record["summary"]
    assert figures["plunger_steps"] == figures["truth"]["plunger_steps"]
    assert figures["truth"]["smallest_margin_um"] >= 0
    assert treatkit.each_once(device, len(MIXED))
    assert treatkit.device_state(device) == "IDLE"


def test_the_command_prints_one_json_object(target_spec, tmp_path, capsys, seed):
    """`sit treat --json`: one object on standard output with commanded, reported and true figures of each point."""
    plan = write_plan(tmp_path, MIXED[:2])
    args = ["treat", str(plan), "--json", "--target", target_spec, "--seed", str(seed)]  # asks nobody: a simulator
    assert cli.run([*args, "--records", str(tmp_path / "records")]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    for point in found["points"]:
        assert set(point["commanded"]) == {"depth_um", "volume_nl"}
        assert {"depth_um", "volume_nl", "volume_min_nl", "volume_max_nl", "steps"} <= set(point["reported"])
        assert {"depth_um", "volume_nl", "steps", "tip_max_um"} <= set(point["truth"])
    assert "point 2/2" in err
    assert json.loads(Path(found["record"]).read_text())["points"] == found["points"]


def test_the_command_shows_a_table_and_where_the_report_is(tmp_path, capsys):
    """`sit treat` ends with a table of asked against reported and true, and the path of a page that stands alone."""
    plan = write_plan(tmp_path, MIXED[:2])
    args = ["treat", str(plan), "--yes", "--target", "sim:", "--records", str(tmp_path / "records")]
    assert cli.run(args) == 0
    out, _ = capsys.readouterr()
    assert "um asked" in out and "true" in out
    path = re.search(r"Report: (.*report\.html)", out).group(1)
    page = Path(path).read_text(encoding="utf-8")
    assert page.count("<svg") == 2 and "Saline" in page and "A1" in page
    assert not re.search(r"(src|href)=[\"']?http", page)


def test_a_wider_bore_moves_the_truth_and_not_the_report(open_device, target_spec, tmp_path):
    """The report doesn't know the plant: with a bore 2 % wider the truth moves by that, what is reported doesn't."""
    plan = write_plan(tmp_path, [(1.5, 20.0)] * 2)
    volumes = []
    for scenario in (None, treatkit.SCENARIOS / "bore_plus_2_percent.toml"):
        client = open_device(scenario=scenario)
        points = treat(client, plan, tmp_path / "records", new=True, over_soft=True).record["points"]
        true_nl = sum(point["truth"]["volume_nl"] for point in points)
        volumes.append((sum(point["reported"]["volume_nl"] for point in points), true_nl))
    (reported, true), (reported_wide, true_wide) = volumes
    assert abs(reported_wide / reported - 1) < 0.004
    assert 1.03 < true_wide / true < 1.05  # the area goes with the square of the bore


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_record_is_never_written_over(device, tmp_path):
    """Records: the same plan given twice in the same second leaves two records, and they are two treatments."""
    plan = write_plan(tmp_path, MIXED[:1])
    first = treat(device, plan, tmp_path / "records")
    before = first.json_path.read_bytes()
    second = treat(device, plan, tmp_path / "records", over_soft=True)
    assert first.json_path != second.json_path
    assert first.json_path.read_bytes() == before
    assert first.record["treatment"] != second.record["treatment"]
    assert second.record["run"] == 2 and not second.record["resumed"]


@pytest.mark.targets("sim:micropython", reason="eleven large points: one target is enough")
def test_a_syringe_that_is_used_up_is_changed_in_the_middle(device, tmp_path):
    """Treatment: a new syringe, zero and prime in the middle, and every point exactly once over both."""
    plan = write_plan(tmp_path, [(1.5, 99.0)] * 11)
    done = treat(device, plan, tmp_path / "records", over_soft=True)
    assert done.record["complete"]
    assert done.record["changes"] == ["syringe", "syringe"]
    assert treatkit.each_once(device, 11)


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_worn_needle_is_changed_in_the_middle(device, tmp_path):
    """Treatment: a planned needle change keeps the syringe, zeroes and primes anew, and gives every point once."""
    plan = write_plan(tmp_path, MIXED, head="change_needle_after = 2")
    operator = Operator()
    done = treat(device, plan, tmp_path / "records", operator)
    assert done.record["complete"]
    assert done.record["changes"] == ["syringe", "needle"]
    assert sum("Zeroed" in text for text in operator.said) == 2
    assert treatkit.each_once(device, len(MIXED))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_an_old_syringe_is_never_taken_for_a_new_one(open_device, tmp_path):
    """Treatment: with nobody at the device a syringe change isn't called done, and nothing is given."""
    client = open_device(hand="none")
    done = treat(client, write_plan(tmp_path, MIXED[:1]), tmp_path / "records")
    assert done.record["ended"] == "failed"
    assert "The syringe was not changed" in done.record["reason"]
    assert not treatkit.starts(client)
    assert done.json_path.exists() and done.html_path.exists()


def test_a_depth_over_the_limit_is_refused_by_every_layer(device, tmp_path):
    """Invariant 1: one micrometre over the highest depth is refused by plan check, client and firmware."""
    highest_mm = device.device.max_depth_um / 1000
    plan = write_plan(tmp_path, [(round(highest_mm + 0.001, 3), 5.0)])
    with pytest.raises(Exception, match="can't be given as it is"):
        treat(device, plan, tmp_path / "records")
    assert not treatkit.starts(device)
    with pytest.raises(RefusedError, match="highest settable depth"):
        _load(device, device.device.max_depth_um + 1, check=True)
    with pytest.raises(RefusedError) as refused:
        _load(device, device.device.max_depth_um + 1, check=False)
    assert refused.value.name == "TOO_DEEP"
    _load(device, device.device.max_depth_um, check=False)


def _load(client, depth_um, *, check):
    import steps
    from sit_host._gen import messages
    from sit_host.outcome import expect

    table = steps.rows(1, depth_um=depth_um)
    begin = messages.LoadBegin(treatment=steps.TREATMENT, count=1, **steps.SALINE)
    return expect(client.load_table(begin, table, check=check))
