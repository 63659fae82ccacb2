"""The power budget: its formulas against hand calculation, and a budget that doesn't close is an error."""

import copy
import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "power_budget.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("power_budget", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["power_budget"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def figures(tool):
    """Reference, power and firmware figures, free to be changed."""
    ref = tool.load("reference.toml")
    return copy.deepcopy([ref, tool.load("power.toml"), {"supply_ms": tool.supply_ms(ref)}])


def test_the_page_is_of_today(tool):
    """hardware/power.md is what the tool computes from reference.toml and power.toml."""
    assert tool.main(["--check"]) == 0


def test_steady_heat_is_its_own_fixed_point(tool, figures):
    """Mean power and temperature fit each other: P = I^2 R(T), T = ambient + Rth P."""
    power = figures[1]
    watts, celsius = tool.heat(power, 8.0, 0.6, 0.5)
    coil = power["coil"]
    assert watts == pytest.approx(0.5 * 0.36 * 8.0 * (1 + coil["copper_per_k"] * (celsius - 20)))
    assert celsius == pytest.approx(coil["ambient_c"] + coil["thermal_k_per_w"] * watts)
    assert tool.heat(power, 8.0, 6.0, 1.0) == (float("inf"), float("inf"))


def test_force_to_hold_is_the_springs(tool, figures):
    """1.2 N at park and 0.5 N/mm from -0.8 mm to 1.9 mm are 2.55 N; the worst unit needs more than that."""
    assert tool.holding_n(figures[0], 1.9, worst=False) == pytest.approx(2.55)
    assert tool.holding_n(figures[0], 1.9, worst=True) > 2.55 * 1.07


@pytest.mark.parametrize(
    ("file", "table", "key", "value", "said"),
    [
        (1, "coil", "thermal_k_per_w", 40.0, "coil reaches"),
        (1, "bridge", "sense_tol", 0.2, "current limit spreads"),
        (1, "deadman", "tol", 0.4, "dead-man pulse"),
        (0, "deadman", "hold_ticks", 1, "dead-man pulse"),
        (1, "hold_up", "capacitor_uf", 1000.0, "the last record takes"),
        (1, "hold_up", "background_ms", 100.0, "the last record takes"),
    ],
)
def test_a_budget_that_does_not_close_is_refused(tool, figures, file, table, key, value, said):
    """Each term of the budget has a bound; passing it stops the tool with a sentence that names it."""
    figures[file][table][key] = value
    with pytest.raises(tool.BudgetError, match=said):
        tool.budget(*figures)
