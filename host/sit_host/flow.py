"""Flow planner: from needle, fluid, syringe and volumes to plunger flow, pressure, force, times; or why not.

The line is a tube and a needle in series, pushed by a plunger against the tissue's back-pressure:

    dp(Q) = a Q + b Q^2
    a = 128 mu L / (pi d^4), tube and needle each    laminar pipe flow, Hagen-Poiseuille
                                                     (Batchelor, An Introduction to Fluid Dynamics, 4.2)
    b = K rho / (2 A^2), A = pi d^2 / 4, needle      entrance and exit loss in velocity heads, K = 1.5
                                                     (White, Fluid Mechanics, 6.9: 0.5 sharp entrance + 1.0 exit)

Both hold for laminar flow, so the flow is also kept under Re = rho v d / mu = 2000 in the needle. Stored volume
C p (C: barrel and tube compliance plus stopper, A_bore^2 / k) leaves through `a` with the time constant a C.
Everything here is a pure function in SI units inside; names at the border carry their unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

RE_LAMINAR = 2000.0
MAX_DISPENSE_S = 5.0  # longest a needle should stand in the skin for one point
MIN_FLOW_NL_PER_S = 1_000  # the protocol's range for LOAD_BEGIN
MAX_FLOW_NL_PER_S = 300_000
MAX_DWELL_MS = 5_000
FORCE_SHARE = 0.5  # of the stepper's stall force: the rest is for acceleration and wear
MAX_PRESSURE_KPA = 300.0  # in the line while pushing; an occlusion shows well above
WORST_TISSUE_KPA = 70.0  # highest tissue back-pressure to be pushed against

# most plunger flow by volume: a small dose must not take longer to stop than to give
SPEED_LIMITS_NL_PER_S = ((2_000, 60_000), (5_000, 120_000), (1 << 31, 200_000))

# motion around the dispensing, from the needle axis' profile
INSERT_S = 0.045
PROBE_S = 0.037  # and settling before it
RETRACT_S = 0.015


@dataclass(frozen=True)
class Needle:
    """A needle type. Lengths in mm, bevel in um."""

    key: str
    id: int
    gauge: str
    inner_mm: float
    length_mm: float
    bevel_um: int


@dataclass(frozen=True)
class Syringe:
    """A syringe type. `compliance_ul_per_100kpa` is barrel and tube without the stopper.

    The device vouches for no less than `least_ul`, and for lines with a time constant up to `slowest_ms`.
    """

    key: str
    id: int
    name: str
    bore_mm: float
    capacity_ul: float
    stopper_n_per_mm: float
    friction_n: float
    compliance_ul_per_100kpa: float
    compliance_max_ul_per_100kpa: float
    least_ul: float
    slowest_ms: float

    @property
    def area_mm2(self) -> float:
        """Area of the bore, mm2."""
        return math.pi / 4 * self.bore_mm**2

    @property
    def compliance_m3_per_pa(self) -> float:
        """Compliance of barrel, tube and stopper, m3/Pa."""
        return self.compliance_ul_per_100kpa * 1e-14 + (self.area_mm2 * 1e-6) ** 2 / (self.stopper_n_per_mm * 1e3)


@dataclass(frozen=True)
class Line:
    """What lies between stopper and skin, and what pushes: the machine's part of a setup."""

    tube_inner_mm: float
    tube_length_mm: float
    entrance_loss: float
    density_kg_per_m3: float
    lead_mm: float
    max_speed_mm_per_s: float
    stall_force_n: float


@dataclass(frozen=True)
class Setup:
    """All that decides how a fluid flows."""

    needle: Needle
    syringe: Syringe
    line: Line
    viscosity_mpa_s: float
    max_pressure_kpa: float = MAX_PRESSURE_KPA
    tissue_kpa: float = WORST_TISSUE_KPA


@dataclass(frozen=True)
class FlowPlan:
    """What the planner chose. `limited_by` names what kept the flow from being higher."""

    flow_nl_per_s: int
    limited_by: str
    pressure_kpa: float
    force_n: float
    tau_ms: float
    dwell_ms: int
    dispense_s: float
    shot_s: float
    reynolds: float


class FlowImpossible(Exception):
    """The setup can't give a volume; `str()` is one sentence with the reason and the nearest possible."""


def resistances(setup: Setup) -> tuple[float, float]:
    """Return (a, b) of dp = a Q + b Q^2, in Pa.s/m3 and Pa.s2/m6."""
    viscosity = setup.viscosity_mpa_s * 1e-3
    linear = 0.0
    for inner_mm, length_mm in (
        (setup.needle.inner_mm, setup.needle.length_mm),
        (setup.line.tube_inner_mm, setup.line.tube_length_mm),
    ):
        linear += 128 * viscosity * length_mm * 1e-3 / (math.pi * (inner_mm * 1e-3) ** 4)
    area = math.pi / 4 * (setup.needle.inner_mm * 1e-3) ** 2
    return linear, setup.line.entrance_loss * setup.line.density_kg_per_m3 / (2 * area**2)


def leak_ms(setup: Setup) -> float:
    """Return the time constant with which a leaking line's pressure falls, the softest syringe of the type, ms."""
    syringe = setup.syringe
    softest = syringe.compliance_m3_per_pa
    softest += (syringe.compliance_max_ul_per_100kpa * 1.1 - syringe.compliance_ul_per_100kpa) * 1e-14
    return resistances(setup)[0] * softest * 1e3


def pressure_kpa(setup: Setup, flow_nl_per_s: float) -> float:
    """Return the pressure at the stopper that drives this flow into worst tissue, kPa."""
    linear, quadratic = resistances(setup)
    flow = flow_nl_per_s * 1e-12
    return (linear * flow + quadratic * flow * flow) / 1e3 + setup.tissue_kpa


def flow_at_pressure(setup: Setup, pressure_kpa: float) -> float:
    """Return the flow that this pressure at the stopper drives into worst tissue, nl/s; 0 when it drives none."""
    drop = (pressure_kpa - setup.tissue_kpa) * 1e3
    if drop <= 0:
        return 0.0
    linear, quadratic = resistances(setup)
    # the stable form of the quadratic's positive root
    return 2 * drop / (linear + math.sqrt(linear * linear + 4 * quadratic * drop)) * 1e12


def reynolds(setup: Setup, flow_nl_per_s: float) -> float:
    """Return the Reynolds number in the needle."""
    inner = setup.needle.inner_mm * 1e-3
    speed = flow_nl_per_s * 1e-12 / (math.pi / 4 * inner**2)
    return setup.line.density_kg_per_m3 * speed * inner / (setup.viscosity_mpa_s * 1e-3)


def plunger_force_n(setup: Setup, pressure_kpa: float) -> float:
    """Return the force on the plunger at this pressure, stopper friction included, N."""
    return pressure_kpa * 1e3 * setup.syringe.area_mm2 * 1e-6 + setup.syringe.friction_n


def dead_volume_nl(setup: Setup) -> int:
    """Return the volume of tube and needle, nl: what stays behind and what a first prime has to fill."""
    tube = math.pi / 4 * setup.line.tube_inner_mm**2 * setup.line.tube_length_mm
    needle = math.pi / 4 * setup.needle.inner_mm**2 * setup.needle.length_mm
    return math.ceil((tube + needle) * 1000)


def plan_flow(setup: Setup, smallest_nl: int, largest_nl: int) -> FlowPlan:
    """Choose one flow for volumes from `smallest_nl` to `largest_nl`.

    Raises FlowImpossible when the largest can't be given in MAX_DISPENSE_S under the limits of pressure and force.
    """
    flow, limited_by = _highest_flow(setup, smallest_nl)
    if flow < MIN_FLOW_NL_PER_S or largest_nl / max(flow, 1.0) > MAX_DISPENSE_S:
        raise FlowImpossible(_refusal(setup, smallest_nl, largest_nl, flow, limited_by))
    flow = int(flow)
    linear, _ = resistances(setup)
    tau = linear * setup.syringe.compliance_m3_per_pa
    pressure = pressure_kpa(setup, flow)
    dwell_ms = min(MAX_DWELL_MS, 100 + math.ceil(10 * leak_ms(setup)))  # twice until nothing flows, and looked at
    dispense = largest_nl / flow
    return FlowPlan(
        flow_nl_per_s=flow,
        limited_by=limited_by,
        pressure_kpa=pressure,
        force_n=plunger_force_n(setup, pressure),
        tau_ms=tau * 1e3,
        dwell_ms=dwell_ms,
        dispense_s=dispense,
        shot_s=shot_time_s(flow, tau, largest_nl),
        reynolds=reynolds(setup, flow),
    )


def shot_time_s(flow_nl_per_s: int, tau_s: float, volume_nl: int) -> float:
    """Return the time of one shot from trigger to needle home, s: motion, probe, push, and ten time constants.

    So many go by until nothing flows, and that has been looked at, twice; stiff sets on the plant are within 8 % of it.
    """
    return INSERT_S + PROBE_S + volume_nl / flow_nl_per_s + 10 * tau_s + RETRACT_S


def _highest_flow(setup: Setup, smallest_nl: int) -> tuple[float, str]:
    """Return the highest flow under every limit, nl/s, and which limit that was."""
    by_volume = next(flow for most_nl, flow in SPEED_LIMITS_NL_PER_S if smallest_nl <= most_nl)
    force = setup.line.stall_force_n * FORCE_SHARE - setup.syringe.friction_n
    by_force_kpa = force / (setup.syringe.area_mm2 * 1e-6) / 1e3
    inner = setup.needle.inner_mm * 1e-3
    laminar = RE_LAMINAR * setup.viscosity_mpa_s * 1e-3 / setup.line.density_kg_per_m3 * math.pi / 4 * inner * 1e12
    candidates = (
        (float(by_volume), "the smallest volume"),
        (setup.line.max_speed_mm_per_s * setup.syringe.area_mm2 * 1e3, "the plunger's speed"),
        (flow_at_pressure(setup, setup.max_pressure_kpa), "the pressure limit"),
        (flow_at_pressure(setup, by_force_kpa), "the plunger's force"),
        (laminar, "laminar flow in the needle"),
        (float(MAX_FLOW_NL_PER_S), "the protocol"),
    )
    return min(candidates)


def _refusal(setup: Setup, smallest_nl: int, largest_nl: int, flow: float, limited_by: str) -> str:
    """Say why, and the nearest that would go: a smaller volume, or a thinner fluid."""
    what = f"{largest_nl / 1000:g} uL of {setup.viscosity_mpa_s:g} mPa.s through {setup.needle.gauge}"
    possible_nl = int(flow * MAX_DISPENSE_S)
    low, high = 0.01, setup.viscosity_mpa_s
    for _ in range(40):
        middle = (low + high) / 2
        thinner = replace(setup, viscosity_mpa_s=middle)
        enough = _highest_flow(thinner, smallest_nl)[0]
        low, high = (middle, high) if enough * MAX_DISPENSE_S >= largest_nl else (low, middle)
    nearest = f"{_down(low)} mPa.s is the thickest that does"
    if flow >= MIN_FLOW_NL_PER_S and possible_nl >= 1000:
        nearest = f"{_down(possible_nl / 1000)} uL per point is the most that does, or {nearest}"
    time = f"would take {largest_nl / flow:.0f} s" if flow >= 1 else "wouldn't flow"
    return f"{what} {time} at the highest flow allowed ({limited_by}), over {MAX_DISPENSE_S:g} s: {nearest}."


def _down(value: float) -> str:
    """Round down to two figures: what is offered must itself be possible."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.floor(value / step) * step:g}"
