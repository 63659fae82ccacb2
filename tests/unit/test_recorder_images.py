"""The flight recorder: what is kept of a shot, how it is read, that it never grows."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from sit_firmware import codes, image, recorder
from sit_firmware.recorder import FIRST, IMAGES, LAYOUT, STRIDE, WAIT, WORDS, Recorder, keep, new_log

HEAD = "<4sBBHHH"


# what an image holds of each slot
RANGES = {
    (0, image.IN_TICK): (0, 2**30 - 1),
    (2, image.ST_PHASE): (1, 15),
    (2, image.ST_DEPTH_UM): (-(2**14), 2**14 - 1),
    (0, image.IN_ENC_UM): (-(2**14), 2**14 - 1),
    (0, image.IN_CONTACT_MN): (-(2**14), 2**14 - 1),
    (0, image.IN_LOAD_MN): (-(2**17), 2**17 - 1),
    (0, image.IN_PRESS_PA): (-(2**21), 2**21 - 1),
    (0, image.IN_STEPS): (-(2**27), 2**27 - 1),
    (1, image.OUT_DUTY): (-(2**13), 2**13 - 1),
    (1, image.OUT_STEPS): (-16, 15),
    (2, image.ST_NEEDLE_NL): (-(2**17), 2**17 - 1),
    (2, image.ST_FAULT): (0, 127),
}
BITS_TELL_ALL = (
    (0, image.IN_TICK),
    (2, image.ST_PHASE),
    (0, image.IN_STEPS),
    (1, image.OUT_STEPS),
    (2, image.ST_FAULT),
)


def told(array, slot, tick):
    """A value within the slot's range that tells slot and tick."""
    least, most = RANGES[array, slot]
    return least + (tick * 7919 + slot * 131 + array) % (most - least + 1)


class Rig:
    """A recorder whose tick is played by hand; every slot holds a value that tells slot and tick."""

    def __init__(self):
        self.state, self.inputs, self.outputs, _ = image.new()
        self.recorder = Recorder(250, new_log())
        self.tick = 0

    def run(self, phase, ticks):
        """`ticks` ticks in a phase."""
        for _ in range(ticks):
            self.tick += 1
            for array, slot in LAYOUT:
                (self.inputs, self.outputs, self.state)[array][slot] = told(array, slot, self.tick)
            self.inputs[image.IN_TICK] = self.tick
            self.state[image.ST_PHASE] = phase
            keep(self.state, self.inputs, self.outputs, self.recorder.log)

    def bytes(self, piece=200):
        """All bytes, read in pieces as a host does."""
        data = b""
        while True:
            buf = bytearray(piece)
            n = self.recorder.read(len(data), buf)
            data += bytes(buf[:n])
            if n < piece:
                return data


def parsed(data):
    """(tick_us, lost, layout, images as dicts of (array, slot) -> value) from the bytes alone."""
    magic, version, slots, tick_us, count, lost = struct.unpack_from(HEAD, data)
    assert (magic, version) == (b"OSFR", 1)
    at = struct.calcsize(HEAD)
    layout = [tuple(data[at + 2 * i : at + 2 * i + 2]) for i in range(slots)]
    at += 2 * slots
    images = [
        dict(zip(layout, struct.unpack_from(f"<{slots}i", data, at + i * 4 * slots), strict=True)) for i in range(count)
    ]
    assert len(data) == at + count * 4 * slots
    return tick_us, lost, layout, images


def test_a_shot_is_kept_whole_and_dense_where_the_needle_moves():
    """Every second tick in motion, every 16th at depth; nothing while idle; all values as they stood."""
    rig = Rig()
    rig.run(codes.PHASE_APPROACH, 5)  # not begun: not kept
    rig.recorder.begin(41)
    rig.run(codes.PHASE_IDLE, 10)
    rig.run(codes.PHASE_INSERT, 100)
    rig.run(codes.PHASE_DISPENSE, 160)
    rig.run(codes.PHASE_RETRACT, 40)
    rig.run(codes.PHASE_IDLE, 10)
    rig.recorder.freeze(41)
    rig.run(codes.PHASE_INSERT, 50)  # frozen: not kept
    tick_us, lost, layout, images = parsed(rig.bytes())
    assert (tick_us, lost, rig.recorder.seq, rig.recorder.stride) == (250, 0, 41, STRIDE)
    assert layout == list(LAYOUT)
    assert (rig.recorder.size - len(images) * STRIDE) == recorder.HEADER_BYTES
    phases = [i[(2, image.ST_PHASE)] for i in images]
    assert phases.count(codes.PHASE_INSERT) == 50
    assert phases.count(codes.PHASE_DISPENSE) == 10
    assert 18 <= phases.count(codes.PHASE_RETRACT) <= 20
    ticks = [i[(0, image.IN_TICK)] for i in images]
    assert ticks == sorted(ticks) and ticks[0] == 16
    for found in images:
        tick = found[(0, image.IN_TICK)]
        for array, slot in LAYOUT:
            if (array, slot) not in ((0, image.IN_TICK), (2, image.ST_PHASE)):
                assert found[(array, slot)] == told(array, slot, tick)


def test_a_shot_of_three_seconds_fits():
    """40 ms out, 2.8 s of dispensing, 20 ms home."""
    rig = Rig()
    rig.recorder.begin(1)
    rig.run(codes.PHASE_INSERT, 160)
    rig.run(codes.PHASE_DISPENSE, 9600)
    rig.run(codes.PHASE_RETRACT, 80)
    rig.recorder.freeze(1)
    assert parsed(rig.bytes())[1] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2 * IMAGES + 5), st.integers(1, 300))
def test_the_oldest_images_give_way(count, piece):
    """The end of a long shot is kept, in order, and the header says how many images were lost."""
    rig = Rig()
    rig.recorder.begin(1)
    rig.run(codes.PHASE_INSERT, 2 * count - 1)
    rig.recorder.freeze(1)
    _, lost, _, images = parsed(rig.bytes(piece))
    assert len(images) + lost == count and len(images) == min(count, IMAGES)
    ticks = [i[(0, image.IN_TICK)] for i in images]
    assert ticks == list(range(2 * lost + 1, 2 * count, 2))


def test_a_new_recording_drops_the_last():
    """Nothing of the shot before is left in the next one's bytes; with nothing recorded there is nothing to read."""
    rig = Rig()
    assert rig.recorder.size == 0 and rig.bytes() == b""
    rig.recorder.begin(1)
    rig.run(codes.PHASE_INSERT, 3000)
    rig.recorder.freeze(1)
    rig.recorder.begin(2)
    assert rig.recorder.size == 0
    rig.run(codes.PHASE_INSERT, 1)
    assert rig.recorder.seq == 2 and len(parsed(rig.bytes())[3]) == 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_an_image_holds_what_stood_there(data):
    """Every slot comes back as it was; a measure beyond its bits comes back as the nearest they hold."""
    rig = Rig()
    rig.recorder.begin(1)
    wanted = {}
    for array, slot in LAYOUT:
        least, most = RANGES[array, slot]
        beyond = 0 if (array, slot) in BITS_TELL_ALL else 2**29
        value = data.draw(st.integers(least - beyond, most + beyond))
        (rig.inputs, rig.outputs, rig.state)[array][slot] = value
        wanted[array, slot] = min(max(value, least), most)
    keep(rig.state, rig.inputs, rig.outputs, rig.recorder.log)
    (found,) = parsed(rig.bytes())[3]
    assert found == wanted
    assert all(0 <= word < 2**30 for word in rig.recorder.log[FIRST : FIRST + WORDS])


def test_ticks_are_told_over_the_whole_ring():
    """The tick number wraps at 2^30, its kept bits sooner: each image of a full ring still tells its own tick."""
    rig = Rig()
    rig.recorder.begin(1)
    rig.tick = 2**30 - 5000
    for n in range(IMAGES + 9):
        rig.inputs[image.IN_TICK] = (rig.tick + 16 * n) % 2**30
        rig.state[image.ST_PHASE] = codes.PHASE_DISPENSE
        rig.recorder.log[WAIT] = 0
        keep(rig.state, rig.inputs, rig.outputs, rig.recorder.log)
    ticks = [found[(0, image.IN_TICK)] for found in parsed(rig.bytes(5000))[3]]
    assert ticks == [(rig.tick + 16 * n) % 2**30 for n in range(9, IMAGES + 9)]


def test_the_images_say_what_they_are():
    """Every slot of an image exists in the process image, each once."""
    assert len(set(LAYOUT)) == len(LAYOUT) == recorder.SLOTS
    for array, slot in LAYOUT:
        assert slot < (image.N_INPUTS, image.N_OUTPUTS, image.N_STATE)[array]
