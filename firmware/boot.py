"""Runs first on a board: the way to the firmware that starts, and every output at its safe level, nothing else.

Resistors have held those levels until here, and go on doing so if this file is broken: it can't lock anybody out.
"""

import micropython

micropython.kbd_intr(-1)  # a host that asks early sends byte 3 among others: it must not end the start
try:
    import sit_slots

    sit_slots.enter()
    from sit_firmware.boards import safe

    safe.hold()
except ImportError as error:
    print("OpenSIT's firmware isn't whole (" + str(error) + "): the board stays at the REPL, the drive off")
