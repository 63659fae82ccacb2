"""Runs of seeds on all cores, kept line by line in a file so that a stopped campaign goes on where it was."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = (
    "firmware/sit_firmware", "sim/sit_sim", "host/sit_host", "tools/attack", "tests/stack/shotkit.py",
    "hardware/reference.toml",
)  # fmt: skip
_SHOWN_EVERY_S = 5.0


def source_hash() -> str:
    """Names what the results are true of: firmware, simulator, host and this tool."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    """Results of this state of the sources, by seed or by name of the case; each is written as soon as it is there."""

    def __init__(self, path: Path) -> None:
        self._version = source_hash()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.known = load(path, self._version)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, entry: dict[str, Any]) -> None:
        """Keep the result of `entry["seed"]`."""
        self.known[entry["seed"]] = entry
        self._file.write(json.dumps({**entry, "version": self._version}) + "\n")


class Progress:
    """How far it is and how long it will take, on stderr, every few seconds."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._started = self._shown = time.monotonic()

    def show(self, count: int, text: str) -> None:
        """`count` of the total are there."""
        now = time.monotonic()
        if now - self._shown > _SHOWN_EVERY_S:
            self._shown = now
            rate = count / (now - self._started)
            left_min = (self.total - count) / rate / 60
            print(f"{count}/{self.total} runs, {rate:.1f}/s, {left_min:.1f} min left; {text}", file=sys.stderr)


def load(path: Path, version: str) -> dict[Any, dict[str, Any]]:
    """Results that were kept of this version by seed; those of another version don't count."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a run that was stopped
        if entry.pop("version", "") == version:
            kept[entry["seed"]] = entry
    return kept


def gather(
    path: Path,
    seeds: Iterable[int],
    run: Callable[[int], dict[str, Any]],
    workers: int,
    show: Callable[[dict[int, dict[str, Any]]], str],
) -> dict[int, dict[str, Any]]:
    """Results of all seeds: those in the file, and the missing ones run now and added to it."""
    kept = Kept(path)
    results = kept.known
    wanted = list(seeds)
    missing = [seed for seed in wanted if seed not in results]
    if len(missing) < len(wanted):
        print(f"{len(wanted) - len(missing)} results of this version are in {path}", file=sys.stderr)
    progress = Progress(len(missing))
    with multiprocessing.Pool(workers) as pool:
        for count, entry in enumerate(pool.imap_unordered(run, missing, chunksize=4), 1):
            kept.add(entry)
            progress.show(count, show(results))
    return {seed: results[seed] for seed in wanted}
