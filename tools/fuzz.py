"""Hostile bytes on the whole firmware: decoder, dispatcher and everything behind them, with the plant watching.

    tools/fuzz.py                                          1 000 000 frames on sim:, 100 000 on sim:micropython
    tools/fuzz.py --target sim: --frames 50000 --seed 7

Must hold: the firmware never raises and never restarts, its memory doesn't grow, nothing moves, no fault latches.
Every second device is new, every other tested, zeroed and primed. Frames that ask for a self-test, zero, prime or
change are left out, for they move something by right; a tenth more frames come with them in, and there no shot may
begin. Exit code 1 when one of these doesn't hold.
"""

from __future__ import annotations

import argparse
import functools
import gc
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack.noise import Source
from attack.session import open_bench, prepare
from sit_firmware import image
from sit_sim.plant import nominal_unit
from sit_sim.targets import FirmwareDied, LinkLost, open_target

_FRAMES = {"sim:": 1_000_000, "sim:micropython": 100_000}
_PIECES = 8
_GROWN_BYTES = 2048
"""Less free heap than this is the noise of where the collector was, not growth."""
_GROWN_BLOCKS = 3000


def heap(target: Any) -> int:
    """Free heap of the firmware in bytes; under CPython the blocks not allocated by this process, counted downwards."""
    gc.collect()
    free = target.control({"do": "info"})["heap_free_bytes"]
    return -sys.getallocatedblocks() if free is None else int(free)


def device(spec: str, seed: int) -> Any:
    """A device that nobody holds: new, or for an even seed ready but for a table."""
    if seed % 2:
        return open_target(spec, seed=seed, hand="none")
    bench = open_bench(spec, seed, nominal_unit())
    prepare(bench)
    return bench.target


def attack(spec: str, moving: bool, frames: int, seed: int) -> dict[str, Any]:
    """Send so many frames of a seed to a new device; what was seen, `wrong` with a sentence for what mustn't be."""
    source = Source(seed, moving)
    found: dict[str, Any] = {"frames": 0, "bytes": 0, "replied": 0, "wrong": []}
    with device(spec, seed) as target:
        before, boots = target.truth(), target.machine.boots
        early: int | None = None
        try:
            while found["frames"] < frames:
                data, count = source.burst()
                target.send(data)
                while target.machine.cable.to_device.waiting or target.process.rx_room < target.machine._rx_empty:
                    found["replied"] += target.wait(target.now() + 0.002).count(0)
                found["frames"] += count
                found["bytes"] += len(data)
                if early is None and found["frames"] >= frames // 4:
                    early = heap(target)
            found["wrong"] += _looked(target, before, boots, early or 0, moving)
        except (FirmwareDied, LinkLost) as error:
            found["wrong"].append(f"{type(error).__name__}: {error}")
    found["wrong"] = [f"seed {seed}, {found['frames']} frames: {text}" for text in found["wrong"]]
    return found


def _looked(target: Any, before: dict[str, Any], boots: int, early: int, moving: bool) -> list[str]:
    """What mustn't be, after the last frame."""
    target.run_for(5)
    wrong = []
    lost = early - heap(target)
    if lost > (_GROWN_BYTES if target.process.kind != "sim:" else _GROWN_BLOCKS):
        wrong.append(f"memory grew by {lost} since a quarter of the frames")
    machine, truth = target.machine, target.truth()
    if machine.boots != boots:
        wrong.append(f"it started {machine.boots - boots} times more")
    if machine.shots_begun:
        wrong.append(f"{machine.shots_begun} shots began")
    state = target.process.state
    if moving:
        return wrong
    for name in ("plunger_steps", "tip_max_um"):
        if truth[name] != before[name]:
            wrong.append(f"{name} went from {before[name]} to {truth[name]}")
    if state is not None and state[image.ST_FAULT]:
        wrong.append(f"fault {state[image.ST_FAULT]} latched")
    return wrong


def run(spec: str, frames: int, seed: int, workers: int) -> list[str]:
    """Print and return what was wrong on a target; the frames in pieces, each on a device of its own."""
    wrong: list[str] = []
    for moving, total in ((False, frames), (True, max(frames // 10, 1))):
        started = time.monotonic()
        pieces = _PIECES if total >= 1000 else 1
        one = functools.partial(attack, spec, moving, -(-total // pieces))
        with multiprocessing.Pool(workers) as pool:
            found = list(pool.imap_unordered(one, range(seed, seed + pieces)))
        sums = {name: sum(piece[name] for piece in found) for name in ("frames", "bytes", "replied")}
        bad = [text for piece in found for text in piece["wrong"]]
        what = "those that move included" if moving else "none that moves"
        print(
            f"{spec} {sums['frames']} frames ({what}), {sums['bytes'] / 1e6:.1f} MB, {sums['replied']} frames back, "
            f"{time.monotonic() - started:.0f} s: {len(bad)} violations",
            flush=True,
        )
        wrong += bad
    return wrong


def main(argv: list[str]) -> int:
    """0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", choices=tuple(_FRAMES), help="default: both")
    parser.add_argument("--frames", type=int, metavar="N", help="default 1 000 000 on sim:, 100 000 on sim:micropython")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    args = parser.parse_args(argv)
    wrong = []
    for spec in args.target or list(_FRAMES):
        wrong += run(spec, args.frames or _FRAMES[spec], args.seed, args.workers)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
