"""Type checks: `mypy` over the firmware once per board, against that board's MicroPython stubs, then over the rest,
the build of the firmware included: it runs on the host.

The stubs of two boards can't share an environment, so each is installed beside the build: build/stubs/<board>.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = [ROOT / "firmware" / name for name in ("boot.py", "main.py", "sit_slots.py", "sit_firmware")]
STUBS = ROOT / "build" / "stubs"
# a board's own driver is checked against its own stubs only
RP2_ONLY = ["rp2040.py", "rp2_pio.py", "rp2_capture.py", "rp2_tick.py"]
BOARDS = {"rp2": ["esp32.py", "esp32_count.py"], "esp32": RP2_ONLY}
FLAGS = ["--no-error-summary", "--show-error-codes"]


def stubs(board: str) -> Path:
    """Return the folder of the board's stubs, installed from the pinned and hashed list when missing or outdated."""
    lock = ROOT / f"requirements-stubs-{board}.lock"
    home = STUBS / board
    stamp = home / ".lock-sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "--disable-pip-version-check",
                "-q",
                "install",
                "--require-hashes",
                "--upgrade",
                "--target",
                str(home),
                "-r",
                str(lock),
            ],
            check=True,
        )
        stamp.write_text(digest)
    return home


def firmware(board: str, skip: list[str]) -> int:
    """Check the firmware against one board's stubs; return mypy's exit code."""
    home = stubs(board)
    found = [p for part in FIRMWARE for p in ([part] if part.is_file() else sorted(part.rglob("*.py")))]
    files = [str(p.relative_to(ROOT)) for p in found if p.name not in skip]
    env = {**os.environ, "MYPYPATH": f"{home}:{ROOT / 'firmware'}"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            "tools/mypy-firmware.ini",
            "--custom-typeshed-dir",
            str(home),
            "--cache-dir",
            str(ROOT / "build" / "mypy" / board),
            *FLAGS,
            *files,
        ],
        cwd=ROOT,
        env=env,
    ).returncode


def main() -> int:
    """Run all checks; return 0 only when each is clean."""
    failed = 0
    for board, skip in BOARDS.items():
        code = firmware(board, skip)
        print(f"types: firmware against the {board} stubs: {'ok' if code == 0 else 'FAILED'}")
        failed |= code
    command = [sys.executable, "-m", "mypy", *FLAGS, "host", "sim", "tools", "firmware/sit_build"]
    code = subprocess.run(command, cwd=ROOT).returncode
    print(f"types: host, sim, tools and the firmware's build: {'ok' if code == 0 else 'FAILED'}")
    return 1 if failed | code else 0


if __name__ == "__main__":
    sys.exit(main())
