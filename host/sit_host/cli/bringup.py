"""`sit bringup`: the checklist of docs/bringup.md, step by step, on a board."""

from __future__ import annotations

import contextlib

import click

from sit_host.cli.bringup_steps import STEPS, Step
from sit_host.cli.common import Call, device_options
from sit_host.cli.work import do_work, failure
from sit_host.client import Client
from sit_host.describe import inputs, state_text
from sit_host.errors import EXIT_FAILED, EXIT_OK, LinkLost, NoAnswer, SitError, UsageError
from sit_host.outcome import expect

_WORK_S = 120.0
_HAND_S = 60.0  # for the operator to press, or to take the supply away and give it back
_LOOK_S = 0.1


class StepFailed(SitError):
    """A step isn't proved; nothing after it is to be done."""


@click.command(epilog="Example: sit bringup --to 6 --target serial:/dev/ttyACM0")
@device_options
@click.option("--from", "first", type=click.IntRange(1, len(STEPS)), default=1, help="Begin at this step.")
@click.option("--to", "last", type=click.IntRange(1, len(STEPS)), default=len(STEPS), help="End after this step.")
@click.option("--allow-motion", is_flag=True, help="Steps that drive or move something may be agreed to by --yes.")
def command(call: Call, first: int, last: int, allow_motion: bool) -> int:
    """Walk through the bring-up checklist, in an order in which nothing moves before what stops it is proved.

    docs/bringup.md says what each step needs. It ends at the first step that isn't proved. Each motion is asked for on
    its own; --yes alone never agrees to one.
    """
    steps = [step for step in STEPS if first <= step.number <= last]
    moving = [step.number for step in steps if step.work is not None]
    if moving and call.ui.yes and not allow_motion:
        raise UsageError(
            f"--yes doesn't agree to motion, and step {moving[0]} moves something.",
            "Leave --yes out, add --allow-motion, or end before it with --to.",
        )
    done: list[dict[str, object]] = []
    for step in steps:
        call.ui.note(f"\nStep {step.number}. {step.do}")
        try:
            # a step that a person proves leaves the port to the command that it names
            with call.connect() if step.device else contextlib.nullcontext() as client:
                how = _prove(call, client, step)
        except SitError:
            call.ui.note(f"Stopped at step {step.number}; the later ones rest on it. Again: --from {step.number}.")
            raise
        if not how:
            call.ui.note(f"Step {step.number} isn't proved: nothing after it is to be done.")
            call.ui.result({"steps": done, "stopped_at": step.number})
            return EXIT_FAILED
        done.append({"step": step.number, "proved": how})
        call.ui.say(f"Step {step.number:2}: {how}.")
    call.ui.result({"steps": done, "stopped_at": None})
    return EXIT_OK


def _prove(call: Call, client: Client | None, step: Step) -> str:
    """How a step was proved; "" when the operator says that it isn't."""
    how = [] if client is None else _told(call, client, step)
    if client is not None and step.work is not None:
        if not call.ui.confirm("Now something is driven and may move. Is everything clear, a hand on the e-stop?"):
            return ""
        end = do_work(call, client, step.work, _WORK_S, step.work.NAME)
        if not end.done:
            raise failure(f"Step {step.number}, {step.work.NAME}, failed", end)
        how.append(f"{step.work.NAME} passed")
    if step.ask:
        if not call.ui.confirm(step.ask):
            return ""
        how.append("agreed by --yes" if call.ui.yes else "seen by the operator")
    return ", ".join(how)


def _told(call: Call, client: Client, step: Step) -> list[str]:
    """What the device itself shows."""
    how = [_boots(call, client) for _ in range(step.boots)][-1:]
    for name in step.inputs:
        _input(call, client, name)
        how.append(f"{name} seen")
    if step.shows:
        how.append(_shown(client))
        call.ui.note(how[-1])
    return how


def _shown(client: Client) -> str:
    device = client.device
    assert device is not None  # connect() has opened the session
    status = expect(client.status())
    state = state_text(status.header).splitlines()[0].rstrip(".")
    return f"{device.board}, firmware {device.firmware_version}, supply {status.supply_mv / 1000:.2f} V, {state}"


def _boots(call: Call, client: Client) -> str:
    """The supply is taken away: the device counts a boot, and its records are there."""
    device = client.device
    assert device is not None  # connect() has opened the session
    boots, head = device.boot_count, expect(client.status()).ledger_head
    call.ui.pause("Take the supply away and give it back.")
    with contextlib.suppress(LinkLost, NoAnswer):
        expect(client.status())
    status = client.reconnect(_HAND_S).status
    device = client.device
    assert device is not None  # reconnect() has opened a session
    if device.boot_count <= boots or status.ledger_head <= head:
        raise StepFailed(
            f"The device counts {device.boot_count} boots and {status.ledger_head} records, before {boots} and {head}.",
            "Was the supply away? If it was, look at the FRAM and its wires.",
        )
    return f"boot {device.boot_count}, {status.ledger_head} records"


def _input(call: Call, client: Client, name: str) -> None:
    """Wait until an input changes and changes back."""
    call.ui.note(f"Press or close: {name}; then let go.")
    start = name in inputs(expect(client.status()).inputs)
    for wanted in (not start, start):
        end_s = client.transport.now() + _HAND_S
        while (name in inputs(expect(client.status()).inputs)) != wanted:
            if client.transport.now() >= end_s:
                raise StepFailed(f"The device doesn't see {name} change within {_HAND_S:g} s.", "Look at its wire.")
            client.sleep(_LOOK_S)
