"""The link under attack: each damage at each moment of a treatment, then the way back, judged against the plant.

damage   drop, duplicate, corrupt, truncate, delay, reorder, flood, host_dies, cable, two_hosts
moment   load, arm, armed, contact, and each phase of a shot
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sit_firmware import image
from sit_host._gen import messages
from sit_host._gen.enums import Record as Kind
from sit_host.codec import encode_frame
from sit_host.errors import SitError
from sit_host.outcome import Refused, expect
from sit_host.table import NO_EXPIRY
from sit_sim.plant import nominal_unit

from attack import judge
from attack.cases import PHASES
from attack.session import (
    TREATMENT,
    Bench,
    Ended,
    acknowledge,
    back,
    begun,
    clear,
    idle,
    load,
    open_bench,
    prepare,
    records,
    shoot,
)

MOMENTS = ("load", "arm", "armed", "contact", *PHASES)
_POINTS = [(1, 1500, 5000), (2, 1500, 5000)]
_DAMAGED_MS = 900
_FLOOD_BYTES = 40_000


def _link(**damage: Any) -> Callable[[Bench, random.Random], None]:
    return lambda bench, draw: _control(bench, {"do": "link", **damage})


def _control(bench: Bench, command: dict[str, Any]) -> None:
    bench.target.control(command)


def _flood(bench: Bench, draw: random.Random) -> None:
    bench.target.machine.cable.to_device.put(bench.target.machine.tick, draw.randbytes(_FLOOD_BYTES))


def _two_hosts(bench: Bench, draw: random.Random) -> None:
    """Another program opens a session of its own and wants to arm and to load."""
    machine, session = bench.target.machine, draw.randrange(1, 1 << 32)
    wanted = (
        messages.Hello(session, messages.SCHEMA_HASH),
        messages.Arm(2000, 0, 2),
        messages.LoadBegin(b"ANOTHER1", 1, 1, 1, 1000, 50_000, 1000, NO_EXPIRY),
        messages.Prime(40_000),
    )
    for seq, message in enumerate(wanted, 1):
        machine.cable.to_device.put(machine.tick, encode_frame(seq, message.ID, message.pack(), session=session))


DAMAGE: dict[str, Callable[[Bench, random.Random], None]] = {
    "drop": _link(drop=0.5),
    "drop_all": _link(drop=1.0),
    "duplicate": _link(duplicate=1.0),
    "corrupt": _link(corrupt=0.5),
    "truncate": _link(truncate=0.5),
    "delay": _link(delay_ms=400.0),
    "reorder": _link(delay_ms=400.0, reorder=True),
    "flood": _flood,
    "host_dies": _link(direction="to_device", drop=1.0),
    "cable": lambda bench, draw: _control(bench, {"do": "cable", "state": "out", "out_ms": _DAMAGED_MS}),
    "two_hosts": _two_hosts,
}
CASES = [(damage, moment) for damage in DAMAGE for moment in MOMENTS]


def attack(spec: str, number: int) -> dict[str, Any]:
    """Case `number` of the grid; numbers beyond it are the same with other noise. `wrong` is empty when all held."""
    damage, moment = CASES[number % len(CASES)]
    bench = open_bench(spec, number + 1, nominal_unit())
    try:
        wrong = _attack(bench, damage, moment, random.Random(f"{number} link"))
    except Exception as error:
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        bench.target.close()
    return {"seed": number, "fault": damage, "moment": moment, "wrong": wrong}


def _attack(bench: Bench, damage: str, moment: str, draw: random.Random) -> list[str]:
    machine = bench.target.machine

    def strike() -> None:
        DAMAGE[damage](bench, draw)
        at = machine.tick + _DAMAGED_MS * 4
        if damage not in ("flood", "cable", "two_hosts"):
            machine.events.at(at, lambda: _control(bench, {"do": "link"}))

    def on_phase(phase: int) -> None:
        if moment in PHASES and phase == PHASES[moment][0]:
            machine.on_phase = lambda phase: None
            machine.events.at(machine.tick + 1 + draw.randrange(8), strike)

    def at(here: str) -> None:
        if here == moment:
            strike()

    prepare(bench)
    before_nl = bench.truth()["tissue_nl"]
    machine.on_phase = on_phase
    try:
        at("load")
        load(bench, _POINTS)
        at("arm")
        expect(bench.arm(count=len(_POINTS)))
        at("armed")
        for _ in _POINTS:
            bench.hand("press")
            at("contact")
            shoot(bench)
    except (SitError, AssertionError, Ended):
        idle(bench, 500)  # nobody lifts in the middle of a shot because a cable is out
        bench.hand("release")
        bench.hand("lift")
    idle(bench, 3000)
    if moment in ("arm", "armed") and damage in ("drop_all", "host_dies", "cable") and _armed(bench):
        return ["armed three seconds after the host was lost"]
    _control(bench, {"do": "link"})
    return _finish(bench, before_nl)


def _armed(bench: Bench) -> bool:
    return bool(bench.target.process.state[image.ST_ARMED])


def _finish(bench: Bench, before_nl: float) -> list[str]:
    """The link is whole again: the rest is given, and everything is judged."""
    back(bench)
    acknowledge(bench)
    clear(bench)
    wrong = []
    for point in _POINTS:
        given = point[0] in begun(bench)
        outcome = bench.load([point], TREATMENT)
        if given and not isinstance(outcome, Refused):
            wrong.append(f"point {point[0]} was begun and can be loaded again")
        if not given:
            expect(outcome)
            expect(bench.arm(count=1))
            shoot(bench)
            expect(bench.client.disarm())
    found = records(bench)
    wrong += judge.once(found, bench.target.machine.shots_begun)
    wrong += judge.accounting(found, bench.truth()["shots"])
    ends = [record for record in found if record.kind in judge.ENDS]
    low, high = sum(end.tissue_min_nl for end in ends), sum(end.tissue_max_nl for end in ends)
    if not low - 1 <= bench.truth()["tissue_nl"] - before_nl <= high + 1:
        wrong.append("the sum of the records doesn't hold the truth")
    if sorted({end.point for end in ends if end.kind == Kind.DONE}) != [1, 2] and not wrong:
        wrong.append(f"points told as DONE: {[end.point for end in ends if end.kind == Kind.DONE]}")
    if bench.truth()["tip_max_um"] > judge.LIMIT_UM:
        wrong.append("the tip passed 2000 um")
    return wrong
