"""The whole tick of the RP2040 in machine code: slot by slot and register by register what its source does."""

import random
from array import array

import pytest
from fake_chip import chip_of
from sit_firmware import codes, image, params
from sit_firmware.cycle import cycle
from sit_firmware.recorder import END, FIRST, NEXT, RUN

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
from machine_code import cycle_of

PITCH_UM = 100  # of the comb
TICKS, BEGIN_ANEW = 540, 90  # each time with another request
SIGNALS = ("flag", "trigger", "estop", "pair", "contact", "gate", "cartridge", "jumper", "bridge_on", "switch_on")
REST = {"load": 910, "pressure": 512, "contact": 853, "supply": 2968}  # raw: 0 N, 0 Pa, 1.5 N, 12 V
REQUESTS = (codes.REQ_SHOT, codes.REQ_PURGE, codes.REQ_ZERO, codes.REQ_TEST)
ARGUMENTS = {"DEPTH_UM": 1500, "VOLUME_NL": 500, "STEPS": 3, "FLOW_SPT": 700, "DWELL_TICKS": 40, "MAX_STEPS": 900}


def begun(chip, rng, request):
    """The arrays with a request posted, and a world in which it may be carried out."""
    state, inputs, outputs, block = image.new()
    params.defaults(block, "rp2040")
    for slot in (image.ST_ZEROED, image.ST_ARMED, image.ST_TRIGGER_OK, image.ST_CONTACT_OK, image.ST_REQ_SEQ):
        state[slot] = 1
    state[image.ST_ZERO_UM] = block[image.P_ZERO_NOM_UM]
    state[image.ST_REQ] = request
    for name, value in ARGUMENTS.items():
        state[getattr(image, f"ST_ARG_{name}")] = value
    state[image.ST_LIGHT], state[image.ST_TONE] = rng.randrange(16), rng.randrange(8)
    chip.analog.update(REST)
    for name in SIGNALS:
        chip.press(name, int(name in ("contact", "cartridge", "trigger")))
    chip.move_needle(-chip.needle_um)
    return state, inputs, outputs, block


def live(chip, rng, state, outputs):
    """The world of a tick: the needle follows its profile, the cut-offs their outputs; at times something is odd."""
    chip.us += rng.choice((244, 250, 250, 256))
    way = -min(chip.needle_um, 20)
    if outputs[image.OUT_BRIDGE]:
        way = max(-2, min(2, (state[image.ST_R_X_Q8] >> 8) - chip.needle_um)) + (state[image.ST_R_V_Q8] >> 9)
    chip.move_needle(way, comb=(chip.needle_um + way) // PITCH_UM != chip.needle_um // PITCH_UM)
    for name in ("bridge", "switch"):
        on = outputs[getattr(image, f"OUT_{name.upper()}")] and outputs[image.OUT_TOKEN]
        chip.press(f"{name}_on", int(bool(on)))
    odd = rng.random()
    if odd < 0.01:
        chip.press(rng.choice(SIGNALS), rng.getrandbits(1))
    if odd > 0.97:
        name = rng.choice(tuple(REST))
        chip.analog[name] = rng.choice((REST[name], REST[name], rng.randrange(4096), 0, 4095))
    chip.chain_dead = 0.01 < odd < 0.02
    chip.steps_busy = 0.02 < odd < 0.03


def played(seed, machine):
    """All that a tick leaves behind, tick by tick: the arrays, the board's memory, what reached the pins."""
    rng = random.Random(seed)
    with chip_of("rp2040") as chip:
        board = chip.make_board()
        run = cycle_of(chip) if machine else cycle
        log, left = array("i", [0] * END), []
        for tick in range(TICKS):
            if tick % BEGIN_ANEW == 0:
                state, inputs, outputs, block = begun(chip, rng, REQUESTS[tick // BEGIN_ANEW % len(REQUESTS)])
                log[RUN], log[NEXT] = 1, FIRST
                images = (state, inputs, outputs, block, log, board.work, board.read, board.write)
            live(chip, rng, state, outputs)
            chip.events = []
            run(images)
            left.append([list(a) for a in (state, inputs, outputs, log[: log[NEXT] + 6], board.work)] + [chip.events])
        return left


def test_the_machine_codes_tick_is_the_sources(seed):
    """INV-8 tick, contract: read, control, guard, write and recorder as one piece leave what the source leaves."""
    source, machine = played(seed, False), played(seed, True)
    for tick, (wanted, got) in enumerate(zip(source, machine, strict=True)):
        assert got == wanted, f"tick {tick}"
    phases = {state[image.ST_PHASE] for state, *_ in source}
    assert len(phases) >= 4, "the worlds must lead through several phases"
    assert any(name == "steps" for *_, events in source for name, _ in events)
