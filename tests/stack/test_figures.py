"""The figures of the reference design on the nominal unit: saline through 30G, each depth and volume, three seeds."""

import random

import pytest
from treatkit import treat, write_plan

SEEDS = (1, 2, 3)
DEPTHS_MM = (1.2, 1.5, None)  # None: the highest that can be set
VOLUMES_UL = {5.0: 24, 10.0: 18, 20.0: 12, 50.0: 6}  # how often: 60 points from one syringe, each volume at each depth
MAX_DEPTH_ERROR_UM = 50
MAX_VOLUME_ERROR_PERCENT = 3


@pytest.mark.targets("sim:", reason="the same firmware files and plant; sim:micropython has its own whole treatments")
@pytest.mark.parametrize("figure_seed", SEEDS)
def test_depth_and_volume_at_every_point(open_device, tmp_path, figure_seed, figure):
    """Numbers: depth error <= 50 um and tissue volume error <= 3 % at each of 60 points, true tip <= 2000 um."""
    client = open_device(seed=figure_seed)
    highest_mm = client.device.max_depth_um / 1000
    points = [
        (DEPTHS_MM[i % len(DEPTHS_MM)] or highest_mm, volume_ul)
        for volume_ul, count in VOLUMES_UL.items()
        for i in range(count)
    ]
    random.Random(figure_seed).shuffle(points)
    record = treat(client, write_plan(tmp_path, points), tmp_path / "records", over_soft=True).record
    assert record["complete"], record["reason"]
    figures = record["summary"]["truth"]
    depths = [abs(p["truth"]["depth_um"] - p["commanded"]["depth_um"]) for p in record["points"]]
    volumes = [100 * abs(p["truth"]["volume_nl"] / p["commanded"]["volume_nl"] - 1) for p in record["points"]]
    repeated = sum(len(p["attempts"]) > 1 for p in record["points"])
    line = (
        f"seed {figure_seed}: {len(points)} points, depth error <= {max(depths):.1f} um, volume error <= "
        f"{max(volumes):.2f} %, deepest tip {figures['deepest_tip_um']} um, {repeated} repeated"
    )
    figure(line, 2000 - figures["deepest_tip_um"])
    assert len(points) >= 60
    assert max(depths) <= MAX_DEPTH_ERROR_UM
    assert max(volumes) <= MAX_VOLUME_ERROR_PERCENT
    assert figures["steps_equal"] and figures["all_inside_intervals"]
