"""Invariant 1 where a lying encoder is worst: near the depth, where the loop pushes a needle that seems late."""

import pytest
from sit_sim.campaign.lying import FACTORS, lies_of
from sit_sim.plant import reference

LEAST_UM = 2000 - reference()["zero"]["uncertainty_um"]


@pytest.mark.parametrize(("below_um", "units"), [(0, 60), (180, 20)])
def test_no_lie_near_the_end_passes_the_limit(below_um, units, figure):
    """Invariant 1: an encoder that counts 0 to 0.9 of the motion from any moment of the last 300 um on keeps the true
    tip within 2000 um less the zero's uncertainty, at the highest depth and between two edges of the comb."""
    lies = [lie for unit in range(units) for lie in lies_of(unit, 5, below_um=below_um)]
    for factor in FACTORS:
        worst = max(lie for lie in lies if lie.factor == factor)
        figure(f"counts {factor}, {below_um} um less: margin {LEAST_UM - worst.tip_um:.1f} um", LEAST_UM - worst.tip_um)
        assert worst.tip_um <= LEAST_UM, worst


def test_the_same_lies_pass_it_without_the_guard(figure):
    """Invariant 1: with the guard left out the same runs do pass it: the plant isn't kind, the checks hold them."""
    lies = [lie for unit in range(20) for lie in lies_of(unit, 5, guarded=False)]
    past = sum(lie.tip_um > 2000 for lie in lies)
    figure(f"lies without the guard: {past} of {len(lies)} past 2000 um, to {max(lies).tip_um:.0f} um")
    assert past > len(lies) / 20
