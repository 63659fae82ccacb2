"""What stops a firmware that fails on the emulated RP2040: the tick's own handler, the dead-man, the watchdog."""

import pytest
from sit_firmware import codes, image

# the deployed main.py, and a tick or a background that fails when somebody presses the pairing button
MAIN = """
import gc, machine
from sit_firmware import image
gc.threshold(4096)
from sit_firmware.boards.rp2040 import make_board
from sit_firmware.app import App
board = make_board()
gc.collect()
gc.threshold(-1)
app = App(board)
{failing}
board.run(app)
"""
PAIR, ST_REQ, ST_SEQ = image.IN_PAIR, image.ST_REQ, image.ST_REQ_SEQ
# drives the needle as the self-test of the spring does, so that there is a drive to let go
DRIVE = f"""
app.state[{image.ST_ARG_STEPS}] = {image.TEST_SPRING}
app.state[{ST_REQ}] = {codes.REQ_TEST}
def drive():
    app.state[{ST_SEQ}] += 1
polled = app.poll
"""
IN_TICK = (
    DRIVE
    + f"""
cycle = app._cycle
def failing(images):
    cycle(images)
    if app.inputs[{image.IN_ENC_UM}] > 50:
        raise RuntimeError("tick")
app._cycle = failing
begun = []
def poll():
    polled()
    if app.inputs[{PAIR}] and not begun:
        begun.append(1)
        drive()
app.poll = poll
"""
)
HUNG = (
    DRIVE
    + f"""
begun = []
def poll():
    polled()
    if app.inputs[{PAIR}] and not begun:
        begun.append(1)
        drive()
    if app.inputs[{image.IN_ENC_UM}] > 20:
        machine.disable_irq()
        while True:
            pass
app.poll = poll
"""
)


def run_until(target, condition, most_ms):
    """Milliseconds until the condition holds, looked at each tick; fails when it doesn't."""
    begun = target.now()
    while not condition():
        assert target.now() - begun < most_ms / 1000, target.truth()
        target.control({"do": "run", "ms": 0.25})
    return (target.now() - begun) * 1000


def energised(target):
    """The true state of the drive."""
    return target.truth()["energised"]


@pytest.fixture
def driven(open_board):
    """A function that opens a board with a failing main.py and starts the drive."""

    def open_driven(failing):
        target = open_board(MAIN.format(failing=failing))
        target.control({"do": "hand", "action": "pair"})
        run_until(target, lambda: energised(target), 500)
        return target

    return open_driven


def test_exception_in_the_tick(driven):
    """Invariant 6: an exception in the tick ends with the drive off and a latched fault; the timer goes on."""
    target = driven(IN_TICK)
    probe = target.machine.process.probe
    run_until(target, lambda: probe.slot("state", image.ST_FAULT), 100)
    assert probe.slot("state", image.ST_FAULT) == codes.FAULT_TICK_EXCEPTION
    run_until(target, lambda: not energised(target), 1)
    ticks = probe.slot("inputs", image.IN_TICK)
    target.control({"do": "run", "ms": 20})
    assert probe.slot("inputs", image.IN_TICK) > ticks + 70
    assert target.truth()["tip_max_um"] < 0


def test_loop_with_interrupts_off(driven):
    """Invariant 6: with the processor hung the dead-man lets go within 2 ticks, then the watchdog resets the chip."""
    target = driven(HUNG)
    machine = target.machine
    probe = machine.process.probe
    tick = [-1, 0]

    def stands():
        seen = probe.slot("inputs", image.IN_TICK)
        tick[1] = tick[1] + 1 if seen == tick[0] else 0
        tick[0] = seen
        return tick[1] >= 1

    run_until(target, stands, 100)
    # the tick it stood in has passed; the drive is off 2 ticks after the last token, its current a little later
    run_until(target, lambda: not energised(target), 0.75)
    assert machine.resets == 0
    run_until(target, lambda: machine.resets == 1, 1100)
    assert not energised(target)
    assert target.truth()["tip_max_um"] < 0
