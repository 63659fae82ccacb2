"""The plant's skin: what stands between the commanded depth and what is really buried."""

import pytest
from plant_rig import Bench, quiet_unit
from sit_sim.plant import spread_unit

SLOW = {"creep_fraction": 0.0}


def pressed(unit=None, **skin):
    """A bench with the nose-piece on the skin."""
    bench = Bench(unit or quiet_unit(**SLOW))
    bench.plant.set("press_n", 2.0)
    if skin:
        bench.plant.set("skin", skin)
    return bench


def until_puncture(bench, speed_mm_s=20.0):
    """Advance until the skin breaks; the truth just before it."""
    before = bench.plant.truth()
    for _ in range(4000):
        bench.hold(1900, speed_mm_s)
        if bench.truth("punctured"):
            return before
        before = bench.plant.truth()
    raise AssertionError("the skin never broke")


def test_skin_breaks_at_its_force_and_not_before():
    """Physics: the skin gives way as stiffness x indentation reaches the puncture force."""
    bench = pressed()
    before = until_puncture(bench)
    indentation_um = 0.35 / 300 * 1e6
    assert before["tip_um"] == pytest.approx(indentation_um, abs=12)
    assert before["skin_force_n"] == pytest.approx(0.35, abs=0.005)
    assert before["tissue_depth_um"] == 0


def test_threshold_sinks_under_load():
    """Source: study; held below the threshold the skin breaks later, by creep, or never when it is held too low."""
    for held_um, breaks in ((900, True), (780, False)):
        bench = pressed(quiet_unit())
        for _ in range(1200):
            bench.hold(held_um)
        assert bool(bench.truth("punctures")) is breaks


def test_pop_through_takes_its_time_and_lets_the_needle_fall():
    """Physics: after the puncture the force drops to the cutting force in 0.3 ms, and the needle jumps ahead."""
    bench = pressed()
    until_puncture(bench)
    bench.run(2, duty=0)
    left = bench.truth("skin_force_n")
    unit = bench.plant.unit
    buried_m = bench.truth("tissue_depth_um") * 1e-6
    assert left <= unit.cutting_n + unit.skin_friction_n_per_m * buried_m + 1e-9


def test_tenting_keeps_the_tip_out_of_the_tissue():
    """Source: Lam et al. 2008: below 1 mm less than half of the way is buried before the skin has come back."""
    bench = pressed()
    until_puncture(bench)
    t = bench.plant.truth()
    assert t["tissue_depth_um"] < 0.5 * t["tip_um"]
    for _ in range(200):
        bench.hold(1500)
    unit, t = bench.plant.unit, bench.plant.truth()
    tent_um = t["tip_um"] - t["tissue_depth_um"]
    grip = unit.cutting_n + unit.skin_friction_n_per_m * t["tissue_depth_um"] * 1e-6
    assert 0 < tent_um <= grip / unit.skin_n_per_m * 1e6 + 1e-6


def test_small_motions_take_the_skin_along():
    """Physics: the skin sticks to the shaft; what is buried doesn't change by a few micrometres back and forth."""
    bench = pressed()
    bench.go(1500)
    buried = bench.truth("tissue_depth_um")
    for _ in range(100):
        bench.hold(1490)
    assert bench.truth("tip_um") < 1495
    assert bench.truth("tissue_depth_um") == pytest.approx(buried, abs=0.5)


def test_surface_offset_shifts_everything():
    """Skin that lies deeper by 0.2 mm breaks 0.2 mm deeper."""
    plain, deeper = pressed(), pressed(surface_m=200e-6)
    assert until_puncture(deeper)["tip_um"] - until_puncture(plain)["tip_um"] == pytest.approx(200, abs=12)


def test_no_skin_without_pressing():
    """Contact: with the nose-piece lifted there is nothing to puncture; lifting takes the skin off the needle."""
    bench = Bench()
    bench.go(1900)
    assert bench.truth("punctures") == 0 and bench.truth("tissue_depth_um") == 0
    bench = pressed()
    bench.go(1700)
    assert bench.truth("punctured") == 1
    bench.plant.set("press_n", 0)
    bench.hold(1700)
    assert bench.truth("punctured") == 0 and bench.truth("tissue_depth_um") == 0


def test_withdrawal_ends_the_puncture_and_the_next_is_a_new_one():
    """Physics: out of the skin at its surface; the next insertion has to break it again."""
    bench = pressed()
    bench.go(1500)
    bench.rest(300)
    t = bench.plant.truth()
    assert (t["punctured"], t["punctures"], t["skin_force_n"]) == (0, 1, 0.0)
    bench.go(1500)
    assert bench.truth("punctures") == 2


def test_contact_switch_and_force_follow_the_press():
    """Contact: the switch closes at its threshold, the force is what presses."""
    bench = Bench()
    for press_n, closed in ((0.0, 0), (0.3, 0), (0.6, 1), (2.0, 1)):
        bench.plant.set("press_n", press_n)
        assert bench.read("IN_CONTACT") == closed
        assert bench.read("IN_CONTACT_MN") == round(press_n * 1000)


def test_sites_differ_and_come_back():
    """Spread: a site is the same whenever it is visited; site 0 is the unit's own."""
    bench = Bench(quiet_unit(site_fraction_sd=0.1, site_surface_sd_m=50e-6))
    surfaces = []
    for site in (0, 1, 2, 1, 0):
        bench.plant.set("site", site)
        surfaces.append(bench.truth("skin_surface_um"))
    assert surfaces[0] == surfaces[4] == 0 and surfaces[1] == surfaces[3] != surfaces[2]


def test_spread_skin_always_has_a_drop():
    """Reference: drawn skins keep within the ranges, and cutting stays below a third of the puncture force."""
    for seed in range(300):
        unit = spread_unit(seed)
        assert 100 <= unit.skin_n_per_m <= 500
        assert 0.1 <= unit.puncture_n <= 0.7
        assert 0.5e-3 - 1e-9 <= unit.puncture_n / unit.skin_n_per_m <= 2e-3 + 1e-9
        assert unit.cutting_n <= unit.puncture_n / 3 + 1e-12
