"""A bench for the bare plant: images by name, and constants left out of a unit so that a closed form applies."""

from array import array

from sit_firmware import image
from sit_sim.plant import Plant, nominal_unit

TICK_S = 250e-6
SUB_S = 25e-6


def quiet_unit(**changes):
    """The nominal unit without noise, draws and cyclic error; fields changed as given (SI)."""
    still = {
        "load_noise_n": 0.0,
        "pressure_noise_pa": 0.0,
        "contact_noise_n": 0.0,
        "supply_noise_v": 0.0,
        "adjusted_sd_m": 0.0,
        "cyclic_m": 0.0,
        "back_pressure_sd_pa": 0.0,
        "site_fraction_sd": 0.0,
        "site_surface_sd_m": 0.0,
    }
    return nominal_unit().replace(**{**still, **changes})


class Bench:
    """A plant with its two images; `run` holds the outputs given by name."""

    def __init__(self, unit=None, seed=1, stop_fitted=False):
        self.plant = Plant(unit or quiet_unit(), seed, stop_fitted=stop_fitted)
        self.inputs = array("i", [0] * image.N_INPUTS)
        self.outputs = array("i", [0] * image.N_OUTPUTS)
        self._push_n = 0.0

    def run(self, ticks, duty=0, bridge=1, switch=1, token=1, steps=0):
        """Advance `ticks` under these outputs."""
        out = self.outputs
        out[image.OUT_DUTY], out[image.OUT_BRIDGE], out[image.OUT_SWITCH] = duty, bridge, switch
        out[image.OUT_TOKEN], out[image.OUT_STEPS] = token, steps
        for _ in range(ticks):
            self.plant.advance(out)
        return self

    def rest(self, ticks=1):
        """Advance with everything off."""
        return self.run(ticks, bridge=0, switch=0, token=0)

    def read(self, name):
        """An input by its name."""
        self.plant.sample(self.inputs)
        return self.inputs[getattr(image, name)]

    def truth(self, name):
        """A truth by its name."""
        return self.plant.truth()[name]

    def go(self, tip_um, speed_mm_s=20.0, ticks=4000):
        """Bring the true tip to a depth by a servo that knows the truth; for tests that need it somewhere."""
        for _ in range(ticks):
            self.hold(tip_um, speed_mm_s)
            now = self.plant.truth()
            if abs(now["tip_um"] - tip_um) < 3 and abs(now["speed_mm_per_s"]) < 0.5:
                return self
        raise AssertionError(f"the bench never came to {tip_um} um: {self.plant.truth()}")

    def hold(self, tip_um, speed_mm_s=20.0, steps=0):
        """One tick of that servo, with a plunger chunk."""
        unit, now = self.plant.unit, self.plant.truth()
        error_mm = (tip_um - now["tip_um"]) * 1e-3
        wanted_mm_s = max(-speed_mm_s, min(speed_mm_s, 200 * error_mm))
        self._push_n = max(-0.3, min(0.3, self._push_n + 0.05 * error_mm))
        force_n = unit.spring_park_n + unit.spring_n_per_m * now["carriage_um"] * 1e-6 + now["skin_force_n"]
        force_n += self._push_n + 0.025 * (wanted_mm_s - now["speed_mm_per_s"])
        volts = force_n / unit.force_n_per_a * unit.resistance_ohm
        self.run(1, duty=max(-4096, min(4096, round(volts / 12.0 * 4096))), steps=steps)
