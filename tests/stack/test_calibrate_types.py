"""`sit calibrate dose` for a syringe type the device doesn't know yet, and the drift that a treatment then notices."""

import json
from pathlib import Path

import pytest
from sit_host._gen import enums, messages
from sit_host.cli import run
from sit_host.plan_limits import reference_equipment
from sit_host.table import Row

pytestmark = pytest.mark.targets("sim:", reason="gives the target to the command line itself")

PLAN = """name = "One point"
area = "cheek"
syringe = "{syringe}"
needle = "30G4"
[product]
name = "Saline"
lot = "A1"
expiry = 2099-12-31
viscosity_mpa_s = 1.0
[totals]
points = {points}
total_ul = {total_ul}
[[site]]
name = "left"
"""


@pytest.fixture
def bench(service_store, tmp_path, monkeypatch, capsys):
    """Runs `sit` on one device, whose service code is set: (words, bore factor, syringe type) -> exit code, result."""
    monkeypatch.setenv("SIT_RECORDS", str(tmp_path / "records"))

    def sit(*words, bore=1.0, syringe_id=1):
        scenario = tmp_path / "unit.toml"
        scenario.write_text(f"[unit]\nbore = {bore}\n[device]\nsyringe_id = {syringe_id}\n")
        code = run([*words, "--target", "sim:", "--scenario", str(scenario), "--state", str(service_store), "--json"])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out.strip() else out.err

    sit.store = service_store
    return sit


def plan_file(tmp_path, syringe, points=1, volume_ul=50):
    text = PLAN.format(syringe=syringe, points=points, total_ul=points * volume_ul)
    text += f'[[point]]\nsite = "left"\ndepth_mm = 1.5\nvolume_ul = {volume_ul}\n' * points
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("syringe", ["bd_3ml", "plastic_1ml"])
def test_a_new_type_is_weighed_before_anybody_is_treated(bench, open_device, tmp_path, syringe):
    """Calibration: another type is known first, refused for treatment by host and device until weighed, then right."""
    kind = reference_equipment().syringes[syringe].id
    plan = plan_file(tmp_path, syringe)
    weigh = ("calibrate", "dose", "--syringe", syringe, "--volumes", "40,100", "--rounds", "2", "--write")
    unit = {"bore": 1.004, "syringe_id": kind}

    assert bench(*weigh[:-1], **unit)[0] == 2
    assert bench("treat", plan, **unit)[0] == 1
    code, told = bench(*weigh, **unit)
    assert code == 0 and told["weighed"] is False

    assert "never weighed" in str(bench("treat", plan, **unit))
    client = open_device(hand="none", state_dir=bench.store)
    rows = [Row(1, 1, 0, 1500, 20_000)]
    for treatment, refusal in ((b"TREATED.", enums.Refusal.WRONG_SYRINGE), (b"CALI1234", None)):
        outcome = client.load_table(messages.LoadBegin(treatment, 1, kind, 1, 1000, 60_000, 100, 0xFFFFFFFF), rows)
        assert getattr(outcome, "number", None) == refusal
    client.close()

    code, result = bench(*weigh, **unit)
    assert code == 0 and result["written"], result
    true_um = 1004 * reference_equipment().syringes[syringe].bore_mm
    assert abs(result["found"]["bore_um"] - true_um) <= result["found"]["bore_u_um"] + 3
    assert bench("treat", plan, **unit)[0] == 0


def test_a_worn_bore_is_noticed_in_a_treatment(bench, tmp_path):
    """Calibration: the same syringe gives no warning, one with 4 % more bore does: on the page and at the end."""
    plan = plan_file(tmp_path, "bd_1ml", points=8, volume_ul=20)
    code, result = bench("calibrate", "dose", "--volumes", "10,40", "--rounds", "2", "--write")
    assert code == 0 and 9_800 < result["area_e4"] < 10_200
    for bore, drifted in ((1.0, False), (1.04, True)):
        _, treated = bench("treat", plan, "--new", "--over-soft-limits", bore=bore)
        assert treated["drift"]["shots"] >= 5, treated["drift"]
        assert treated["drift"]["drifted"] is drifted, treated["drift"]
        page = Path(treated["report"]).read_text(encoding="utf-8")
        assert ("doses may be off by as much" in page) is drifted
