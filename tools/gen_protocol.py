"""Writes every file that follows from protocol/schema.toml and the process image.

python tools/gen_protocol.py            write what has changed
python tools/gen_protocol.py --check    write nothing; exit 1 with one sentence if a file has drifted
"""

import argparse
import sys
from pathlib import Path

# the package lives beside the schema, outside the installed roots
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "protocol"))

from protogen import files
from protogen.schema import SchemaError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 fine, 1 drift or a schema that is wrong."""
    parser = argparse.ArgumentParser(
        description="Write the files generated from protocol/schema.toml and image.py.",
        epilog="example: python tools/gen_protocol.py --check",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a generated file has drifted")
    options = parser.parse_args(arguments)
    try:
        paths = files.drifted() if options.check else files.write()
    except (SchemaError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.check and paths:
        print(
            f"Generated files have drifted from schema.toml or image.py: {', '.join(paths)}; run `make gen`.",
            file=sys.stderr,
        )
        return 1
    for path in paths:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
