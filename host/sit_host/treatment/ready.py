"""Readiness: before each round the device is asked what is missing, and it is brought about with the operator.

A fault is cleared, and a shot of unknown end acknowledged, only by a person who is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sit_host._gen import enums
from sit_host._gen.messages import StatusReply
from sit_host.describe import fault_text, status_info
from sit_host.errors import RefusedError, WorkFailed
from sit_host.outcome import expect
from sit_host.plan_check import Checked
from sit_host.plan_syringes import NEEDLE_PRIME_NL, first_prime_nl
from sit_host.treatment.device import Watched
from sit_host.treatment.talk import Talk
from sit_host.treatment.walk import Walk

SYRINGE, NEEDLE = "syringe", "needle"
_SETTLE_S = 0.1  # a fault that comes at once after a clearing is latched by then


@dataclass
class Fitting:
    """What is to be fitted before the next round, "" for nothing any more, and how much the next prime pushes."""

    what: str
    prime_nl: int

    @classmethod
    def kept(cls) -> Fitting:
        """The syringe and needle of before stay."""
        return cls("", NEEDLE_PRIME_NL)

    @classmethod
    def full_syringe(cls, checked: Checked) -> Fitting:
        """A full syringe with its needle."""
        assert checked.setup is not None
        return cls(SYRINGE, first_prime_nl(checked.setup))


def make_ready(device: Watched, talk: Talk, checked: Checked, fitting: Fitting) -> None:
    """Bring about all that arming needs; `fitting` then holds what is left to be done. May be called again at any time.

    Raises RefusedError or WorkFailed for what nobody here can bring about, and one of device.LINK_GONE.
    """
    walk = Walk(device, talk)
    status = _known(device, talk, _clear(device, talk, device.settle()))
    walk.check(status)
    walk.selftest()
    if fitting.what:
        text = _change_text(checked, fitting.what)
        if fitting.what == SYRINGE:
            assert checked.setup is not None
            walk.change(enums.Change.SYRINGE, checked.setup.syringe.id, text)
        else:
            walk.change(enums.Change.NEEDLE, 0, text)
        fitting.what = ""
    if not device.status().header.ready & enums.Ready.ZEROED:
        walk.zero()
    if not device.status().header.ready & enums.Ready.PRIMED:
        walk.prime(fitting.prime_nl)
        fitting.prime_nl = NEEDLE_PRIME_NL
    device.sync()


def _change_text(checked: Checked, what: str) -> str:
    plan = checked.plan
    jig = "screw on a new needle and adjust the nose-piece with the jig."
    if what == NEEDLE:
        return f"Change the needle: {plan.head.needle}; {jig}"
    product = f"{plan.product.name}, lot {plan.product.lot}, expires {plan.product.expiry}"
    return f"Fit a full syringe ({plan.head.syringe}), never one that was in before, of {product}; {jig}"


def _clear(device: Watched, talk: Talk, status: StatusReply) -> StatusReply:
    """A latched fault is cleared only when a person says that its cause is mended."""
    while fault := status.header.fault:
        info = status_info(fault)
        talk.say(f"Fault {fault_text(fault, status.fault_value)}")
        if not talk.attended or not talk.confirm("Is the cause mended? Clear the fault and go on?"):
            raise WorkFailed(
                f"The fault {info.name} is latched: {info.doc}", f"{info.hint} Then start the same plan again."
            )
        expect(device.client.clear_fault(fault))
        device.client.sleep(_SETTLE_S)
        status = device.status()
    return status


def _known(device: Watched, talk: Talk, status: StatusReply) -> StatusReply:
    """A shot of unknown end is acknowledged only by a person who has looked at it."""
    seq = status.uncertain_seq
    if not seq:
        return status
    record = next((r for r in device.records if r.seq == seq), None)
    text = f"Record {seq}: nobody knows how that shot ended."
    if record is not None:
        bounds = f"{record.tissue_min_nl / 1000:.1f} to {record.tissue_max_nl / 1000:.1f} uL"
        text = f"Point {record.point}: power was lost during the shot; it got {bounds}. It isn't given again."
    talk.say(text)
    if not talk.attended or not talk.confirm("Have you looked at it? Acknowledge and go on?"):
        raise RefusedError(text, "Look at it, run `sit ack`, start the same plan again.", number=14, name="UNCERTAIN")
    expect(device.client.ack_uncertain(seq))
    return device.status()
