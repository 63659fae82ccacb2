"""The board contract (docs/architecture.md) on each board: members and outputs, on recording fakes."""

import inspect
import itertools

import pytest
from boardkit import CHIPS, REFERENCE, driven, images, told
from fake_chip import chip_of
from sit_firmware import image

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
    assert board.work is None or len(board.work) <= 32, "one instruction reaches 32 words of it"


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
