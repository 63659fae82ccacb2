"""A plant for tests of the lockstep alone: a needle that creeps while driven and springs back, and a noisy supply."""

from sit_firmware import image


class FakePlant:
    """The plant's contract in a few integers."""

    def __init__(self, seed=1):
        self.seed = seed
        self.tick = 0
        self.x_um = 0
        self.old = 0
        self.inputs = {}
        self.faults = []

    @property
    def at_rest(self):
        return self.x_um == 0 and self.old == 0

    def sample(self, inputs):
        for slot in range(len(inputs)):
            inputs[slot] = 0
        inputs[image.IN_TICK] = self.tick
        inputs[image.IN_PERIOD_US] = 250
        inputs[image.IN_ENC_UM] = self.x_um
        inputs[image.IN_SUPPLY_MV] = 12000 + (self.tick * 7919 + self.seed) % 13
        inputs[image.IN_CONTACT] = 1 if self.inputs.get("press_n") else 0
        inputs[image.IN_TRIGGER] = self.inputs.get("trigger", 0)
        inputs[image.IN_CARTRIDGE] = 1

    def advance(self, outputs):
        self.tick += 1
        on = outputs[image.OUT_BRIDGE] and outputs[image.OUT_TOKEN]
        self.x_um = min(self.x_um + 3, 500) if on else max(self.x_um - 5, 0)
        self.old = outputs[image.OUT_DUTY]

    def skip(self, n):
        self.tick += n

    def set(self, key, value):
        if key not in ("press_n", "trigger", "supply_mv", "site", "zero_tool", "needle", "syringe", "cartridge", "jig"):
            raise KeyError(f"no input {key}")
        self.inputs[key] = value

    def fault(self, name, **args):
        self.faults.append(name)

    def unfault(self, name):
        self.faults.remove(name)

    def truth(self):
        return {"tip_um": self.x_um, "tick": self.tick}
