"""Point tables: rows, pages and the seal, as LOAD_BEGIN, LOAD_PAGE and LOAD_SEAL carry them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sit_host._gen.messages import MAX_PAYLOAD, LoadBegin, LoadPage, LoadRun
from sit_host.wire import RangeError

_ROW = struct.Struct("<HBBHI")
_PAGE_HEAD_BYTES = 2
NO_EXPIRY = 0xFFFFFFFF  # LOAD_BEGIN's expiry of what has none, such as water on a bench
ROWS_PER_PAGE = (MAX_PAYLOAD - _PAGE_HEAD_BYTES) // _ROW.size


@dataclass(frozen=True)
class Row:
    """One shot to give: point id 0-65535, attempt 1-255, site 0-255, depth in um, volume in nl."""

    point: int
    attempt: int
    site: int
    depth_um: int
    volume_nl: int

    def pack(self) -> bytes:
        """Return the row's 10 bytes. Raises RangeError when a value doesn't fit."""
        try:
            return _ROW.pack(self.point, self.attempt, self.site, self.depth_um, self.volume_nl)
        except struct.error as error:
            raise RangeError(f"The row of point {self.point} can't be sent: {error}.") from None


def pages(rows: Sequence[Row]) -> Iterator[LoadPage]:
    """Return the pages of a table in order."""
    for first in range(0, len(rows), ROWS_PER_PAGE):
        chunk = rows[first : first + ROWS_PER_PAGE]
        yield LoadPage(first, b"".join(row.pack() for row in chunk))


def seal_hash(begin: LoadBegin, rows: Sequence[Row], run: LoadRun | None = None) -> bytes:
    """Return the seal: the first 8 bytes of the SHA-256 of LOAD_BEGIN's payload, LOAD_RUN's and all rows."""
    digest = hashlib.sha256(begin.pack(check=False))
    if run is not None:
        digest.update(run.pack(check=False))
    for row in rows:
        digest.update(row.pack())
    return digest.digest()[:8]
