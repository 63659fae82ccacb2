"""A campaign in parts: each part a Parquet file, made once, by any number of workers, on this computer or on many.

A part follows from its number alone, so who makes it and when changes nothing. A stopped campaign goes on with the
parts that are missing. Each part knows the sources it was made from (`sources_hash`): parts of other sources are made
anew, and a worker with other sources is refused.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

_ROOT = Path(__file__).resolve().parents[3]
_SOURCES = ("firmware/sit_firmware", "sim/sit_sim/plant", "sim/sit_sim/campaign", "sim/sit_sim/faults.py")
_NUMBERS = "hardware/reference.toml"
_KEY = b"opensit_sources"

Part = Callable[[int], "pa.Table"]
"""Makes part number n; importable by its name, for it goes to other processes."""


class Tell(Protocol):
    """What is told after each part: parts done, parts in all, seconds left (0 when unknown)."""

    def __call__(self, done: int, total: int, left_s: float) -> None: ...


class OtherSources(Exception):
    """A worker made its part from other sources than the ones here."""


@cache
def sources_hash() -> bytes:
    """Names what results are true of: firmware, plant, campaign code and the reference's numbers."""
    digest = hashlib.sha256((_ROOT / _NUMBERS).read_bytes())
    for name in _SOURCES:
        path = _ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16].encode()


def signed(table: pa.Table) -> pa.Table:
    """The table with the sources it was made from."""
    return table.replace_schema_metadata({_KEY: sources_hash()})


def path_of(folder: Path, number: int) -> Path:
    """The file of a part."""
    return folder / f"part-{number:06d}.parquet"


def missing(folder: Path, total: int) -> list[int]:
    """The parts that aren't there, or aren't of these sources."""
    import pyarrow.parquet as pq

    def there(path: Path) -> bool:
        return path.exists() and (pq.read_schema(path).metadata or {}).get(_KEY) == sources_hash()

    return [number for number in range(total) if not there(path_of(folder, number))]


def keep(folder: Path, number: int, table: pa.Table) -> None:
    """Write a part: it is there whole or not at all. Raises OtherSources."""
    import pyarrow.parquet as pq

    if (table.schema.metadata or {}).get(_KEY) != sources_hash():
        raise OtherSources(
            f"part {number} was made from other sources than the ones here: bring all workers to the same commit."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, number)
    new = path.with_suffix(f".{os.getpid()}")
    pq.write_table(table, new, compression="zstd")
    new.replace(path)


def read(folder: Path, total: int) -> pa.Table:
    """Parts 0 to total - 1 in one table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.concat_tables([pq.read_table(path_of(folder, number)) for number in range(total)])


def run(folder: Path, total: int, part: Part, workers: int, scheduler: str | None, tell: Tell | None = None) -> int:
    """Make what is missing of `total` parts; returns how many were made.

    With a `scheduler` (tcp://host:port of Dask) its workers make them and this process keeps them; they need the same
    OpenSIT installed and see no file of this computer.
    """
    left = missing(folder, total)
    begun = time.perf_counter()
    made = made_by_dask(scheduler, part, left) if scheduler else made_here(part, left, workers)
    for done, (number, table) in enumerate(made, 1):
        keep(folder, number, table)
        if tell:
            spent = time.perf_counter() - begun
            tell(total - len(left) + done, total, spent / done * (len(left) - done))
    return len(left)


def made_here(part: Part, numbers: list[int], workers: int) -> Iterator[tuple[int, pa.Table]]:
    """The parts as they come, from `workers` processes; from this one when it is one."""
    if workers == 1:
        yield from ((number, part(number)) for number in numbers)
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting: dict[Any, int] = {}
        for number in numbers:
            waiting[pool.submit(part, number)] = number
            if len(waiting) >= 4 * workers:
                yield from _ready(waiting)
        while waiting:
            yield from _ready(waiting)


def _ready(waiting: dict[Any, int]) -> Iterator[tuple[int, pa.Table]]:
    """Those that are done, at least one, taken out of `waiting`."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


def made_by_dask(address: str, part: Part, numbers: list[int]) -> Iterator[tuple[int, pa.Table]]:
    """The parts as they come from the workers of a Dask scheduler."""
    from distributed import Client
    from distributed import as_completed as each_done

    with Client(address, timeout="10s") as client:
        futures = client.map(part, numbers)
        waiting = {future.key: number for future, number in zip(futures, numbers, strict=True)}
        for future, table in each_done(futures, with_results=True):
            yield waiting[future.key], table
