"""Worst reactions of the device in ticks: STOP, e-stop, trigger released, cable pulled, processor hung.

Each cause strikes at seeded ticks of a shot, each time on another unit of the spread. Ticks count from the cause in the
world to what the device does about it, so they hold the link's latency, debouncing and withheld polls.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sit_firmware import codes, image
from sit_host._gen import messages
from sit_host.codec import encode_frame
from sit_host.errors import LinkLost, SitError
from sit_host.outcome import expect
from sit_sim.plant import spread_unit

from attack.session import Bench, load, open_bench, prepare

_SHOT_TICKS = 640
_LOOK_TICKS = {"shot": 1200, "lease": 12_000}


@dataclass(frozen=True)
class Cause:
    """`strike` brings it about; `over` is true in the first tick in which the device has done what it promises."""

    name: str
    promise: str
    strike: Callable[[Bench], None]
    over: Callable[[Bench], bool]
    look: str = "shot"
    only_driving: bool = True


def _stop(bench: Bench) -> None:
    client = bench.client
    frame = encode_frame(60_000, messages.Stop.ID, b"", session=client.exchange.session)
    client.transport.send(frame)


def _pull(bench: Bench) -> None:
    bench.target.control({"do": "cable", "state": "out"})


def _outputs_off(bench: Bench) -> bool:
    out = bench.target.machine.outputs
    return not (out[image.OUT_BRIDGE] or out[image.OUT_SWITCH] or out[image.OUT_TOKEN] or out[image.OUT_STEPS])


def _retracting(bench: Bench) -> bool:
    """The plunger is still and the needle on its way home, or there."""
    machine = bench.target.machine
    ends = (codes.PHASE_RETRACT, codes.PHASE_IDLE, codes.PHASE_FAULT)
    return machine.phase in ends and machine.outputs[image.OUT_STEPS] <= 0


def _drive_open(bench: Bench) -> bool:
    """By the plant: the coil is off, whatever the processor's pins say."""
    truth = bench.target.machine.plant.truth()
    return not (truth["bridge_on"] and truth["switch_on"])


def _disarmed(bench: Bench) -> bool:
    state = bench.target.process.state
    return not state[image.ST_ARMED] and bench.target.machine.phase == codes.PHASE_IDLE


def _released(bench: Bench) -> bool:
    return not bench.target.process.state[image.ST_TRIGGER_OK]


CAUSES = (
    Cause("STOP", "plunger still, needle on its way home", _stop, _retracting),
    Cause("e-stop", "bridge, switch, token and steps off", lambda bench: bench.hand("estop"), _outputs_off),
    Cause("contact lost", "plunger still, needle on its way home", lambda bench: bench.hand("lift"), _retracting),
    Cause("trigger released", "noticed; no shot begins after it", lambda bench: bench.hand("release"), _released,
          only_driving=False),
    Cause("cable pulled", "disarmed, the shot under way at its end", _pull, _disarmed, "lease", only_driving=False),
    Cause("processor hung", "coil off by the dead-man",
          lambda bench: bench.target.control({"do": "hang_processor", "ms": 200}), _drive_open),
)  # fmt: skip


@dataclass
class Worst:
    """The longest reaction of a cause, and the case it was seen in."""

    cases: int = 0
    ticks: int = -1
    seed: int = 0
    at_tick: int = 0
    late: int = 0
    """Cases in which the promise wasn't kept in the time that was looked at."""
    begun: int = 0
    """Shots that began after the cause, once it was noticed."""


def measure(cause: Cause, runs: int, seed: int = 1) -> Worst:
    """Strike `runs` times, each on another unit at another tick of a shot."""
    worst = Worst()
    for number in range(runs):
        draw = random.Random(f"{seed} {number} reaction {cause.name}")
        at = draw.randrange(_SHOT_TICKS)
        bench = open_bench("sim:", seed + number, spread_unit(seed + number))
        with _closing(bench):
            _one(bench, cause, at, number + seed, worst)
    return worst


@contextlib.contextmanager
def _closing(bench: Bench) -> Iterator[None]:
    try:
        yield
    finally:
        bench.target.close()


def _one(bench: Bench, cause: Cause, at: int, seed: int, worst: Worst) -> None:
    assert bench.client.device is not None
    prepare(bench)
    load(bench, [(1, bench.client.device.max_depth_um, 8000), (2, 1000, 8000)])
    expect(bench.arm(count=2))
    bench.hand("press")
    bench.client.sleep(0.05)
    bench.hand("trigger")
    machine = bench.target.machine
    with contextlib.suppress(LinkLost, SitError):
        bench.client.sleep(at * 250e-6)
    if cause.only_driving and not machine.outputs[image.OUT_BRIDGE]:
        return
    tick = machine.tick
    cause.strike(bench)
    for _ in range(_LOOK_TICKS[cause.look]):
        bench.run_ms(0.25)
        if cause.over(bench):
            break
    else:
        worst.late += 1
    worst.cases += 1
    passed = machine.tick - tick
    if passed > worst.ticks:
        worst.ticks, worst.seed, worst.at_tick = passed, seed, at
    after = machine.shots_begun
    bench.run_ms(300)
    worst.begun += machine.shots_begun - after


def lines(found: dict[str, Worst]) -> list[str]:
    """The table."""
    out = [f"{'cause':18} {'cases':>6} {'worst ticks':>11} {'= ms':>8} {'late':>5} {'shots after':>11}  promise"]
    for cause in CAUSES:
        w: Any = found[cause.name]
        out.append(
            f"{cause.name:18} {w.cases:6} {w.ticks:11} {w.ticks * 0.25:8.2f} {w.late:5} {w.begun:11}  {cause.promise}"
            f" (seed {w.seed}, {w.at_tick} ticks after the trigger)"
        )
    return out
