"""Make every generated file anew, or with --check say which ones differ from their source.

Each generator is a script of its own that knows `--check`; this table is the only list of them.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# in this order: later ones read what earlier ones write
GENERATORS = (
    "tools/gen_protocol.py",
    "tools/gen_params.py",
    "tools/gen_equipment.py",
    "tools/guard_band.py",
    "tools/gen_invariants.py",
    "tools/gen_hazards.py",
    "tools/gen_pins.py",
    "tools/late_boards.py",
    "tools/tick_jitter.py",
    "tools/power_budget.py",
)


def main(argv: list[str]) -> int:
    """Run all generators with the given arguments; 0 when each succeeded."""
    failed = [g for g in GENERATORS if subprocess.run([sys.executable, g, *argv], cwd=ROOT).returncode]
    if failed and "--check" in argv:
        print("generated files differ from their source: run `make gen` and commit the result", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
