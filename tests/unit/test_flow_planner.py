"""The flow planner against figures worked out by hand, and its limits."""

import math
from dataclasses import replace

import pytest
from sit_host import flow
from sit_host.flow_proof import check_proof
from sit_host.plan import Point
from sit_host.plan_limits import reference_equipment
from sit_host.plan_syringes import NEEDLE_PRIME_NL, plan_segments, usable_nl
from sit_sim.campaign.region import Cell, Region

EQUIPMENT = reference_equipment()


def setup(syringe="bd_1ml", needle="30G4", viscosity=1.0):
    return flow.Setup(EQUIPMENT.needles[needle], EQUIPMENT.syringes[syringe], EQUIPMENT.line, viscosity)


def test_the_pressure_follows_poiseuille_and_the_entrance_loss():
    """Flow: pressure at 100 uL/s of water through 30G and the tube, worked out by hand, over tissue."""
    needle = 128 * 1e-3 * 4e-3 / (math.pi * 0.159e-3**4) * 1e-7 / 1e3
    tube = 128 * 1e-3 * 150e-3 / (math.pi * 0.5e-3**4) * 1e-7 / 1e3
    speed = 1e-7 / (math.pi / 4 * 0.159e-3**2)
    entrance = 1.5 * 1000 * speed**2 / 2 / 1e3
    assert needle == pytest.approx(25.5, abs=0.1)
    assert entrance == pytest.approx(19.0, abs=0.1)
    assert flow.pressure_kpa(setup(), 100_000) == pytest.approx(flow.WORST_TISSUE_KPA + needle + tube + entrance)


@pytest.mark.parametrize("kpa", [80, 150, 300])
def test_flow_and_pressure_are_inverse(kpa):
    """Flow: the flow that a pressure drives needs that pressure."""
    assert flow.pressure_kpa(setup(), flow.flow_at_pressure(setup(), kpa)) == pytest.approx(kpa)


def test_no_flow_into_worst_tissue_below_its_pressure():
    """Flow: less pressure than the tissue's drives nothing."""
    assert flow.flow_at_pressure(setup(), flow.WORST_TISSUE_KPA) == 0


@pytest.mark.parametrize("needle", ["30G4", "32G4", "34G4", "27G4"])
@pytest.mark.parametrize("viscosity", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("volume_nl", [1_000, 7_000, 50_000])
def test_every_plan_keeps_every_limit(needle, viscosity, volume_nl):
    """Flow: whatever is chosen keeps pressure, force, laminar flow, time and the protocol's range, or is refused."""
    wanted = setup(needle=needle, viscosity=viscosity)
    try:
        plan = flow.plan_flow(wanted, volume_nl, volume_nl)
    except flow.FlowImpossible as reason:
        assert "at the highest flow allowed" in str(reason)
        return
    assert flow.MIN_FLOW_NL_PER_S <= plan.flow_nl_per_s <= flow.MAX_FLOW_NL_PER_S
    assert plan.pressure_kpa <= flow.MAX_PRESSURE_KPA + 0.01
    assert plan.force_n <= EQUIPMENT.line.stall_force_n * flow.FORCE_SHARE
    assert plan.reynolds <= flow.RE_LAMINAR
    assert plan.dispense_s <= flow.MAX_DISPENSE_S
    assert plan.dwell_ms <= flow.MAX_DWELL_MS


def test_a_refusal_offers_what_would_go():
    """Flow: a fluid too thick is refused with the nearest that isn't, and that one is possible indeed."""
    with pytest.raises(flow.FlowImpossible) as refused:
        flow.plan_flow(setup(viscosity=500), 100_000, 100_000)
    text = str(refused.value)
    thickest = float(text.split(" mPa.s is the thickest")[0].split()[-1])
    assert flow.plan_flow(setup(viscosity=thickest), 100_000, 100_000).dispense_s <= flow.MAX_DISPENSE_S


def points(*volumes_nl):
    return [Point(number, 1, 1200, volume, 1) for number, volume in enumerate(volumes_nl, start=1)]


def test_segments_fill_a_syringe_and_no_more():
    """Plans: a syringe gives what is left after prime and reserve; the point that no longer fits begins the next."""
    room = usable_nl(setup())
    fits = room // 20_000
    segments, too_big = plan_segments(points(*[20_000] * (fits + 1)), setup())
    assert [len(segment.points) for segment in segments] == [fits, 1]
    assert [segment.what for segment in segments] == ["syringe", "syringe"]
    assert not too_big
    assert segments[0].sum_nl <= room


def test_a_worn_needle_is_changed_between_points():
    """Plans: after so many points a new needle is planned, primed with little, from the same syringe."""
    segments, _ = plan_segments(points(*[5_000] * 5), setup(), change_needle_after=2)
    assert [(s.what, len(s.points), s.prime_nl == NEEDLE_PRIME_NL) for s in segments] == [
        ("syringe", 2, False),
        ("needle", 2, True),
        ("needle", 1, True),
    ]


def test_every_point_is_given_once_over_the_segments():
    """Invariant 5: splitting into syringes neither drops nor doubles a point."""
    wanted = points(*[3_000 + 997 * (i % 90) for i in range(200)])
    segments, too_big = plan_segments(wanted, setup(), change_needle_after=17)
    given = [point.id for segment in segments for point in segment.points]
    assert given == [point.id for point in wanted]
    assert not too_big


def test_a_softer_syringe_keeps_more_pressure():
    """Flow: the time constant is resistance times compliance, so a soft syringe needs a longer dwell."""
    stiff = flow.plan_flow(setup(), 10_000, 10_000)
    soft = flow.plan_flow(setup("plastic_1ml"), 10_000, 10_000)
    assert soft.tau_ms > 3 * stiff.tau_ms
    assert soft.dwell_ms > stiff.dwell_ms
    linear, _ = flow.resistances(setup())
    harder = replace(setup(), syringe=replace(EQUIPMENT.syringes["bd_1ml"], compliance_ul_per_100kpa=0.0))
    assert stiff.tau_ms > linear * harder.syringe.compliance_m3_per_pa * 1e3


@pytest.mark.parametrize(
    ("syringe", "needle", "viscosity", "refused_nl", "taken_nl"),
    [
        ("bd_1ml", "30G4", 1.0, 999, 1_000),
        ("bd_1ml", "34G4", 3.0, 999, 1_000),
        ("bd_1ml", "34G4", 5.0, 100_000, None),
        ("bd_3ml", "30G4", 1.0, 29_000, 30_000),
        ("plastic_1ml", "32G4", 3.0, 100_000, None),
    ],
)
def test_what_the_device_cannot_vouch_for_is_refused(syringe, needle, viscosity, refused_nl, taken_nl):
    """Flow: a dose too small for its line or syringe is refused with the nearest that goes; just above it is taken."""
    wanted = setup(syringe, needle, viscosity)
    with pytest.raises(flow.FlowImpossible, match=r"the (least|thickest) that can"):
        check_proof(wanted, refused_nl)
    if taken_nl is not None:
        check_proof(wanted, taken_nl)


@pytest.mark.parametrize(
    ("syringe", "needle", "viscosity", "volume_nl", "share", "largest_percent"),
    [
        ("bd_1ml", "34G4", 3.0, 1_000, (0.9, 1.0), 5.0),
        ("plastic_1ml", "30G4", 1.0, 10_000, (0.9, 1.0), 1.2),
        ("plastic_1ml", "30G4", 1.0, 2_000, (0.0, 0.9), 30.0),
        ("bd_3ml", "32G4", 1.0, 20_000, (0.0, 0.9), 1.0),
    ],
)
def test_the_plant_agrees_on_both_sides(syringe, needle, viscosity, volume_nl, share, largest_percent):
    """Flow: what the planner takes without a warning the plant proves as DONE and gives within the limits."""
    wanted = setup(syringe, needle, viscosity)
    plan = flow.plan_flow(wanted, volume_nl, volume_nl)
    cell = Cell(wanted.syringe.id, wanted.needle.id, viscosity, volume_nl, plan.flow_nl_per_s, plan.dwell_ms)
    table = Region((cell,), 8, 6).part(0).to_pydict()
    low, high = share
    assert low <= sum(table["done"]) / sum(table["given"]) <= high
    assert max(map(abs, table["systematic"])) < largest_percent
