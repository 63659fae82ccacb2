"""What the plant's step leaves: the same motions with 10 (the usual), 20 and 40 steps a tick.

    tools/plant_steps.py

The method is of first order, so each halving should halve the error; what is left at 10 is told against the value that
20 and 40 point to. Each run is a child of its own, interpreted: the step is a constant of the kernels.
"""

import json
import os
import subprocess
import sys
from array import array
from typing import Any

STEPS = (10, 20, 40)


def measure() -> dict[str, float]:
    """The motions with the step that SIT_SUBSTEPS asks for: a stroke in air, one through skin, a push and its decay."""
    from sit_firmware import image
    from sit_sim.plant import Plant, nominal_unit

    outputs = array("i", [0] * image.N_OUTPUTS)

    def run(plant: Any, ticks: int, duty: int = 0, steps: int = 0) -> None:
        outputs[image.OUT_DUTY] = duty
        outputs[image.OUT_BRIDGE] = outputs[image.OUT_SWITCH] = outputs[image.OUT_TOKEN] = int(duty != 0)
        outputs[image.OUT_STEPS] = steps
        for _ in range(ticks):
            plant.advance(outputs)

    unit = nominal_unit().replace(adjusted_sd_m=0.0, back_pressure_sd_pa=0.0)
    found = {}
    for name, skin in (("in air", False), ("through skin", True)):
        plant = Plant(unit, 1)
        plant.set("press_n", 2.0 if skin else 0.0)
        run(plant, 40, duty=1950)
        truth = plant.truth()
        found[f"carriage after 10 ms {name}, um"] = truth["carriage_um"]
        found[f"speed after 10 ms {name}, mm/s"] = truth["speed_mm_per_s"]
        run(plant, 14, duty=1950)
        run(plant, 16)
        truth = plant.truth()
        found[f"deepest tip {name}, um"] = truth["tip_max_um"]
        if skin:
            found["deepest buried, um"] = truth["shot"]["buried_max_um"]
    plant = Plant(unit, 1)
    plant.set("purged", 1)
    run(plant, 120, steps=4)
    found["pressure while pushing, kPa"] = plant.truth()["pressure_pa"] * 1e-3
    run(plant, 6)
    found["pressure 1.5 ms later, kPa"] = plant.truth()["pressure_pa"] * 1e-3
    run(plant, 400)
    found["volume that left, nl"] = plant.truth()["needle_nl"]
    return found


def measured(steps: int) -> dict[str, float]:
    """`measure` in a child with that many steps a tick."""
    environment = {**os.environ, "SIT_PLANT": "python", "SIT_SUBSTEPS": str(steps)}
    child = subprocess.run([sys.executable, __file__, "--child"], env=environment, capture_output=True, check=True)
    return dict(json.loads(child.stdout))


def left(coarse: float, middle: float, fine: float) -> float:
    """What the coarse one is off the value that the other two, half a step apart each, point to."""
    return coarse - (2 * fine - middle)


def main(argv: list[str]) -> int:
    """Print the table."""
    if argv == ["--child"]:
        print(json.dumps(measure()))
        return 0
    runs = [measured(steps) for steps in STEPS]
    print("| quantity | " + " | ".join(f"{steps} steps" for steps in STEPS) + " | left at 10 |")
    print("| --- | " + "---: | " * (len(STEPS) + 1))
    for name in runs[0]:
        values = [run[name] for run in runs]
        off = left(*values)
        share = f" ({abs(off / values[-1]) * 100:.2f} %)" if values[-1] else ""
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + f" | {off:+.3f}{share} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
