"""Starts the firmware on a board: picks the board module by platform, builds the app, runs it for ever.

The simulator doesn't come this way; it builds its own board. A fault while starting is printed and the board stays at
the REPL with everything off: boot.py and resistors hold the drive until a board module enables it. The pairing button,
held while the board starts, keeps it at the REPL too: the way in for service. sit_slots.py says which firmware starts.
"""

import gc
import sys

import sit_slots

_LOADING_BYTES = 16384  # allocations between two collections while modules load

# sys.platform -> module with make_board()
BOARDS = {
    "rp2": "sit_firmware.boards.rp2040",
    "esp32": "sit_firmware.boards.esp32",
}


def main(platform=sys.platform):
    """Run the firmware; SystemExit with one sentence when this platform has no board module."""
    name = BOARDS.get(platform)
    if name is None:
        raise SystemExit("OpenSIT has no board for the platform " + platform + ": it knows " + ", ".join(BOARDS))
    # modules stay for ever: collected often, they lie close together and leave the rest of the heap whole
    gc.threshold(_LOADING_BYTES)
    try:
        from sit_firmware.boards import safe

        if safe.escape():
            print("OpenSIT: the pairing button is held, so the board stays at the REPL")
            return
        from sit_firmware.recorder import new_log

        log = new_log()  # the one large piece of the heap, made while nothing lies in its way
        module = __import__(name, None, None, ("make_board",))
    except ImportError as exc:
        raise SystemExit("OpenSIT's board " + name + " can't be loaded, install the whole firmware: " + str(exc))
    from sit_firmware.app import App

    board = module.make_board()
    gc.collect()
    gc.threshold(-1)
    board.run(App(board, log))


def start():
    """What a board runs: main(), when there is firmware that may start. UPDATE ends it, and the prompt comes next.

    SystemExit must not leave this file: MicroPython would start it over and over.
    """
    import micropython

    micropython.kbd_intr(-1)  # MicroPython has Ctrl-C on again after boot.py
    if not sit_slots.ready():
        return
    try:
        main()
    except SystemExit as end:
        if not end.args:
            sit_slots.stay()
        print(end)
        sit_slots.failed()
    except Exception as error:
        sys.print_exception(error)
        sit_slots.failed()


if __name__ == "__main__":
    start()
