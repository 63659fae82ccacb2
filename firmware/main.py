"""Starts the firmware on a board: picks the board module by platform, builds the app, runs it for ever.

The simulator doesn't come this way; it builds its own board. A fault while starting is printed and the board stays at
the REPL with everything off: pull-downs hold the drive until a board module enables it.
"""

import sys

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
    try:
        module = __import__(name, None, None, ("make_board",))
    except ImportError as exc:
        raise SystemExit("OpenSIT's board " + name + " can't be loaded, install the whole firmware: " + str(exc))
    from sit_firmware.app import App

    board = module.make_board()
    board.run(App(board))


if __name__ == "__main__":
    main()
