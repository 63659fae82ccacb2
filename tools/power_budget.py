"""Compute the hardware's power budget and write its tables into hardware/power.md.

    tools/power_budget.py [--check]

Inputs: hardware/reference.toml (the machine) and hardware/power.toml (loads, heat, hold-up). All of it is a calculation
on proposed parts: nothing was measured. A budget that doesn't close (coil too hot in repetitive use, record not held
up, dead-man window missed, current limit outside its tolerance) is an error: the sentence says which, by how much.
"""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import marked

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "hardware" / "power.md"
GRAVITY = 9.81
Toml = dict[str, Any]


class BudgetError(Exception):
    """The budget doesn't close; the message says where and by how much."""


def heat(power: Toml, resistance_ohm: float, current_a: float, share: float) -> tuple[float, float]:
    """Mean power (W) and steady temperature (degC) of a winding that carries `current_a` for `share` of the time.

    Copper's resistance rises with its temperature: P = P20 (1 + a (T - 20)), T = ambient + Rth P, solved for T.
    Infinite when heating outruns cooling.
    """
    coil = power["coil"]
    cold_w = current_a**2 * resistance_ohm * share
    rise = coil["copper_per_k"] * coil["thermal_k_per_w"] * cold_w
    if rise >= 1.0:
        return float("inf"), float("inf")
    mean_w = cold_w * (1.0 + coil["copper_per_k"] * (coil["ambient_c"] - 20.0)) / (1.0 - rise)
    return mean_w, coil["ambient_c"] + coil["thermal_k_per_w"] * mean_w


def time_to_limit_s(power: Toml, resistance_ohm: float, current_a: float) -> float:
    """Seconds from ambient to the winding's limit, no heat lost, at the hot resistance: too short rather than long."""
    coil = power["coil"]
    hot_ohm = resistance_ohm * (1.0 + coil["copper_per_k"] * (coil["winding_limit_c"] - 20.0))
    return coil["thermal_j_per_k"] * (coil["winding_limit_c"] - coil["ambient_c"]) / (current_a**2 * hot_ohm)


def holding_n(ref: Toml, depth_mm: float, *, worst: bool) -> float:
    """Force to hold the needle at a depth: spring; in the worst unit its tolerance, weight and skin friction too."""
    axis, skin = ref["needle_axis"], ref["skin"]
    spring_n = axis["spring_park_n"] + axis["spring_n_per_mm"] * (depth_mm - axis["park_mm"])
    if not worst:
        return spring_n
    weight_n = axis["mass_g"] * 1e-3 * (1 + axis["mass_tol"]) * GRAVITY * axis["gravity_g"]
    skin_n = skin["cutting_range_n"][1] + skin["friction_range_n_per_mm"][1] * depth_mm
    return spring_n * (1 + axis["spring_tol"]) + weight_n + skin_n


def coil_tables(ref: Toml, power: Toml) -> tuple[list[str], float]:
    """The force and heat tables, and the coil's mean power in repetitive use, W."""
    coil, depth_mm = ref["coil"], power["coil"]["depth_mm"]
    limit_a, k_n_per_a, ohm = coil["current_limit_a"], coil["force_n_per_a"], coil["resistance_ohm"]
    nominal_n, worst_n = (holding_n(ref, depth_mm, worst=worst) for worst in (False, True))
    least_n = limit_a * (1 - coil["current_limit_tol"]) * k_n_per_a * (1 - coil["force_tol"])
    most_n = limit_a * (1 + coil["current_limit_tol"]) * k_n_per_a * (1 + coil["force_tol"])
    forces = marked.table(
        (f"force at {depth_mm:g} mm", "nominal, N", "worst, N"),
        [
            ("force limit", f"{limit_a * k_n_per_a:.2f}", f"{least_n:.2f} to {most_n:.2f}"),
            ("needed to hold", f"{nominal_n:.2f}", f"{worst_n:.2f}"),
            ("left over", f"{limit_a * k_n_per_a - nominal_n:.2f}", f"{least_n - worst_n:.2f}"),
        ],
    )
    hold_a, warmest_a = nominal_n / k_n_per_a, limit_a * (1 + coil["current_limit_tol"])
    worst_ohm = ohm * (1 + coil["resistance_tol"][1])
    worst_hold_a = min(worst_n / (k_n_per_a * (1 - coil["force_tol"])), warmest_a)
    share = power["hold"]
    uses = (
        ("single shots, nominal unit", hold_a, ohm, share["single_share"]),
        ("repetitive, nominal unit", hold_a, ohm, share["repetitive_share"]),
        ("held without a break, nominal unit", hold_a, ohm, 1.0),
        ("repetitive, worst unit", worst_hold_a, worst_ohm, share["repetitive_share"]),
        ("stuck at the current limit, nominal unit", limit_a, ohm, 1.0),
        ("stuck at the current limit, worst unit", warmest_a, worst_ohm, 1.0),
    )
    rows, limit_c, mean_w = [], power["coil"]["winding_limit_c"], 0.0
    for name, current_a, resistance_ohm, part in uses:
        watts, celsius = heat(power, resistance_ohm, current_a, part)
        until = "never" if celsius <= limit_c else f"{time_to_limit_s(power, resistance_ohm, current_a) / part:.0f} s"
        rows.append((name, f"{current_a:.2f}", f"{part:.0%}", f"{watts:.1f}", f"{celsius:.0f}", until))
        if name == "repetitive, nominal unit":
            mean_w = watts
            if celsius > limit_c:
                raise BudgetError(f"the coil reaches {celsius:.0f} degC in repetitive use, {limit_c:g} are allowed")
    head = ("use", "A", "time out", "W", f"degC at {power['coil']['ambient_c']:g} ambient", f"{limit_c:g} degC after")
    return [*forces, "", *marked.table(head, rows)], mean_w


def limit_table(ref: Toml, power: Toml) -> list[str]:
    """The resistor that sets the current limit, and what its chain's tolerances add up to."""
    bridge, coil = power["bridge"], ref["coil"]
    ohm = bridge["vref_v"] / (coil["current_limit_a"] * bridge["sense_a_per_a"])
    total = bridge["sense_tol"] + bridge["vref_tol"] + bridge["resistor_tol"]
    if total > coil["current_limit_tol"]:
        raise BudgetError(f"the current limit spreads by {total:.1%}, {coil['current_limit_tol']:.0%} are allowed")
    return marked.table(
        ("current limit", "value"),
        [
            ("limit", f"{coil['current_limit_a']:g} A"),
            ("sense resistor = VREF / (limit x mirror)", f"{ohm:.0f} ohm"),
            ("mirror + reference + resistor", f"{total:.1%}"),
            ("allowed by reference.toml", f"{coil['current_limit_tol']:.1%}"),
        ],
    )


def deadman_table(ref: Toml, power: Toml) -> list[str]:
    """The monostable's pulse: longer than a late tick, no longer than the ticks that it may hold."""
    dead, tick_us = power["deadman"], ref["tick"]["tick_us"]
    pulse_us = dead["resistor_ohm"] * dead["capacitor_nf"] * 1e-3 * dead["factor"]
    low_us, high_us = pulse_us * (1 - dead["tol"]), pulse_us * (1 + dead["tol"])
    least_us, most_us = tick_us + dead["late_us"], tick_us * ref["deadman"]["hold_ticks"]
    if low_us <= least_us or high_us > most_us:
        raise BudgetError(f"the dead-man pulse is {low_us:.0f} to {high_us:.0f} us, not within {least_us} to {most_us}")
    return marked.table(
        ("dead-man", "us"),
        [
            ("a tick and its greatest lateness: the pulse must be longer", f"{least_us}"),
            ("shortest pulse", f"{low_us:.0f}"),
            ("pulse = R x C x factor", f"{pulse_us:.0f}"),
            ("longest pulse", f"{high_us:.0f}"),
            (f"{ref['deadman']['hold_ticks']} ticks: it must be no longer", f"{most_us}"),
        ],
    )


def rail_table(ref: Toml, power: Toml, coil_w: float) -> tuple[list[str], float]:
    """Loads on the battery rail in repetitive use, and what the logic takes from it, W."""
    volts, logic_w = ref["coil"]["supply_mv"] / 1000, 0.0
    rows, battery_w = [("coil, mean", "battery", f"{coil_w:.2f}")], coil_w
    for name, part in power["rail"].items():
        direct = part["where"] == "battery"
        watts = part["ma"] / 1000 * (volts if direct else 5.0) * part.get("duty", 1.0)
        rows.append((name.replace("_", " "), part["where"], f"{watts:.2f}"))
        if direct:
            battery_w += watts
        else:
            logic_w += watts
    logic_w /= power["converter"]["efficiency"]
    total_w, lowest_v = battery_w + logic_w, ref["coil"]["supply_range_mv"][0] / 1000
    rows.append(("logic, converter's losses included", "battery", f"{logic_w:.2f}"))
    amps = f"{total_w / volts:.2f} A at {volts:g} V, {total_w / lowest_v:.2f} A at {lowest_v:g} V"
    rows.append((f"**sum: {amps}**", "battery", f"**{total_w:.2f}**"))
    return marked.table(("load", "rail", "W"), rows), logic_w


def hold_up_table(ref: Toml, power: Toml, params: Toml, logic_w: float) -> list[str]:
    """How long the logic lives after the supply has failed, against what the last record takes."""
    up, converter = power["hold_up"], power["converter"]
    trip_v = ref["coil"]["supply_range_mv"][0] / 1000 - converter["diode_v"]
    least_f = up["capacitor_uf"] * 1e-6 * (1 - up["capacitor_tol"])
    joule = least_f * (trip_v**2 - converter["lowest_input_v"] ** 2) / 2
    lives_ms = joule / logic_w * 1000
    steps = (
        ("guard believes the low supply", params["supply_ms"]),
        ("needle home by its spring", up["home_ms"]),
        ("background's turn", up["background_ms"]),
        ("records written", up["records"] * ref["store"]["record_us"] / 1000),
    )
    needs_ms = sum(ms for _, ms in steps)
    if lives_ms < needs_ms:
        raise BudgetError(
            f"the logic lives {lives_ms:.0f} ms after the supply failed, the last record takes {needs_ms:.0f}"
        )
    rows = [(name, f"{ms:.1f}") for name, ms in steps]
    rows += [("**needed**", f"**{needs_ms:.1f}**"), ("**held up, smallest capacitor**", f"**{lives_ms:.1f}**")]
    return marked.table((f"from {trip_v:g} V to {converter['lowest_input_v']:g} V at the capacitor", "ms"), rows)


def load(name: str) -> Toml:
    """A TOML file of hardware/."""
    return tomllib.loads((ROOT / "hardware" / name).read_text(encoding="utf-8"))


def supply_ms(ref: Toml) -> float:
    """How long the guard watches a low supply before it trips, from the firmware's parameters."""
    from sit_firmware import image, params_gen

    return dict(params_gen.DEFAULTS)[image.P_G_SUPPLY_N] * ref["tick"]["tick_us"] / 1000


def budget(ref: Toml, power: Toml, params: Toml) -> str:
    """All tables; BudgetError when it doesn't close."""
    coil, coil_w = coil_tables(ref, power)
    rails, logic_w = rail_table(ref, power, coil_w)
    blocks = (
        ("Coil", coil),
        ("Current limit", limit_table(ref, power)),
        ("Dead-man", deadman_table(ref, power)),
        ("Supply, repetitive use", rails),
        ("Hold-up", hold_up_table(ref, power, params, logic_w)),
    )
    return "\n\n".join(f"### {title}\n" + "\n".join(["", *lines]) for title, lines in blocks)


def main(argv: list[str]) -> int:
    """Write the tables, or with --check compare; 1 when the budget doesn't close or the page differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args(argv).check
    ref = load("reference.toml")
    try:
        made = budget(ref, load("power.toml"), {"supply_ms": supply_ms(ref)})
    except BudgetError as error:
        print(f"power_budget: {error}: change hardware/power.toml or hardware/reference.toml", file=sys.stderr)
        return 1
    return marked.put(PAGE, "power", made, "hardware/power.toml and hardware/reference.toml", check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
