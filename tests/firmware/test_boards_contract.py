"""The board contract (docs/architecture.md) on each board, on recording fakes of what the boards drive."""

import inspect
import itertools
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_chip import chip_of
from sit_firmware import codes, image
from sit_firmware.boards.sim import Exchange, SimBoard

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = tomllib.loads((ROOT / "hardware" / "reference.toml").read_text())
CHIPS = ("rp2040", "esp32")
DRIVE = {image.OUT_BRIDGE: 1, image.OUT_SWITCH: 1, image.OUT_TOKEN: 1}


class Store(Exchange):
    """The simulator's exchange with a store of its own."""

    def __init__(self):
        super().__init__()
        self.memory = bytearray(262144)

    def store_readinto(self, addr, buf):
        buf[:] = self.memory[addr : addr + len(buf)]

    def store_write(self, addr, buf):
        self.memory[addr : addr + len(buf)] = buf


@contextmanager
def board_of(kind):
    """A board of that kind; a chip's fake is at board.chip."""
    if kind == "sim":
        yield SimBoard(Store())
        return
    with chip_of(kind) as chip:
        board = chip.make_board()
        board.chip = chip
        yield board


@pytest.fixture(params=("sim", *CHIPS))
def board(request):
    """Every board."""
    with board_of(request.param) as made:
        yield made


@pytest.fixture(params=CHIPS)
def chip(request):
    """The fake of a board with pins, its board made and its events so far kept in `started`."""
    with chip_of(request.param) as made:
        made.make_board()
        made.started, made.events = made.events, []
        yield made


def images(**outputs):
    """Input and output image; outputs by name without OUT_."""
    _, inputs, outs, _ = image.new()
    for name, value in outputs.items():
        outs[getattr(image, "OUT_" + name)] = value
    return inputs, outs


def driven(duty=0, steps=0):
    """The images with the drive on."""
    return images(DUTY=duty, BRIDGE=1, SWITCH=1, TOKEN=1, STEPS=steps)


def told(chip, *names):
    """The events of these names, in order."""
    return [event for event in chip.events if event[0] in names]


# --- members --------------------------------------------------------------------------------------


def test_each_board_has_the_members_of_the_contract(board):
    """Contract: name, uid, tick length, repetitive mode, store, link, and the functions with their arguments."""
    assert isinstance(board.name, str) and 0 < len(board.name.encode()) <= 16
    assert len(board.uid) == 8
    assert board.tick_us == REFERENCE["tick"]["tick_us"]
    assert board.repetitive in (0, 1)
    assert board.store.size >= 65536
    for name, count in (("read", 1), ("write", 1), ("off", 0), ("feed", 0), ("run", 1)):
        assert len(inspect.signature(getattr(board, name)).parameters) == count, name
    assert callable(board.link.readinto) and callable(board.link.write)


def test_the_store_keeps_bytes_and_refuses_what_lies_outside(board):
    """Contract, store: readinto and write by address; OSError outside, and nothing is changed."""
    board.store.write(board.store.size - 3, b"abc")
    buf = bytearray(3)
    board.store.readinto(board.store.size - 3, buf)
    assert buf == b"abc"
    for addr in (-1, board.store.size - 2):
        with pytest.raises(OSError):
            board.store.write(addr, b"xyz")
        with pytest.raises(OSError):
            board.store.readinto(addr, bytearray(3))
    board.store.readinto(board.store.size - 3, buf)
    assert buf == b"abc"


# --- outputs --------------------------------------------------------------------------------------


def test_everything_is_off_when_the_board_is_made(chip):
    """Invariant 6: from the first instruction on no cut-off is closed, no token given, no voltage on the coil."""
    on = [event for event in chip.started if event[0] in ("bridge", "switch", "token") and event[1]]
    assert not on
    assert {chip.level_of(name) for name in ("bridge", "switch", "token", "step")} == {0}
    assert chip.level_of("fram_cs") == 1
    assert [event for event in chip.started if event[0] == "duty"][-1] == ("duty", 2048)
    first = [event[0] for event in chip.started]
    assert first.index("bridge") < first.index("duty"), "the cut-offs open before anything else is set up"


def test_the_levels_of_boot_are_those_of_the_pin_map():
    """Invariant 6: boot.py drives every output to the level that its resistor held."""
    for kind in CHIPS:
        with chip_of(kind) as chip:
            from sit_firmware.boards import safe

            safe.hold()
            outputs = [s for s in chip.map.signals if s.direction == "out"]
            assert chip.outputs == {s.pin for s in outputs}
            assert all(chip.levels[s.pin] == (s.safe == "high") for s in outputs)
            assert not safe.escape()
            chip.press("pair")
            assert safe.escape(), "the pairing button keeps the board at the REPL"


def test_each_tick_with_a_token_gives_one_rising_edge(chip):
    """Invariant 6, dead-man: one edge for each token, none without, and a level that stays gives none."""
    inputs, outputs = driven()
    for _ in range(5):
        chip.tick(inputs, outputs)
    edges = told(chip, "token")
    assert [e for e in edges if e[1]] == [("token", 1)] * 5
    assert all(a != b for a, b in itertools.pairwise(edges)), "the pin falls between two tokens"
    outputs[image.OUT_TOKEN] = 0
    chip.events = []
    chip.tick(inputs, outputs)
    chip.tick(inputs, outputs)
    assert ("token", 1) not in chip.events


def test_a_processor_that_hangs_gives_no_token(chip):
    """Invariant 6: what write set stays as a level, which holds nothing; only a further read and write give an edge."""
    inputs, outputs = driven()
    chip.tick(inputs, outputs)
    chip.events = []
    for _ in range(3):
        chip.board.write(outputs)
    rises = sum(
        1 for a, b in zip([("token", 1), *told(chip, "token")], told(chip, "token"), strict=False) if a[1] < b[1]
    )
    assert rises == 0


def test_letting_go_comes_before_everything_else(chip):
    """Invariant 6, order of shutdown: cut-offs open first, then the voltage goes; nothing closes again."""
    inputs, outputs = driven(duty=3000)
    chip.tick(inputs, outputs)
    chip.events = []
    _, none = images(DUTY=3000)
    chip.board.write(none)
    named = [e[0] for e in told(chip, "bridge", "switch", "duty")]
    assert named.index("duty") > max(named.index("bridge"), named.index("switch"))
    assert told(chip, "duty") == [("duty", 2048)], "without the bridge there is no voltage, whatever was asked"
    assert all(not level for _, level in told(chip, "bridge", "switch", "token"))


def test_off_opens_both_cut_offs_and_gives_no_token(chip):
    """Invariant 6: off() ends drive and plunger at once, drive first."""
    inputs, outputs = driven(duty=3000, steps=5)
    chip.tick(inputs, outputs)
    chip.events = []
    chip.board.off()
    assert {chip.level_of(name) for name in ("bridge", "switch", "token")} == {0}
    named = [e[0] for e in chip.events]
    assert named.index("duty") > max(named.index("bridge"), named.index("switch"))
    if chip.kind == "rp2040":
        assert ("step generator", 0) in chip.events, "the chunk under way is cut"


@pytest.mark.parametrize(("duty", "level"), [(0, 2048), (2048, 3072), (-2048, 1024), (4096, 4095), (-9999, 0)])
def test_duty_is_the_share_of_the_supply_either_way(chip, duty, level):
    """Contract: OUT_DUTY in 1/4096 of the supply, positive extends; beyond full is full."""
    inputs, outputs = driven(duty=duty)
    chip.tick(inputs, outputs)
    assert abs(told(chip, "duty")[-1][1] - level) <= 1


def test_a_chunk_gives_exactly_its_steps(chip):
    """Invariant 4: OUT_STEPS steps leave the chip, either way, and IN_STEPS says so in the next tick."""
    inputs, outputs = images()
    total = 0
    for steps in (1, 11, 12, -1, -12, 5, 0):
        outputs[image.OUT_STEPS] = steps
        chip.tick(inputs, outputs)
        total += steps
        chip.board.read(inputs)
        assert inputs[image.IN_STEPS] == total
    assert told(chip, "steps") == [("steps", n) for n in (1, 11, 12, -1, -12, 5)]


def test_no_chunk_is_queued_and_none_is_longer_than_a_tick(chip):
    """Invariant 4, 6: a dead processor leaves at most the chunk under way; a chunk too long for a tick isn't begun."""
    inputs, outputs = images(STEPS=5)
    chip.steps_busy = True
    chip.tick(inputs, outputs)
    chip.steps_busy = False
    outputs[image.OUT_STEPS] = 13
    chip.tick(inputs, outputs)
    assert told(chip, "steps") == []


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
    """Contract: IN_ENC_UM from park, signed; each comb edge counted with the encoder's count at it."""
    inputs, outputs = images()
    chip.tick(inputs, outputs)
    for um, comb in ((240, False), (10, True), (100, False), (-100, True), (-260, False)):
        chip.move_needle(um, comb)
        chip.tick(inputs, outputs)
        assert inputs[image.IN_ENC_UM] == chip.needle_um
        if comb:
            assert inputs[image.IN_COMB_ENC_UM] == 250
    assert inputs[image.IN_ENC_UM] == -10
    assert inputs[image.IN_COMB_N] == 2


def test_a_comb_edge_off_its_place_is_told_as_such(chip):
    """F1, comb: where the encoder lies, the captured count doesn't stand at a comb position."""
    inputs, outputs = images()
    chip.move_needle(180)
    chip.tick(inputs, outputs)
    chip.move_needle(20, comb=True)
    chip.tick(inputs, outputs)
    assert inputs[image.IN_COMB_ENC_UM] == 200


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


# --- store, link, watchdog ------------------------------------------------------------------------


def test_without_an_fram_there_is_no_repetitive_mode(tmp_path, monkeypatch):
    """Invariant 7: a board without FRAM stores in files and offers single shots only; the ESP32 never repeats."""
    for kind in CHIPS:
        with chip_of(kind) as chip:
            assert chip.make_board().repetitive == (kind == "rp2040")
        with chip_of(kind) as chip:
            chip.fram.fitted = False
            board = chip.make_board()
            assert type(board.store).__name__ == "FileStore"
            assert board.repetitive == 0


@pytest.mark.parametrize("why", ["driven", "needle out", "steps under way"])
def test_no_flash_operation_while_anything_moves(chip, why, tmp_path):
    """Invariant 7: the file store writes only with the drive off, the plunger still and the needle home."""
    from sit_firmware.boards.filestore import FileStore

    store = FileStore(str(tmp_path / "store"), chip.board.at_rest)
    inputs, outputs = images()
    chip.tick(inputs, outputs)
    store.write(4090, b"0123456789")
    if why == "driven":
        outputs[image.OUT_BRIDGE] = 1
    elif why == "needle out":
        chip.move_needle(500)
    else:
        chip.steps_busy = True
    chip.tick(inputs, outputs)
    with pytest.raises(OSError):
        store.write(4090, b"abcdefghij")
    buf = bytearray(10)
    store.readinto(4090, buf)
    assert buf == b"0123456789"


def test_an_fram_that_takes_nothing_is_an_error(chip):
    """Invariant 4: a record that the FRAM refuses is never taken for written."""
    chip.fram.fitted = False
    with pytest.raises(OSError):
        chip.board.store.write(0, b"x")


def test_the_link_carries_every_byte_and_never_blocks(chip):
    """Contract, link: what is there is taken, what fits is sent, and a host that is silent or deaf costs nothing."""
    link, every = chip.board.link, bytes(range(256))
    buf = bytearray(300)
    assert link.readinto(buf) == 0
    assert link.write(b"abc") == 0
    chip.stdin.data += every
    got = bytearray()
    while n := link.readinto(buf):
        got += buf[:n]
    assert got == every
    chip.stdout.room = 100
    sent = 0
    while n := link.write(every[sent:]):
        sent += n
    assert sent == 100
    assert chip.stdout.data == every[:100]


class App:
    """Stands for the firmware: ticks by the timer, polls three times, ends while something is driven."""

    def __init__(self, chip):
        self.chip = chip
        self.ticks = self.polls = 0

    def tick(self):
        self.ticks += 1

    def poll(self):
        self.polls += 1
        self.chip.us += 250
        self.chip.timer["callback"](None)
        self.chip.board.feed()
        if self.polls == 3:
            self.chip.board.write(driven(duty=3000)[1])
            raise RuntimeError("the background ended")


def test_run_ticks_and_polls_and_ends_with_everything_off(chip):
    """Invariant 6: Ctrl-C off and watchdog on while it runs; whatever ends it, the timer stops and the drive is off."""
    app = App(chip)
    with pytest.raises(RuntimeError):
        chip.board.run(app)
    assert (app.ticks, app.polls) == (3, 3)
    assert chip.timer["freq"] == 4000
    assert chip.timer.get("hard", False) == (chip.kind == "rp2040")
    order = [e for e in chip.events if e[0] in ("ctrl-c", "watchdog", "timer", "fed")]
    assert order[:3] == [("ctrl-c", -1), ("watchdog", 1000), ("timer", 1)]
    assert order.count(("fed", 1)) == 3
    assert order[-2:] == [("timer", 0), ("ctrl-c", 3)]
    assert {chip.level_of(name) for name in ("bridge", "switch", "token")} == {0}


def test_the_esp32_leaves_out_a_tick_that_comes_too_soon():
    """Depth: after a late tick the next one isn't taken early, or the guard would read too low a speed."""
    with chip_of("esp32") as chip:
        board = chip.make_board()
        inputs, _ = images()
        app = App(chip)
        app.tick = lambda: (setattr(app, "ticks", app.ticks + 1), chip.board.read(inputs))
        poll = app.poll

        def early():
            if app.polls == 1:
                chip.us -= 150
            poll()

        app.poll = early
        with pytest.raises(RuntimeError):
            board.run(app)
        assert app.ticks == 2


# --- lights and tones -----------------------------------------------------------------------------


def shown(chip, light, tone, ticks):
    """The chain's outputs over so many ticks."""
    inputs, outputs = images(LIGHT=light, TONE=tone)
    frames = []
    for _ in range(ticks):
        chip.tick(inputs, outputs)
        frames.append(chip.chain_out)
    return frames


def rises(frames, bit):
    """How often a bit of the chain's outputs goes up."""
    levels = [frame >> bit & 1 for frame in frames]
    return sum(1 for a, b in itertools.pairwise([0, *levels]) if b > a)


@pytest.mark.parametrize(
    ("code", "colour", "low_hz", "high_hz"),
    [(codes.LIGHT_ALARM_HIGH, "led_red", 1.4, 2.8), (codes.LIGHT_ALARM_MEDIUM, "led_yellow", 0.4, 0.8)],
)
def test_alarm_lights_flash_as_the_standard_says(chip, code, colour, low_hz, high_hz):
    """IEC 60601-1-8: high alarms red at 1.4-2.8 Hz, medium ones yellow at 0.4-0.8 Hz, no other colour with them."""
    output = chip.map.chain["output"]
    frames = shown(chip, code, 0, 3 * 8192)
    hz = rises(frames[8192:], output[colour]["bit"]) / (2 * 8192 * 250e-6)
    assert low_hz <= hz <= high_hz
    others = [c for c in ("led_red", "led_yellow", "led_cyan", "led_green") if c != colour]
    assert not any(frame >> output[c]["bit"] & 1 for frame in frames[20:] for c in others)


@pytest.mark.parametrize(
    ("tone", "pulses", "ms"),
    [(codes.TONE_ALARM_HIGH, 10, 2000), (codes.TONE_ALARM_MEDIUM, 3, 800), (codes.TONE_ALARM_LOW, 1, 400)],
)
def test_alarm_tones_have_the_pulses_of_their_priority(chip, tone, pulses, ms):
    """IEC 60601-1-8: high 10 pulses, medium 3, low 1 or 2, within the time that the panel gives the tone."""
    frames = shown(chip, 0, tone, ms * 4)
    assert rises(frames, chip.map.chain["output"]["buzzer"]["bit"]) == pulses


def test_every_code_has_its_own_light_and_an_unknown_one_none(chip):
    """Panel: each light code shows differently; one that isn't in the table stays dark."""
    from sit_firmware.boards import signals

    known = {v for k, v in vars(codes).items() if k.startswith("LIGHT_") and v}
    assert set(signals.LIGHTS) == known
    assert len({tuple(v) for v in signals.LIGHTS.values()}) == len(known)
    assert set(signals.TONES) == {v for k, v in vars(codes).items() if k.startswith("TONE_") and v}
    lit = sum(1 << chip.map.chain["output"][c]["bit"] for c in ("led_red", "led_yellow", "led_cyan", "led_green"))
    assert not any(frame & lit for frame in shown(chip, 15, 0, 600))
