"""What measures: the volume that arrived, in nl since some moment, and how deep the tip stood.

Three meters of volume: a balance read by the operator, the simulator's virtual balance, and the simulator's truth. A
balance gives a mass; buoyancy, density and evaporation are taken off here (ISO 8655-6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sit_host.client import Client

AIR_MG_PER_UL = 0.0012  # at 20 degrees and 1013 hPa
WEIGHTS_MG_PER_UL = 8.0  # steel, what a balance is adjusted with
EVAPORATION_S = 60.0  # how long nothing is given while evaporation is measured


class Meter(Protocol):
    """Shows all that arrived so far; only differences mean anything."""

    name: str

    def total_nl(self) -> float:
        """What has arrived since the meter was set up, nl."""
        ...


class Truth:
    """The simulator's own knowledge of what is in the skin."""

    name = "truth of the simulator"

    def __init__(self, control: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self._control = control

    def total_nl(self) -> float:
        """What is in the skin, nl."""
        return float(self._control({"do": "truth"})["tissue_nl"])

    def depth_um(self) -> float:
        """How deep the tip stood at the end of the last insertion, um from the nose-piece plane."""
        return float(self._control({"do": "truth"})["shots"][-1]["shot"]["depth_um"])


class Balance:
    """A balance: `read_mg` reads its display. The evaporation is measured by `watch_evaporation`."""

    def __init__(
        self, name: str, read_mg: Callable[[], float], now: Callable[[], float], water_celsius: float = 20.0
    ) -> None:
        """`now` is the clock of the target, s."""
        self.name = name
        self._read_mg = read_mg
        self._now = now
        self.mg_per_ul = 1.0 / ul_per_mg(water_celsius)
        self._start_s = now()
        self.evaporation_mg_per_s = 0.0

    def watch_evaporation(self, sleep: Callable[[float], None], readings: int = 5) -> None:
        """Measure the loss while nothing is given: the mean of some readings at each end of a minute."""
        first_s, first = self._mean(readings, sleep)
        sleep(EVAPORATION_S)
        last_s, last = self._mean(readings, sleep)
        self.evaporation_mg_per_s = max((first - last) / (last_s - first_s), 0.0)

    def total_nl(self) -> float:
        """What has arrived, nl, evaporation added back."""
        lost_mg = self.evaporation_mg_per_s * (self._now() - self._start_s)
        return (self._read_mg() + lost_mg) / self.mg_per_ul * 1000.0

    def _mean(self, readings: int, sleep: Callable[[float], None]) -> tuple[float, float]:
        times, values = [], []
        for _ in range(readings):
            sleep(1.0)
            times.append(self._now())
            values.append(self._read_mg())
        return sum(times) / readings, sum(values) / readings


def ul_per_mg(celsius: float) -> float:
    """The factor Z of ISO 8655-6: volume of water that shows 1 mg on a balance in air, at 15 to 30 degrees."""
    return (1.0 - AIR_MG_PER_UL / WEIGHTS_MG_PER_UL) / (water_mg_per_ul(celsius) - AIR_MG_PER_UL)


def water_mg_per_ul(celsius: float) -> float:
    """Density of water at 1013 hPa (Tanaka et al., Metrologia 38, 2001, 301-309). Raises ValueError off 15..30."""
    if not 15.0 <= celsius <= 30.0:
        raise ValueError(f"water at {celsius:g} degrees: weigh at 15 to 30 degrees")
    part = (celsius - 3.983035) ** 2 * (celsius + 301.797) / (522528.9 * (celsius + 69.34881))
    return 0.99997495 * (1.0 - part)


def control_of(client: Client) -> Callable[[Mapping[str, Any]], dict[str, Any]] | None:
    """The simulator's control port behind a client; None on a bench."""
    return getattr(client.transport, "control", None)
