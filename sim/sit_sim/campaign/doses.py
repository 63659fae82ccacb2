"""Errors of the dose over drawn units, as Parquet: a part of some units, and the figures of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sit_sim.campaign.metering import Setup, UnitError, percentiles, unit_error
from sit_sim.campaign.parts import signed

if TYPE_CHECKING:
    import pyarrow as pa

_SETUP = Setup("30G saline")
_UNITS_A_PART = 5


class Doses(NamedTuple):
    """A campaign of `shots` shots of one volume on each unit; seeds begin with 1."""

    volume_nl: int
    shots: int
    calibrated: bool

    def __str__(self) -> str:
        return f"{self.volume_nl}-{self.shots}-{'calibrated' if self.calibrated else 'factory'}"

    def parts(self, units: int) -> int:
        """How many parts that many units are."""
        return -(-units // _UNITS_A_PART)

    def part(self, number: int) -> pa.Table:
        """Part `number`: a row for each unit."""
        import pyarrow as pa

        seeds = range(number * _UNITS_A_PART + 1, (number + 1) * _UNITS_A_PART + 1)
        found = [unit_error(_SETUP, seed, self.volume_nl, self.shots, None, self.calibrated) for seed in seeds]
        columns = {name: [getattr(one, name) for one in found] for name in UnitError._fields}
        return signed(pa.table({"seed": list(seeds), **columns}))

    def lines(self, table: pa.Table) -> Iterator[str]:
        """The figures over all units that gave at least three shots."""
        rows = [UnitError(*(row[name] for name in UnitError._fields)) for row in table.to_pylist()]
        units = [row for row in rows if row.n >= 3]
        figures = "systematic p50 {:.2f} p90 {:.2f} %, random p50 {:.2f} p90 {:.2f} %"
        yield f"{self.volume_nl} nl, {len(units)} units: " + figures.format(*percentiles(units, self.volume_nl))
        systematic = max(abs(unit.systematic_nl) for unit in units) * 100 / self.volume_nl
        random = max(unit.random_nl for unit in units) * 100 / self.volume_nl
        missed, given = sum(row.missed for row in rows), sum(row.n for row in rows)
        worst = f"worst systematic {systematic:.2f} %, worst random {random:.2f} %"
        yield f"{worst}, not given {missed} of {missed + given}"
