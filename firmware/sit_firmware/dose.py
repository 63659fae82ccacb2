"""Volumes into plunger steps and back: what a shot asks of the tick, which limit it would pass, what it gave.

Background only; pure functions of the table, the parameter block and the ledger. Volumes in nl, steps are microsteps.
A microstep moves P_STEP_NL_Q10 / 1024 nl (calibrated bore * screw lead / microsteps per turn).
"""

from sit_firmware import image, limits
from sit_firmware.clock import ticks_of_ms

_DOSE_PART = 20  # a cap allows this part of the dose more


class Plan:
    """What the tick is asked to do: `steps` at no stored pressure, never more than `cap_steps`."""

    def __init__(self, steps, cap_steps, flow_q8, dwell_ticks, skin_ticks):
        self.steps = steps
        self.cap_steps = cap_steps
        self.flow_q8 = flow_q8  # microsteps per tick * 256
        self.dwell_ticks = dwell_ticks
        self.skin_ticks = skin_ticks  # longest time in the skin of a shot of a run; 0 for a single shot


def steps_of(volume_nl, params):
    """Microsteps nearest to `volume_nl`."""
    step_q10 = params[image.P_STEP_NL_Q10]
    return (volume_nl * 1024 + step_q10 // 2) // step_q10


def flow_q8(flow_nl_per_s, params):
    """Microsteps per tick * 256 of a flow; at least 1, so that it always moves."""
    step_q10 = params[image.P_STEP_NL_Q10]
    flow = flow_nl_per_s * params[image.P_TICK_US] * 256 * 1024 // (step_q10 * 1000000)
    return flow if flow > 0 else 1


def cap_steps(steps, params):
    """The most microsteps that a shot of `steps` may make; it bounds what an UNCERTAIN shot can have given.

    Beyond the volume: what compliance takes up at the highest pressure that dispensing aims at, the backlash of the
    screw, and a twentieth of the dose for the control law's corrections.
    """
    stored_nl = params[image.P_COMPL_NL_PER_MPA] * (params[image.P_PRESS_SOFT_PA] // 1000) // 1000
    return steps + steps // _DOSE_PART + steps_of(stored_nl + params[image.P_BACKLASH_NL], params) + 1


def flight_q4(flight_us, soft_q14, params):
    """The time of flight that a run begins with, in sixteenths of a control step (two ticks).

    The planner reckons with the type's usual compliance; most of the time of flight goes with the one measured.
    """
    usual = (params[image.P_SOFT_LOW_Q14] + params[image.P_SOFT_HIGH_Q14]) // 2
    return flight_us * 8 // params[image.P_TICK_US] * (usual + 3 * soft_q14) // (4 * usual)


def plan(volume_nl, table, params, in_run=False):
    """The Plan of a shot of `volume_nl` with the flow and times that the table has for a single shot or for a run's."""
    steps = steps_of(volume_nl + params[image.P_OFFSET_NL], params)
    return Plan(
        steps,
        cap_steps(steps, params),
        flow_q8(table.run_flow_nl_per_s if in_run else table.flow_nl_per_s, params),
        ticks_of_ms(table.dwell_ms, params[image.P_TICK_US]),
        ticks_of_ms(table.skin_ms, params[image.P_TICK_US]) if in_run else 0,
    )


def limit(dev, volume_nl, site):
    """The limit that a shot would pass, codes.LIMIT_*, or 0. What the ledger isn't sure of counts with its most."""
    ledger = dev.ledger
    treatment = dev.table.treatment
    return limits.dose_limit(
        volume_nl,
        ledger.totals(treatment)[1],
        ledger.window_max_nl(dev.wall.unix_s, dev.settings.window_s),
        ledger.site_max_nl(treatment, site),
        dev.settings,
    )
