"""Take today's traces as the golden ones (tests/golden/), showing what differs. `--check` only shows.

Look at the difference before you commit it: it says what the device now does otherwise.
"""

import argparse
import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "stack"))


def main(argv: list[str]) -> int:
    """Write the golden traces; 0 when done, or with --check when none differs."""
    import goldens

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a trace differs")
    args = parser.parse_args(argv)
    goldens.FOLDER.mkdir(exist_ok=True)
    changed = 0
    for story in goldens.STORIES:
        path = goldens.FOLDER / f"{story}.txt"
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = goldens.golden("sim:", story)
        if new == old:
            print(f"{story}: unchanged")
            continue
        changed += 1
        name = str(path.relative_to(ROOT))
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, name, n=1))
        if not args.check:
            path.write_text(new, encoding="utf-8")
    print(f"{changed} of {len(goldens.STORIES)} traces {'differ' if args.check else 'were written anew'}")
    return 1 if args.check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
