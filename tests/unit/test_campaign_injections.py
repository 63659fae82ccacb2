"""The campaign over the spread and F1: the same for any worker, goes on where it was stopped, true to the device."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sit_sim.campaign import cases, parts
from sit_sim.campaign.bare import ready_unit, run_unit
from sit_sim.campaign.injections import LIMIT_UM, part
from sit_sim.campaign.rows import R_FAULT, R_LATCHED, R_NUMBER, R_TIP_UM, R_VOLUME_OFF_NL, T_TIP_UM
from sit_sim.faults import F1

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import campaign_bare


def small(units, number):
    """A part of `units` units, small enough for a test."""
    found = [run_unit(unit)[0] for unit in range(number * units, (number + 1) * units)]
    columns = np.concatenate(found).T
    return parts.signed(pa.table({str(n): column for n, column in enumerate(columns)}))


def test_every_plant_fault_of_f1_strikes():
    """Campaign: the list of faults is F1 as far as the plant brings it about, but for those of the zeroing."""
    plant = {fault for fault in F1 if fault.value.where == "plant"}
    struck = {F1[fault.name.upper()] for fault in cases.FAULTS}
    assert struck | cases.LEFT_OUT == plant and not struck & cases.LEFT_OUT


def test_a_sample_keeps_the_limit_and_its_balances(figure):
    """Invariant 1 on a sample of the campaign: true tip within 2000 um; volume balance in every injection."""
    rows = np.concatenate([run_unit(unit)[0] for unit in range(24)])
    worst = rows[rows[:, R_TIP_UM].argmax()]
    figure(f"{len(rows)} injections: worst true tip {worst[R_TIP_UM]:.1f} um, seed {worst[R_NUMBER]:.0f}")
    assert worst[R_TIP_UM] <= LIMIT_UM
    assert abs(rows[:, R_VOLUME_OFF_NL]).max() < 1e-6
    assert (rows[rows[:, R_FAULT] < 0][:, R_LATCHED] == 0).all()
    assert len(np.unique(rows[:, R_FAULT])) == len(cases.FAULTS) + 1


def test_a_sound_unit_has_no_fault():
    """Campaign: `--sound` gives the same injections without their faults, so that rare verdicts can be counted."""
    drawn, sound = run_unit(1)[0], run_unit(1, sound=True)[0]
    assert (sound[:, R_FAULT] < 0).all() and (sound[:, R_LATCHED] == 0).all()
    same = drawn[:, R_FAULT] < 0
    assert same.any() and (drawn[same] == sound[same]).all()


def test_the_sample_passes_the_limit_without_guard_and_flag():
    """Invariant 1: the same seeds without guard and flag do pass 2000 um."""
    rows = np.concatenate([run_unit(unit, guarded=False, flag=False)[0] for unit in range(2)])
    assert rows[:, R_TIP_UM].max() > LIMIT_UM


def test_a_seed_is_replayed_as_it_was(tmp_path, capsys):
    """Campaign: one injection alone, from its seed, is the one of the campaign; its plot shows the same depth."""
    rows, _, _ = run_unit(3)
    wanted = rows[17]
    again, _, trace = run_unit(3, int(wanted[R_NUMBER]))
    assert again[0].tolist() == wanted.tolist()
    assert trace[:, T_TIP_UM].max() <= wanted[R_TIP_UM] < trace[:, T_TIP_UM].max() + 5
    plot = tmp_path / "one.svg"
    assert campaign_bare.main(["replay", "167", "--plot", str(plot)]) == 0
    assert "deepest tip" in capsys.readouterr().out and plot.stat().st_size > 10_000


def test_an_early_end_hides_nothing():
    """Campaign: an injection ends when the needle is home; going on for 3000 ticks takes no tip deeper."""
    for unit in (1, 2):
        bench, _ = ready_unit(unit)
        ready = bench.plant.snapshot()
        arrays = bench.copy_arrays()
        for fault in cases.FAULTS[::5]:
            tips = []
            for after in (0, 3000):
                bench.plant.restore(ready)
                for own, kept in zip(bench.arrays, arrays, strict=True):
                    own[:] = kept
                bench.post_shot(1900, 1000)
                bench.run(150)
                bench.plant.fault(fault.name, **fault.arguments)
                bench.run(40)
                bench.run(8000, until_idle=True)
                bench.run(after)
                tips.append(bench.plant.truth()["tip_max_um"])
            assert tips[0] == tips[1], fault


@pytest.mark.parametrize("who", ["two workers", "dask"])
def test_the_same_whoever_makes_it(who, tmp_path):
    """Campaign: same seeds, same results from one process, from two, and from the workers of a Dask scheduler."""
    alone = tmp_path / "alone"
    assert parts.run(alone, 3, partial(small, 1), 1, None) == 3
    shared = tmp_path / "shared"
    if who == "dask":
        from distributed import LocalCluster

        with LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=None
        ) as cluster:
            assert cluster.scheduler_address.startswith("tcp://")
            assert parts.run(shared, 3, partial(small, 1), 1, cluster.scheduler_address) == 3
    else:
        assert parts.run(shared, 3, partial(small, 1), 2, None) == 3
    assert parts.read(alone, 3).equals(parts.read(shared, 3))


def test_a_stopped_campaign_goes_on(tmp_path):
    """Campaign: what is there isn't made again; a part of other sources is; nothing half written counts."""
    told = []
    parts.run(tmp_path, 2, partial(small, 1), 1, None, lambda *now: told.append(now[:2]))
    assert parts.run(tmp_path, 3, partial(small, 1), 1, None, lambda *now: told.append(now[:2])) == 1
    assert told == [(1, 2), (2, 2), (3, 3)]
    assert parts.run(tmp_path, 3, partial(small, 1), 1, None) == 0
    strange = parts.read(tmp_path, 1).replace_schema_metadata({})
    with pytest.raises(parts.OtherSources, match="same commit"):
        parts.keep(tmp_path, 1, strange)
    import pyarrow.parquet as pq

    pq.write_table(strange, parts.path_of(tmp_path, 1))
    assert parts.missing(tmp_path, 3) == [1]


def test_a_part_has_named_columns():
    """Campaign: a part holds its injections in order, with unit, needle and zero beside the kernel's columns."""
    table = part(0)
    assert table["number"].to_pylist() == list(range(table.num_rows))
    assert {"unit", "needle", "zero_um", "tip_um", "drip_nl", "ticks"} <= set(table.column_names)
    assert min(table["ticks"].to_pylist()) > 40


def test_the_bare_loop_is_what_runs_on_sim(capsys):
    """Campaign: a whole shot on sim:, host and background included, is the bare loop's, tick for tick."""
    assert campaign_bare.main(["equal", "--sim", "--shots", "1"]) == 0
    assert "equal in each" in capsys.readouterr().out
