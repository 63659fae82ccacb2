"""The board contract on each board: every input reaches its slot, and a broken wire is the safe reading."""

import pytest
from boardkit import images
from fake_chip import chip_of
from sit_firmware import image

# --- inputs ---------------------------------------------------------------------------------------

SWITCHES = {
    "flag": image.IN_FLAG,
    "gate": image.IN_GATE,
    "trigger": image.IN_TRIGGER,
    "estop": image.IN_ESTOP,
    "contact": image.IN_CONTACT,
    "cartridge": image.IN_CARTRIDGE,
    "jumper": image.IN_JUMPER,
    "pair": image.IN_PAIR,
    "bridge_fault": image.IN_DRIVER_FAULT,
    "stepper_fault": image.IN_DRIVER_FAULT,
    "bridge_on": image.IN_BRIDGE_ON,
    "switch_on": image.IN_SWITCH_ON,
}


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_reaches_its_slot(chip, name):
    """Contract: each two-level input alone moves its slot alone, in the tick in which it changes."""
    inputs, outputs = images()
    for signal in SWITCHES:
        chip.press(signal, 0)
    chip.tick(inputs, outputs)
    assert not any(inputs[slot] for slot in SWITCHES.values())
    chip.press(name, 1)
    chip.tick(inputs, outputs)
    assert [slot for slot in sorted(set(SWITCHES.values())) if inputs[slot]] == [SWITCHES[name]]


def test_a_broken_wire_is_the_safe_reading(chip):
    """F1, sensors: a lost wire reads as not pressed, no contact, e-stop pressed, flag set."""
    inputs, outputs = images()
    for signal in chip.map.signals:
        if signal.direction == "in" and signal.pull == "up":
            chip.levels[signal.pin] = 1
    chip.frame_in |= 0x3F  # the chain's inputs have pull-ups too
    chip.tick(inputs, outputs)
    want = {image.IN_TRIGGER: 0, image.IN_CONTACT: 0, image.IN_CARTRIDGE: 0, image.IN_JUMPER: 0, image.IN_PAIR: 0}
    want |= {image.IN_ESTOP: 1, image.IN_FLAG: 1, image.IN_GATE: 1}
    assert {slot: inputs[slot] for slot in want} == want


def test_analog_inputs_come_in_their_units(chip):
    """Contract: contact force, plunger force, pressure and supply by the spans of hardware/pins/sensors.toml."""
    inputs, outputs = images()
    for _ in range(8):
        chip.tick(inputs, outputs)
    slots = {"contact": "CONTACT_MN", "load": "LOAD_MN", "pressure": "PRESS_PA", "supply": "SUPPLY_MV"}
    for name, slot in slots.items():
        sensor = chip.map.sensors[name]
        want = sensor["zero"] + chip.analog[name] * sensor["span"] / 4096
        assert abs(inputs[getattr(image, "IN_" + slot)] - want) <= sensor["span"] / 4096, name


@pytest.mark.parametrize("rail", [0, 4095])
def test_a_broken_analog_wire_reads_as_broken(chip, rail):
    """F1, sensors: at either rail a sensor tells what the guard or the start conditions refuse."""
    inputs, outputs = images()
    chip.analog = dict.fromkeys(chip.analog, rail)
    for _ in range(8):
        chip.tick(inputs, outputs)
    assert inputs[image.IN_CONTACT_MN] == 0
    assert inputs[image.IN_LOAD_MN] == 100000
    assert inputs[image.IN_PRESS_PA] == 1500000
    assert inputs[image.IN_SUPPLY_MV] == 0


def test_a_dead_panel_chain_is_a_driver_fault(chip):
    """F1, sensors: three frames without fixed bits and echo; until then the last good ones hold, then it heals."""
    inputs, outputs = images()
    chip.press("contact")
    for _ in range(4):
        chip.tick(inputs, outputs)
    chip.chain_dead = True
    seen = []
    for _ in range(4):
        chip.tick(inputs, outputs)
        seen.append((inputs[image.IN_DRIVER_FAULT], inputs[image.IN_CONTACT]))
    assert seen == [(0, 1), (0, 1), (1, 1), (1, 1)]
    chip.chain_dead = False
    for _ in range(2):
        chip.tick(inputs, outputs)
    assert inputs[image.IN_DRIVER_FAULT] == 0


def test_the_needle_and_the_comb_are_counted_both_ways(chip):
    """Contract: IN_ENC_UM from park, signed; each comb edge counted with the encoder's count at it, or its place."""
    inputs, outputs = images()
    chip.tick(inputs, outputs)
    for um, comb in ((90, False), (10, True), (40, False), (-44, True), (-106, False)):
        chip.move_needle(um, comb)
        chip.tick(inputs, outputs)
        assert inputs[image.IN_ENC_UM] == chip.needle_um
        if comb:
            assert inputs[image.IN_COMB_ENC_UM] == chip.needle_um
    assert inputs[image.IN_ENC_UM] == -10
    assert inputs[image.IN_COMB_N] == 2


@pytest.mark.parametrize(
    ("ways", "last_um"),
    [
        (((350, 3), (-201, 2)), 196),
        (((20, 0), (250, 2)), 200),
        (((308, 3), (-10, 1), (-150, 1)), 196),
        (((291, 3), (20, 0), (-18, 1)), 287),  # the slot lies 9 um early, and so it does going back
        (((308, 3), (-20, 1), (9, 0), (12, 1)), 300),
    ],
)
def test_which_comb_edge_it_was_follows_from_the_count(ways, last_um):
    """F1, comb: the ESP32 places the edge that came last, each going back its hysteresis later."""
    with chip_of("esp32") as chip:
        chip.make_board()
        inputs, outputs = images()
        for um, edges in ways:
            chip.move_needle(um)
            chip.counters[1].add(edges)
            chip.tick(inputs, outputs)
        assert inputs[image.IN_COMB_ENC_UM] == last_um


def test_a_comb_edge_off_its_place_is_told_as_such(chip):
    """F1, comb: where the encoder lies, the captured count doesn't stand at a comb position."""
    inputs, outputs = images()
    chip.move_needle(160)
    chip.tick(inputs, outputs)
    chip.move_needle(20, comb=True)
    chip.tick(inputs, outputs)
    assert 16 < inputs[image.IN_COMB_ENC_UM] % 100 < 84


def test_counts_go_on_past_every_wrap(chip):
    """Contract: steps past the hardware counter's range, tick numbers past 2^30, the clock past its own wrap."""
    inputs, outputs = images(STEPS=12)
    for _ in range(6000):
        chip.board.read(inputs)
        chip.board.write(outputs)
    chip.board.read(inputs)
    assert inputs[image.IN_STEPS] == 72000
    tick = inputs[image.IN_TICK]
    chip.us = 0x3FFFFFFF - 100 if chip.kind == "esp32" else 0xFFFFFFFF - 100
    chip.board.read(inputs)
    assert inputs[image.IN_TICK] == tick + 1
    if chip.kind == "rp2040":
        chip.tick(inputs, images()[1])
        assert inputs[image.IN_PERIOD_US] == 250


def test_the_tick_number_wraps_at_2_30(chip):
    """Contract: IN_TICK stays within 0..2^30-1."""
    inputs, outputs = images()
    if chip.kind == "rp2040":
        from sit_firmware.boards import rp2_tick

        rp2_tick.WORK[rp2_tick.W_TICK] = (1 << 30) - 2
    else:
        chip.board._tick = (1 << 30) - 2
    seen = []
    for _ in range(3):
        chip.tick(inputs, outputs)
        seen.append(inputs[image.IN_TICK])
    assert seen == [(1 << 30) - 1, 0, 1]
