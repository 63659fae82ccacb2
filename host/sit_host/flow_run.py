"""Planner of runs: at which flow a shot is home before the next is due, and what is in flight when its plunger turns.

A shot of a run (docs/control.md) is gone through in steps of a quarter of a millisecond in the line of `flow.py`:

    C dp/dt = v - Q(p)          plunger at v, needle at Q; barrel and tube alone (C_b) while the stopper sticks
    v       within +-acceleration, up to the flow asked for, slower towards the highest pressure
    turn    early by what passes the tip until the pressure is below the tissue's

Pure functions. Times in ms, volumes in nl, pressures in kPa inside; names at the border carry their unit.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

from .flow import MAX_PRESSURE_KPA, RE_LAMINAR, Setup, flow_at_pressure, leak_ms

STEP_MS = 0.25
ACCEL_MM_PER_S2 = 1600.0  # what the control law asks of the plunger, P_PL_ACC_Q8 rounded down
USUAL_TISSUE_KPA = 45.0
PROBE_KPA = 9.0  # in line when the push begins
REST_KPA = 3.0  # what the suck-back leaves
BACKLASH_UM = 4.0
# from the request to the push: the needle stands, and the probe is over; longer with depth by the needle's top speed
STANDS_MS = 26.3
PROBED_MS = 10.7  # and what it takes to put the probe's pressure on, and the look
LOOK_MS = 6.0  # at least, and as much more with the slowest leak that it tells
NEEDLE_MM_PER_MS = 0.15
APPROACH_MS = 9.0  # of it before the tip passes the plane
HOME_MS = 10.0
LEAVE_MS = 6.0  # of it in the skin
BOOK_MS = 3.0  # from the needle home to the next request: counts settle, two records are written
FLIGHT_SHARE = 0.5  # of the smallest dose, at most in flight: it is known to a tenth or so
USUAL_FRICTION = 0.86  # of a stopper's highest friction
LEAK_MS = 35.0  # a leak that shows more slowly than this can't be told from tissue: the device refuses it
SKIN_MARGIN = 1.1
HOP_SKIN_MS = 250
FLOWS_NL_PER_S = (25_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000, 120_000, 150_000, 200_000)
_LONGEST_MS = 2_000.0
_SLOWEST_MS = 1_000  # a run of one a second is none
_LEAST_NL = 500


@dataclass(frozen=True)
class RunPlan:
    """What a run needs: fields of LOAD_RUN, and how long its longest shot takes. `glides`: contact is kept."""

    glides: bool
    period_ms: int
    place_nl: int
    flow_nl_per_s: int
    flight_us: int
    skin_ms: int
    shot_ms: float

    def as_json(self) -> dict[str, object]:
        """Return it for `--json` and the record."""
        return dict(vars(self))


class RunImpossible(Exception):
    """No run is possible so; `str()` is one sentence with the reason and the nearest possible."""


@dataclass(frozen=True)
class Push:
    """One shot from the push to no pressure: how long, what was in flight at the turn, and that as time of its flow."""

    time_ms: float
    flight_nl: float
    flight_ms: float


@dataclass
class _Line:
    """The line's numbers in ms, nl and kPa."""

    setup: Setup
    tissue_kpa: float

    def __post_init__(self) -> None:
        syringe = self.setup.syringe
        area = syringe.area_mm2
        self.soft = syringe.compliance_m3_per_pa * 1e15
        self.tube = syringe.compliance_ul_per_100kpa * 10
        stuck_um = 2 * USUAL_FRICTION * syringe.friction_n / syringe.stopper_n_per_mm * 1e3
        self.turn_nl = (stuck_um + BACKLASH_UM) * area
        self.accel = ACCEL_MM_PER_S2 * area * 1e-3  # nl/ms per ms
        self.top = self.setup.line.max_speed_mm_per_s * area
        self._at = replace(self.setup, tissue_kpa=self.tissue_kpa)

    def flow(self, press_kpa: float) -> float:
        """nl/ms past the tip."""
        return flow_at_pressure(self._at, press_kpa) * 1e-3


def push(setup: Setup, volume_nl: int, flow_nl_per_s: float, tissue_kpa: float = USUAL_TISSUE_KPA) -> Push | None:
    """Go through a shot from the push on; None when the volume isn't given within two seconds."""
    line = _Line(setup, tissue_kpa)
    most = flow_nl_per_s * 1e-3
    path = [(0.0, 0.0, PROBE_KPA)]  # given, plunger's speed, pressure
    while path[-1][0] < volume_nl:
        given, speed, press = path[-1]
        room = max(0.0, line.soft * (MAX_PRESSURE_KPA - press))
        speed = min(speed + line.accel * STEP_MS, most, math.sqrt(2 * line.accel * room))
        out = line.flow(press)
        path.append((given + out * STEP_MS, speed, press + (speed - out) * STEP_MS / line.soft))
        if len(path) * STEP_MS > _LONGEST_MS:
            return None
    turn = bisect_left(range(len(path)), True, key=lambda i: path[i][0] + _turned(line, *path[i][1:])[0] >= volume_nl)
    _, speed, press = path[turn]
    flight_nl, time_ms = _turned(line, speed, press)
    return Push(turn * STEP_MS + time_ms, flight_nl, flight_nl / max(line.flow(press), 1e-6))


def _turned(line: _Line, speed: float, press: float) -> tuple[float, float]:
    """(nl, ms) from the turn of the plunger to no pressure."""
    given = time_ms = 0.0
    stuck = line.turn_nl
    while press > REST_KPA and time_ms < _LONGEST_MS:
        speed = max(speed - line.accel * STEP_MS, -line.top)
        out = line.flow(press)
        given += out * STEP_MS
        if speed < 0 and stuck > 0:
            stuck += speed * STEP_MS
            press -= out * STEP_MS / line.tube
        else:
            press += (speed - out) * STEP_MS / line.soft
        time_ms += STEP_MS
    return given, time_ms


def shot_ms(setup: Setup, depth_um: int, volume_nl: int, flow_nl_per_s: float) -> float:
    """Return the longest time of a shot from the request to the needle home, ms: worst tissue; inf for never."""
    found = push(setup, volume_nl, flow_nl_per_s, setup.tissue_kpa)
    if found is None:
        return math.inf
    line, most = _Line(setup, 0.0), flow_nl_per_s * 1e-3
    way = line.turn_nl + line.soft * PROBE_KPA
    press = way / most + most / line.accel if most * most < line.accel * way else 2 * math.sqrt(way / line.accel)
    probed = PROBED_MS + press + LOOK_MS * (1 + leak_ms(setup) / LEAK_MS)
    return max(STANDS_MS, probed) + depth_um / 1000 / NEEDLE_MM_PER_MS + found.time_ms + HOME_MS


def run_flow(setup: Setup, smallest_nl: int, largest_nl: int, depth_um: int, period_ms: int) -> int | None:
    """Return the flow for these doses at this rate, nl/s: the lowest that does, for then the least is in flight.

    None when none does: the largest takes too long at each, or most of the smallest would be in flight.
    """
    inner = setup.needle.inner_mm * 1e-3
    laminar = RE_LAMINAR * setup.viscosity_mpa_s * 1e-3 / setup.line.density_kg_per_m3 * math.pi / 4 * inner * 1e12
    driven = flow_at_pressure(setup, MAX_PRESSURE_KPA)  # the plunger may be quicker until the line is under pressure
    for flow in FLOWS_NL_PER_S:
        if min(flow, driven) <= laminar and shot_ms(setup, depth_um, largest_nl, flow) + BOOK_MS <= period_ms:
            found = push(setup, smallest_nl, flow)
            return flow if found is not None and found.flight_nl <= FLIGHT_SHARE * smallest_nl else None
    return None


def plan_run(
    setup: Setup, smallest_nl: int, largest_nl: int, depth_um: int, period_ms: int, place_nl: int, glides: bool
) -> RunPlan:
    """Plan a run of these doses at this rate. Raises RunImpossible with the nearest that would go."""
    _check_leak(setup)
    flow = run_flow(setup, smallest_nl, largest_nl, depth_um, period_ms)
    if flow is None:
        raise RunImpossible(_too_fast(setup, smallest_nl, largest_nl, depth_um, period_ms))
    usual = push(setup, largest_nl, flow)
    assert usual is not None
    longest = shot_ms(setup, depth_um, largest_nl, flow)
    in_skin = longest - APPROACH_MS - HOME_MS + LEAVE_MS
    return RunPlan(
        glides=glides,
        period_ms=period_ms,
        place_nl=place_nl,
        flow_nl_per_s=flow,
        flight_us=round(usual.flight_ms * 1000),
        skin_ms=math.ceil(in_skin * SKIN_MARGIN) if glides else HOP_SKIN_MS,
        shot_ms=longest,
    )


def _check_leak(setup: Setup) -> None:
    """A leak must show within the device's longest look (control/probe.py)."""
    slow_ms = leak_ms(setup)
    if slow_ms > LEAK_MS:
        syringe = setup.syringe
        thickest = setup.viscosity_mpa_s * LEAK_MS / slow_ms
        what = f"{setup.viscosity_mpa_s:g} mPa.s through {setup.needle.gauge} from {syringe.key}"
        raise RunImpossible(
            f"A run of {what} isn't possible: a needle that isn't in tissue wouldn't show in time; "
            f"{math.floor(thickest * 100) / 100:g} mPa.s is the thickest that does, or leave [run] out."
        )


def _too_fast(setup: Setup, smallest_nl: int, largest_nl: int, depth_um: int, period_ms: int) -> str:
    """Say why, and the nearest that would go: a smaller dose, or a slower rate."""

    def fits(volume_nl: int, ms: int) -> bool:
        return run_flow(setup, min(smallest_nl, volume_nl), volume_nl, depth_um, ms) is not None

    volumes = range(_LEAST_NL, largest_nl + 1, 100)
    doses = bisect_left(volumes, True, key=lambda volume_nl: not fits(volume_nl, period_ms))
    periods = range(period_ms, _SLOWEST_MS + 1)
    rates = bisect_left(periods, True, key=lambda ms: fits(largest_nl, ms))
    nearest = []
    if doses:
        nearest.append(f"{volumes[doses - 1] / 1000:g} uL per point is the most that does")
    if rates < len(periods):
        nearest.append(f"{math.floor(1e4 / periods[rates]) / 10:g} a second is the most for this dose")
    what = f"{largest_nl / 1000:g} uL through {setup.needle.gauge} at {1000 / period_ms:.3g} a second"
    return f"A run of {what} isn't possible, its shots take too long: {', or '.join(nearest) or 'leave [run] out'}."
