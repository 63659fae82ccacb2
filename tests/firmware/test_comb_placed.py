"""The ESP32 keeps no count of a comb edge: where its board places edges, sound units pass and lying encoders don't."""

import pytest
from boardkit import board_of
from sit_firmware import codes, image
from sit_sim.campaign import Bench
from sit_sim.plant import spread_unit


class Counter:
    """The chip's counter of comb edges."""

    def __init__(self):
        self.edges = 0

    def value(self):
        return self.edges


class PlacedBench(Bench):
    """The bare loop with the comb as the ESP32's board reads it: edges counted, their places its own guess."""

    def __init__(self, board, seed):
        self._board = board
        self._counter = board._comb = Counter()
        super().__init__(spread_unit(seed), seed, plain=True, board="esp32")

    def _tick(self):
        inputs, sample = self.inputs, self.plant.sample
        number, at_um, enc_um = (inputs[slot] for slot in (image.IN_COMB_N, image.IN_COMB_ENC_UM, image.IN_ENC_UM))

        def placed(_):
            sample(inputs)
            self._counter.edges, now_um = inputs[image.IN_COMB_N], inputs[image.IN_ENC_UM]
            inputs[image.IN_COMB_N], inputs[image.IN_COMB_ENC_UM], inputs[image.IN_ENC_UM] = number, at_um, enc_um
            self._board._edges(inputs, now_um)
            inputs[image.IN_ENC_UM] = now_um

        self.plant.sample = placed
        super()._tick()
        self.plant.sample = sample


def shot(seed, depth_um, factor=1.0):
    """A shot on a unit of the spread; from the nose-piece plane on the encoder counts `factor` of the motion."""
    with board_of("esp32") as board:
        made = PlacedBench(board, seed)
        made.post_shot(depth_um, 1000)
        while made.run(1, until_idle=True) and not made._idle():
            if factor != 1.0 and made.inputs[image.IN_ENC_UM] >= made.state[image.ST_ZERO_UM]:
                made.plant.fault("encoder_scaled", factor=factor)
                factor = 1.0
        return made


@pytest.mark.parametrize("seed", range(12))
def test_sound_units_pass(seed):
    """F1, comb: slots off their places, crossed slowly one way and fast the other, stop no shot."""
    made = shot(seed, 600 + 100 * seed)
    assert made.inputs[image.IN_COMB_N] >= 2 * (600 + 100 * seed + 800) // 100 - 2
    assert made.state[image.ST_FAULT] == 0, made.state[image.ST_FAULT_VALUE]


def test_an_encoder_that_counts_too_little_is_seen_at_the_comb():
    """F1, comb: an encoder that counts nine tenths puts the edges off their places, whoever places them."""
    made = shot(1, 1500, factor=0.9)
    assert made.state[image.ST_FAULT] == codes.FAULT_COMB
    # the comb's 16 um and a tick's 38 um at a tenth lost, a pitch until the next edge, and braking
    assert made.plant.truth()["tip_max_um"] < 54 / 0.1 + 100 + 50
