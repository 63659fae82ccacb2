"""Runs first on a board: every output at its safe level, nothing else.

Resistors have held those levels until here, and go on doing so if this file is broken: it can't lock anybody out.
"""

try:
    from sit_firmware.boards import safe

    safe.hold()
except ImportError as error:
    print("OpenSIT's firmware isn't whole (" + str(error) + "): the board stays at the REPL, the drive off")
