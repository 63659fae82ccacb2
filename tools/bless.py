"""Take today's traces and the tick's vectors as the golden ones (tests/golden/), showing what differs.

`--check` only shows. Look at the difference before you commit it: it says what the device now does otherwise.
"""

import argparse
import difflib
import functools
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("stack", "unit")]


def main(argv: list[str]) -> int:
    """Write the golden files; 0 when done, or with --check when none differs."""
    import goldens
    import tick_vectors

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a trace differs")
    args = parser.parse_args(argv)
    golden = {goldens.FOLDER / f"{story}.txt": functools.partial(goldens.golden, "sim:", story)
              for story in goldens.STORIES} | {tick_vectors.GOLDEN: tick_vectors.text}  # fmt: skip
    goldens.FOLDER.mkdir(exist_ok=True)
    changed = 0
    for path, make in golden.items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = make()
        if new == old:
            print(f"{path.stem}: unchanged")
            continue
        changed += 1
        name = str(path.relative_to(ROOT))
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, name, n=1))
        if not args.check:
            path.write_text(new, encoding="utf-8")
    print(f"{changed} of {len(golden)} files {'differ' if args.check else 'were written anew'}")
    return 1 if args.check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
