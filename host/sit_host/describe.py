"""Numbers of the device in words: refusals, faults, alarms, readiness, inputs."""

from __future__ import annotations

from sit_host._gen import enums, messages
from sit_host._gen.statuses import ALARMS, STATUSES
from sit_host.wire import AlarmInfo, StatusInfo

INPUTS = (
    "flag",
    "trigger",
    "e-stop",
    "contact",
    "driver fault",
    "syringe present",
    "service jumper",
    "pairing button",
)
"""Names of the bits of STATUS's `inputs`."""

SETTINGS_SOURCES = ("stored", "factory", "damaged")
"""Where settings come from, by SETTINGS_READ's `source`."""
SETTINGS_DAMAGED = 2


_NEEDED_BY_WORK = enums.Ready.TESTED | enums.Ready.SETTINGS | enums.Ready.LEDGER | enums.Ready.HEALTHY
_CAUSES = {int(cause): cause.doc for cause in enums.Cause}


def status_info(number: int) -> StatusInfo:
    """Return what a refusal, fault or limit means; a number that is new to this host gets a sentence too."""
    known = STATUSES.get(number)
    if known is not None:
        return known
    kind = "refusal" if number < 32 else "fault" if number < 96 else "limit"
    return StatusInfo(
        number, kind, f"NUMBER_{number}", f"The device gave the {kind} number {number}.", "Update this host."
    )


def fault_text(fault: int, value: int) -> str:
    """Return a latched fault, what it saw and what to do; the alarm that REPEATED stands for is named with its hint."""
    info = status_info(fault)
    alarm = ALARMS.get(value) if fault == enums.Fault.REPEATED else None
    why = f" It is {alarm.name}: {alarm.when}. {alarm.hint}" if alarm else ""
    return f"{info.name}: {info.doc}{why} {info.hint}"


def cause_text(number: int) -> str:
    """Return why a shot ended, for a number that is a CAUSE or a fault."""
    return _CAUSES.get(number) or status_info(number).doc


def missing(ready: int) -> list[tuple[str, str, str]]:
    """Return (name, what isn't so, what to do) for each condition of arming that doesn't hold."""
    return [
        (str(bit.name), *enums.READY_DOCS[bit]) for bit in enums.Ready if bit in enums.READY_NEED and not ready & bit
    ]


def not_ready_hint(message: str, ready: int) -> str:
    """Return what to do when `message` was refused with NOT_READY: the first condition of it that doesn't hold."""
    for bit in enums.Ready:
        counts = bit in enums.READY_NEED if message == messages.Arm.NAME else bit in _NEEDED_BY_WORK
        if counts and not ready & bit:
            return enums.READY_DOCS[bit][1]
    return status_info(enums.Refusal.NOT_READY).hint


def alarms(bits: int) -> list[AlarmInfo]:
    """Return the alarms in force, the most urgent first."""
    order = ("high", "medium", "low")
    found = [info for number, info in ALARMS.items() if bits >> number & 1]
    return sorted(found, key=lambda info: order.index(info.priority))


def inputs(bits: int) -> list[str]:
    """Return the names of the inputs that are on."""
    return [name for index, name in enumerate(INPUTS) if bits >> index & 1]


def state_text(header: messages.ReplyHeader, fault_value: int = 0) -> str:
    """Return the state in words, with the latched fault."""
    state = header.state
    text = f"{state.name}: {state.doc}" if isinstance(state, enums.State) else f"state {state}"
    if header.fault:
        text += f"\n{fault_text(header.fault, fault_value)}"
    return text
