"""How long a command and its reply take, in target time, idle and during a shot's phases of a whole treatment."""

from rich.table import Table
from sit_host.connect import open_client
from sit_host.outcome import expect
from sit_host.transport import SimOptions

_COMMANDS = 500


def _percentile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def run() -> Table:
    """Ask for the status and for the settings, one after the other, on `sim:`."""
    table = Table("command", "count", "p50, ms", "p99, ms", "worst, ms")
    with open_client("sim:", sim=SimOptions(seed=1, hand="none")) as client:
        for name, ask in (("STATUS", client.status), ("SETTINGS_READ", client.settings_read)):
            took = []
            for _ in range(_COMMANDS):
                begin = client.transport.now()
                expect(ask())
                took.append((client.transport.now() - begin) * 1e3)
            took.sort()
            table.add_row(
                name,
                str(_COMMANDS),
                f"{_percentile(took, 0.5):.2f}",
                f"{_percentile(took, 0.99):.2f}",
                f"{took[-1]:.2f}",
            )
    return table
