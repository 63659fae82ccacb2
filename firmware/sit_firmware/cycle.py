"""The work of one tick, the same on every board: read, control in every second tick, guard, write, record.

    read(inputs) -> step(...) -> check(...) -> write(outputs) -> keep(..., log)

`images` is made once, by the app: state, inputs, outputs, params; the flight recorder's log; the memory of the board's
own read and write, which only machine code asks for; and those two functions. For the RP2040 the build compiles this
function with all it calls, the board's two among them, into one piece of machine code (sit_build/entries.py).

Interrupt context: allocates nothing, integers only.
"""

from sit_firmware import image
from sit_firmware.control.law import step
from sit_firmware.guard import check
from sit_firmware.recorder import keep


def cycle(images):
    """One tick. What `read` or `write` raises comes out."""
    state, inputs, outputs, params, log, _work, read, write = images
    read(inputs)
    if not inputs[image.IN_TICK] & 1:
        step(state, inputs, outputs, params)
    check(state, inputs, outputs, params)
    write(outputs)
    keep(state, inputs, outputs, log)
