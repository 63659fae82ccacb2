"""What stops a firmware that fails on the emulated RP2040: the tick's own handler, the dead-man, the watchdog."""

import pytest
from branches import branch
from sit_firmware import codes, image

PAIR, JUMPER, ENC = image.IN_PAIR, image.IN_JUMPER, image.IN_ENC_UM
# the deployed main.py with two ways to fail. The pairing button drives the needle as the self-test of the spring does,
# so that there is a drive to let go. When it has moved the tick raises, or with the service jumper the background hangs
MAIN = f"""
import gc, machine
from sit_firmware import image
gc.threshold(16384)
from sit_firmware.boards.rp2040 import make_board
from sit_firmware.app import App
board = make_board()
gc.collect()
gc.threshold(-1)
app = App(board)
app.state[{image.ST_ARG_STEPS}] = {image.TEST_SPRING}
app.state[{image.ST_REQ}] = {codes.REQ_TEST}
cycle, polled, begun = app._cycle, app.poll, []
def failing(images):
    cycle(images)
    if app.inputs[{ENC}] > 50 and not app.inputs[{JUMPER}]:
        raise RuntimeError("tick")
def poll():
    polled()
    if app.inputs[{PAIR}] and not begun:
        begun.append(1)
        app.state[{image.ST_REQ_SEQ}] += 1
    if app.inputs[{ENC}] > 20 and app.inputs[{JUMPER}]:
        machine.disable_irq()
        while True:
            pass
app._cycle, app.poll = failing, poll
board.run(app)
"""


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


@pytest.fixture(scope="module")
def ends(open_board):
    """A board that fails when it is asked to, started once; both failures go on with a copy of it, at the same time."""
    target = open_board(MAIN)
    return [branch(lambda fails=fails: fails(target)) for fails in (exception_in_the_tick, loop_with_interrupts_off)]


def drive(target):
    """Press the button; the coil has a voltage when this returns."""
    target.control({"do": "hand", "action": "pair"})
    run_until(target, lambda: energised(target), 500)


def test_exception_in_the_tick(ends):
    """Invariant 6: an exception in the tick ends with the drive off and a latched fault; the timer goes on."""
    ends[0]()


def exception_in_the_tick(target):
    drive(target)
    probe = target.machine.process.probe
    run_until(target, lambda: probe.slot("state", image.ST_FAULT), 100)
    assert probe.slot("state", image.ST_FAULT) == codes.FAULT_TICK_EXCEPTION
    run_until(target, lambda: not energised(target), 1)
    ticks = probe.slot("inputs", image.IN_TICK)
    target.control({"do": "run", "ms": 20})
    assert probe.slot("inputs", image.IN_TICK) > ticks + 70
    assert target.truth()["tip_max_um"] < 0


def test_loop_with_interrupts_off(ends):
    """Invariant 6: with the processor hung the dead-man lets go within 2 ticks, then the watchdog resets the chip."""
    ends[1]()


def loop_with_interrupts_off(target):
    target.control({"do": "hand", "action": "jumper_on"})
    drive(target)
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
