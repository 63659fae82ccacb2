"""What the shots of a drawn unit show of its bore: the firmware's own looks at force and pressure on the bare loop."""

from __future__ import annotations

from sit_firmware import codes, image
from sit_firmware.bore import Bore

from sit_sim.campaign.metering import DEPTH_UM, Setup, device

_POLL_TICKS = 16  # the background of a slow board comes round so often
_SHOT_TICKS = 60_000


def shown_areas(setup: Setup, seed: int, volume_nl: int, shots: int) -> tuple[list[int], float]:
    """Areas in 0.001 mm2 that `shots` shots of one unit showed (those that could tell), and its true bore in um."""
    bench = device(setup, seed)
    flow = setup.flow_nl_per_s(bench.plant.unit)
    bore, found = Bore(), []
    state, inputs, params = bench.state, bench.inputs, bench.params.tolist()
    for site in range(shots):
        bench.plant.set("site", site)
        bench.post_shot(DEPTH_UM, volume_nl, flow, dwell_ms=1000)
        bore.begin(int(inputs[image.IN_TICK]))
        for _ in range(0, _SHOT_TICKS, _POLL_TICKS):
            if bench.run(_POLL_TICKS, until_idle=True) < _POLL_TICKS:
                break
            bore.look(int(inputs[image.IN_TICK]), state.tolist(), inputs.tolist(), params)
        bench.hold(False)
        if state[image.ST_RESULT] == codes.RESULT_DONE and bore.area():
            found.append(bore.area())
    return found, bench.plant.unit.bore_m * 1e6
