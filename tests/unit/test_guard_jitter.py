"""A timer's interrupt comes some us early or late: what that makes of the encoder's way is no fault of the encoder."""

import random
import tomllib
from pathlib import Path

import pytest
from sit_firmware import codes, image, params
from sit_firmware.guard import check

TICK = tomllib.loads((Path(__file__).parents[2] / "hardware" / "reference.toml").read_text())["tick"]
JITTER_US, TICK_US = TICK["jitter_us"], TICK["tick_us"]


# speed in um/us, change of speed in um/tick^2, driven: insertion and its braking, the way home and its beginning
MOTIONS = [(0.15, 0, 1), (0.15, -4, 1), (0.05, 4, 1), (-0.55, -4, 0), (-0.6, 0, 0), (-0.3, -4, 0), (0, -4, 0)]


def seen(speed_um_per_us, change_um, driven, rng, corrected=True):
    """The faults that a needle's smooth motion causes, sampled at jittered moments."""
    state, inputs, outputs, block = image.new()
    params.defaults(block)
    if not corrected:
        block[image.P_G_PER_US_Q16] = 0
    inputs[image.IN_SUPPLY_MV], inputs[image.IN_CARTRIDGE] = 12000, 1
    before, found = 0.0, set()
    for tick in range(1, 12):
        late = rng.choice((-JITTER_US, JITTER_US)) + rng.random()
        us = tick * TICK_US + late
        at = (300 if speed_um_per_us > 0 else 1950) + speed_um_per_us * us + change_um * (us / TICK_US) ** 2 / 2
        inputs[image.IN_TICK], inputs[image.IN_ENC_UM] = tick, int(at)
        inputs[image.IN_PERIOD_US] = TICK_US + int(late + 100) - int(before + 100)
        outputs[image.OUT_BRIDGE] = state[image.ST_G_BRIDGE] = driven
        state[image.ST_FAULT] = 0
        check(state, inputs, outputs, block)
        if tick > 2:  # before that it has no change to compare with
            found.add(state[image.ST_FAULT])
        before = late
    return found


@pytest.mark.parametrize("motion", MOTIONS)
def test_jittered_samples_of_a_smooth_motion_are_no_jump(motion, seed):
    """Invariant 6, ENCODER_JUMP: at every speed of a shot and of the way home jitter trips nothing."""
    rng = random.Random(seed)
    for _ in range(60):
        assert codes.FAULT_ENCODER_JUMP not in seen(*motion, rng)


@pytest.mark.parametrize("motion", [(0.15, -4, 1), (-0.55, -4, 0)])
def test_without_the_period_the_same_samples_are_jumps(motion, seed):
    """Invariant 6: the guard needs the length of the tick for that."""
    rng = random.Random(seed)
    assert any(codes.FAULT_ENCODER_JUMP in seen(*motion, rng, corrected=False) for _ in range(60))


@pytest.mark.parametrize(("period_us", "tripped"), [(250, False), (244, True)])
def test_a_short_tick_shows_less_of_the_speed(period_us, tripped):
    """Invariant 1, envelope: the same way in a shorter tick is a faster needle, and trips where a slower doesn't."""
    for place_um in range(1700, 1990):
        state, inputs, outputs, block = image.new()
        params.defaults(block)
        state[image.ST_ZEROED] = state[image.ST_G_LIVE] = 1
        inputs[image.IN_PERIOD_US] = state[image.ST_G_PERIOD_US] = 250
        inputs[image.IN_ENC_UM] = place_um
        state[image.ST_G_ENC_UM], state[image.ST_G_DX_UM] = place_um - 20, 20
        check(state, inputs, outputs, block)
        if state[image.ST_FAULT] == codes.FAULT_ENVELOPE:
            break
    edge_um = place_um - 2  # the last place but one at which a tick of its full length passes
    state, inputs, outputs, block = image.new()
    params.defaults(block)
    state[image.ST_ZEROED] = state[image.ST_G_LIVE] = 1
    inputs[image.IN_PERIOD_US], state[image.ST_G_PERIOD_US] = period_us, 250
    inputs[image.IN_ENC_UM] = edge_um
    state[image.ST_G_ENC_UM], state[image.ST_G_DX_UM] = edge_um - 20, 20
    check(state, inputs, outputs, block)
    assert (state[image.ST_FAULT] == codes.FAULT_ENVELOPE) is tripped
