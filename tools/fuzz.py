"""Hostile bytes on the whole firmware: decoder, dispatcher and everything behind them, with the plant watching.

    tools/fuzz.py                                          1 000 000 frames on sim:, 100 000 on sim:micropython
    tools/fuzz.py --target sim: --frames 50000 --seed 7

Must hold: the firmware never raises and never restarts, its memory doesn't grow, nothing moves, no fault latches.
Every second device is new, every other tested, zeroed and primed. Frames that ask for a self-test, zero, prime or
change are left out, for they move something by right; a tenth more frames come with them in, and there no shot may
begin. On sim: half of the bursts are made of those that reached a new statement or edge of the firmware before; what
they grew to is then sent to sim:micropython, too. At last a stranger replays, alters and signs frames with other keys:
each must be refused and counted. Exit code 1 when one of these doesn't hold.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack import strangers
from attack.guided import Corpus, Reached
from attack.noise import Source
from attack.results import ROOT
from attack.session import open_bench, prepare
from sit_firmware import codes, image
from sit_host.codec import encode_frame
from sit_sim.plant import nominal_unit
from sit_sim.targets import FirmwareDied, LinkLost, open_target

_FRAMES = {"sim:": 1_000_000, "sim:micropython": 100_000}
_PIECES = 8
_GROWN_BYTES = 2048
"""Less free heap than this is the noise of where the collector was, not growth."""
_GROWN_BLOCKS = 3000
_STRANGERS = {"sim:": 20_000, "sim:micropython": 4_000}
CORPUS = ROOT / "build" / "fuzz-corpus.json"
_HALF = 0.5
NAMES = {value: name for name, value in vars(codes).items() if name.startswith(("REFUSED_", "LIMIT_"))} | {0: "taken"}


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


def attack(
    spec: str, moving: bool, frames: int, seed: int, guided: bool = False, kept: Sequence[Sequence[bytes]] = ()
) -> dict[str, Any]:
    """Send so many frames of a seed to a new device; what was seen, `wrong` with a sentence for what mustn't be.

    `guided`: bursts that reach something new in this process are kept and changed. `kept`: bursts to begin with.
    """
    source = Source(seed, moving)
    corpus = Corpus(source, kept or talk(source))
    reached = Reached() if guided else None
    found: dict[str, Any] = {"frames": 0, "bytes": 0, "replied": 0, "wrong": []}
    if reached:
        reached.begin()
    with device(spec, seed) as target:
        before, boots = target.truth(), target.machine.boots
        early: int | None = None
        try:
            while found["frames"] < frames:
                burst = corpus.burst() if source.draw.random() < _HALF else source.burst()
                data = b"".join(burst)
                target.send(data)
                while target.machine.cable.to_device.waiting or target.process.rx_room < target.machine._rx_empty:
                    found["replied"] += target.wait(target.now() + 0.002).count(0)
                found["frames"] += len(burst)
                found["bytes"] += len(data)
                if reached and reached.news():
                    corpus.keep(burst)
                if early is None and found["frames"] >= frames // 4:
                    early = heap(target)
            found["wrong"] += _looked(target, before, boots, early or 0, moving)
        except (FirmwareDied, LinkLost) as error:
            found["wrong"].append(f"{type(error).__name__}: {error}")
        finally:
            if reached:
                reached.end()
                found.update(edges=reached.edges, statements=reached.statements(), kept=corpus.kept)
    found["wrong"] = [f"seed {seed}, {found['frames']} frames: {text}" for text in found["wrong"]]
    return found


def talk(source: Source) -> list[list[bytes]]:
    """What a host says to a device that it uses, but for what moves something: the frames to begin with."""
    bench = open_bench("sim:", 1, nominal_unit())
    with bench.target:
        frames = [frame for frame in strangers.heard(bench) if source.allowed(frame.id)]
    return [[encode_frame(frame.seq, frame.id, frame.payload, session=frame.session) for frame in frames]]


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
    guided = spec == "sim:"
    kept = [] if guided else _corpus()
    edges: set[int] = set()
    grown: list[list[bytes]] = []
    for moving, total in ((False, frames), (True, max(frames // 10, 1))):
        started = time.monotonic()
        pieces = _PIECES if total >= 1000 else 1
        one = functools.partial(attack, spec, moving, -(-total // pieces), guided=guided, kept=kept)
        found = []
        with multiprocessing.Pool(workers, maxtasksperchild=1) as pool:
            for piece in pool.imap_unordered(one, range(seed, seed + pieces)):
                found.append(piece)
                left_min = (time.monotonic() - started) * (pieces / len(found) - 1) / 60
                print(f"{len(found)}/{pieces} pieces, {left_min:.1f} min left", file=sys.stderr)
        sums = {name: sum(piece[name] for piece in found) for name in ("frames", "bytes", "replied")}
        bad = [text for piece in found for text in piece["wrong"]]
        what = "those that move included" if moving else "none that moves"
        print(
            f"{spec} {sums['frames']} frames ({what}), {sums['bytes'] / 1e6:.1f} MB, {sums['replied']} frames back, "
            f"{time.monotonic() - started:.0f} s: {len(bad)} violations",
            flush=True,
        )
        wrong += bad
        edges |= {edge for piece in found for edge in piece.get("edges", ())}
        grown += [] if moving else [burst for piece in found for burst in piece.get("kept", ())]
    if guided:
        _tell(edges, grown)
    return wrong + meet_strangers(spec, _STRANGERS[spec], seed, workers)


def _tell(edges: set[int], grown: list[list[bytes]]) -> None:
    """What the frames reached, and keep the corpus for targets that can't tell."""
    reached = Reached()
    ran = {edge & 0xFFFFF for edge in edges}
    missed = reached.missed(ran)
    print(
        f"reached: {reached.total - sum(map(len, missed.values()))} of {reached.total} statements of decoder and "
        f"dispatcher, {len(edges)} edges, {len(grown)} bursts kept"
    )
    for name, lines in missed.items():
        print(f"  not reached: {name}.py {', '.join(map(str, lines))}")
    CORPUS.parent.mkdir(exist_ok=True)
    CORPUS.write_text(json.dumps([[frame.hex() for frame in burst] for burst in grown]))


def _corpus() -> list[list[bytes]]:
    """What an earlier run on sim: has grown to."""
    if not CORPUS.exists():
        return []
    return [[bytes.fromhex(frame) for frame in burst] for burst in json.loads(CORPUS.read_text())]


def meet_strangers(spec: str, frames: int, seed: int, workers: int) -> list[str]:
    """Print and return what was wrong when somebody who isn't paired sends so many frames."""
    started = time.monotonic()
    with multiprocessing.Pool(workers) as pool:
        one = functools.partial(strangers.attack, spec, -(-frames // _PIECES))
        found = list(pool.imap_unordered(one, range(seed, seed + _PIECES)))
    kinds: Counter[str] = sum((piece["kinds"] for piece in found), Counter())
    refusals: Counter[int] = sum((piece["refusals"] for piece in found), Counter())
    wrong = [text for piece in found for text in piece["wrong"]]
    sent = ", ".join(f"{kinds[kind]} {kind}" for kind in strangers.KINDS)
    told = ", ".join(f"{count} {NAMES[number]}" for number, count in refusals.most_common())
    print(
        f"{spec} frames of a stranger: {sent}; answers: {told}; {sum(piece['counted'] for piece in found)} counted by "
        f"the device, {time.monotonic() - started:.0f} s: {len(wrong)} violations",
        flush=True,
    )
    return wrong


def main(argv: list[str]) -> int:
    """0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", choices=tuple(_FRAMES), help="default: both")
    parser.add_argument("--frames", type=int, metavar="N", help="default 1 000 000 on sim:, 100 000 on sim:micropython")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    args = parser.parse_args(argv)
    if (args.frames is not None and args.frames < 1) or args.workers < 1:
        parser.error("--frames and --workers must be at least 1")
    wrong = []
    for spec in args.target or list(_FRAMES):
        wrong += run(spec, args.frames or _FRAMES[spec], args.seed, args.workers)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
