"""The board contract on each board: store, link, watchdog, lights and tones."""

import itertools

import pytest
from boardkit import CHIPS, driven, images
from fake_chip import chip_of
from sit_firmware import codes, image

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

    def tick(self, _timer=None):
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
