"""A device on the bare loop for tests of the tick: shots taken to a phase, arrays copied, the guard called by hand."""

from array import array
from functools import cache

from sit_firmware import codes, image, params
from sit_firmware.guard import check
from sit_sim.campaign import Bench
from sit_sim.plant import nominal_unit

FAULTS = {value: name[6:] for name, value in vars(codes).items() if name.startswith("FAULT_")}
OUTPUTS = (image.OUT_DUTY, image.OUT_BRIDGE, image.OUT_SWITCH, image.OUT_TOKEN, image.OUT_STEPS)


def bench(unit=None, seed=1, plain=True, **options):
    """A zeroed and purged device; its firmware runs as it stands, so that a debugger and a changed line are seen."""
    device = Bench(unit or nominal_unit(), seed, plain=plain, **options)
    device.purge(600)
    return device


def shot_in(phase, depth_um=1500, volume_nl=5000, device=None, ticks=0):
    """A device in the given phase of a shot, `ticks` later."""
    device = device or bench()
    device.post_shot(depth_um, volume_nl)
    for _ in range(6000):
        device.run(1)
        if device.state[image.ST_PHASE] == phase:
            device.run(ticks)
            return device
    raise AssertionError(f"phase {phase} was never reached; the device is in {device.state[image.ST_PHASE]}")


@cache
def kept(phase=None, ticks=0):
    """A device at rest, or in a phase of a shot, made once: for `Guarded`, which works on copies."""
    return bench() if phase is None else shot_in(phase, ticks=ticks)


class Guarded:
    """The guard alone on copies of a device's arrays: inputs and outputs are set by hand, then `tick`."""

    def __init__(self, device):
        self.state, self.inputs, self.outputs, self.params = (array("i", map(int, a)) for a in device.copy_arrays())

    def tick(self, n=1, **changes):
        """Let n ticks pass in which the image has these values (IN_*, OUT_*, ST_*); the rest stays, time goes on."""
        for _ in range(n):
            self.inputs[image.IN_TICK] += 1
            self.state[image.ST_BEAT] += 1
            for name, value in changes.items():
                {"IN": self.inputs, "OU": self.outputs, "ST": self.state}[name[:2]][getattr(image, name)] = value
            check(self.state, self.inputs, self.outputs, self.params)

    def follow(self, dx, ticks=1, **changes):
        """The same with an encoder that goes on by `dx` a tick."""
        for _ in range(ticks):
            self.tick(1, IN_ENC_UM=self.inputs[image.IN_ENC_UM] + dx, **changes)

    @property
    def fault(self):
        """Name of the latched fault, or None."""
        return FAULTS.get(self.state[image.ST_FAULT])

    def safe(self):
        """True when nothing is driven."""
        return all(self.outputs[slot] == 0 for slot in OUTPUTS)

    def set_param(self, **values):
        """Change parameters and seal them anew."""
        for name, value in values.items():
            self.params[getattr(image, name)] = value
        params.seal(self.params)
