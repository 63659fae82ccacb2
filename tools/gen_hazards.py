"""Keep docs/safety/hazards.md, the hazard matrix for a reader.

    tools/gen_hazards.py [--check]

It follows from docs/safety/hazards.toml and tools/bite_controls.toml; `sit qa trace` checks the matrix itself.
"""

import argparse
import sys
from pathlib import Path

from sit_host.qa.trace import read_matrix
from sit_host.qa.trace_page import markdown

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "safety" / "hazards.md"


def main(argv: list[str]) -> int:
    """Write the page, or with --check say whether it differs; 0 when it is (now) right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the page has drifted")
    args = parser.parse_args(argv)
    made = markdown(read_matrix(ROOT))
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    if args.check:
        print(f"{PAGE.relative_to(ROOT)} differs from the hazard file", file=sys.stderr)
        return 1
    PAGE.write_text(made, encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
