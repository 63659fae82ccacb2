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
_SOURCES = ("firmware/sit_firmware", "sim/sit_sim", "host/sit_host", "tools/attack", "hardware/reference.toml")
_SHOWN_EVERY_S = 5.0


def source_hash() -> str:
    """Names what the results are true of: firmware, simulator, host and this tool."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def load(path: Path, version: str) -> dict[int, dict[str, Any]]:
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
    version = source_hash()
    path.parent.mkdir(parents=True, exist_ok=True)
    results = load(path, version)
    wanted = list(seeds)
    missing = [seed for seed in wanted if seed not in results]
    if len(missing) < len(wanted):
        print(f"{len(wanted) - len(missing)} results of this version are in {path}", file=sys.stderr)
    started = shown = time.monotonic()
    with path.open("a", encoding="utf-8") as file, multiprocessing.Pool(workers) as pool:
        for count, entry in enumerate(pool.imap_unordered(run, missing, chunksize=4), 1):
            results[entry["seed"]] = entry
            file.write(json.dumps({**entry, "version": version}) + "\n")
            now = time.monotonic()
            if now - shown > _SHOWN_EVERY_S:
                shown = now
                file.flush()
                rate = count / (now - started)
                left_min = (len(missing) - count) / rate / 60
                print(
                    f"{count}/{len(missing)} runs, {rate:.1f}/s, {left_min:.1f} min left; {show(results)}",
                    file=sys.stderr,
                )
    return {seed: results[seed] for seed in wanted}
