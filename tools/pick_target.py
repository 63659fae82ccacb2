"""Run a command with the wanted simulator target, or with `sim:` where this platform has no MicroPython.

usage: pick_target.py TARGET --then COMMAND [ARG ...]     (the target is appended as the last argument)
"""

import os
import sys
from pathlib import Path


def choose(wanted: str, bin_dir: Path) -> str:
    """Return `wanted`, or "sim:" when it needs the MicroPython unix port and that isn't installed in bin_dir."""
    if wanted.startswith("sim:micropython") and not (bin_dir / "micropython").exists():
        print(
            "no MicroPython unix port for this platform: the firmware runs under CPython (sim:) instead",
            file=sys.stderr,
        )
        return "sim:"
    return wanted


def main(argv: list[str]) -> None:
    """Replace this process by the command."""
    split = argv.index("--then")
    command = [*argv[split + 1 :], choose(argv[0], Path(sys.executable).parent)]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
