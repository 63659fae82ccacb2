"""The walk to readiness: self-test, change of syringe or needle, zero, prime. Each step asks the device whether it is
done; nothing is taken for done because it was asked for."""

from __future__ import annotations

from sit_host._gen import enums, messages
from sit_host._gen.messages import StatusReply
from sit_host.client import WorkEnd
from sit_host.describe import cause_text, missing, status_info
from sit_host.errors import RefusedError, WorkFailed
from sit_host.outcome import Refused, expect
from sit_host.treatment.device import Watched
from sit_host.treatment.talk import Talk

SELFTEST_S = 60.0
ZERO_S = 90.0
PRIME_S = 60.0
CHANGE_S = 10.0
ZERO_TRIES = 4
PRIME_TRIES = 4
CHANGE_TRIES = 30
SIM_OPERATOR_S = 3.0  # a simulated hand has changed a needle in two seconds
UNATTENDED_OPERATOR_S = 60.0
SETTLE_S = 1.0  # from the syringe's seat to the nose-piece's adjustment
_LOOK_S = 0.1

# what this page brings about by itself; everything else that is missing is told and ends the treatment
_OWN = enums.Ready.TESTED | enums.Ready.ZEROED | enums.Ready.PRIMED | enums.Ready.LOADED
_SYRINGE_PRESENT = 1 << 5


class Walk:
    """Brings the device to where it can be armed, with the operator's hands."""

    def __init__(self, device: Watched, talk: Talk) -> None:
        self._device = device
        self._client = device.client
        self._talk = talk

    def check(self, status: StatusReply) -> None:
        """Raise RefusedError naming the first condition that no step here can bring about."""
        own = int(_OWN)
        if not status.inputs & _SYRINGE_PRESENT:
            own |= enums.Ready.HEALTHY  # a change puts a syringe in; the arming asks again
        found = missing(int(status.header.ready) | own)
        if found:
            name, what, do = found[0]
            raise RefusedError(f"The device isn't ready ({name}), this must hold: {what}", do, number=7, name=name)

    def selftest(self) -> None:
        """Run the session self-test unless it has passed."""
        if self._ready() & enums.Ready.TESTED:
            return
        self._talk.say("Self-test: hold the device up, nothing touching the nose-piece.")
        end = expect(self._client.run(messages.Selftest(), SELFTEST_S))
        if not self._ready() & enums.Ready.TESTED:
            raise WorkFailed(
                f"The self-test failed in step {end.cause}: {_why(end)}",
                "Follow that, or have the device serviced; nothing was given.",
            )

    def change(self, what: enums.Change, syringe_id: int, text: str) -> None:
        """Lead through a change. `text` tells the operator what to do."""
        client = self._client
        expect(client.change(what, syringe_id=syringe_id, done=False))
        self._talk.pause(text)
        simulated = client.device is not None and client.device.board.startswith("sim")
        asks = self._talk.attended and not simulated
        if what == enums.Change.NEEDLE and not asks:  # it has no sensor: unattended its change is given time
            client.sleep(SIM_OPERATOR_S if simulated else UNATTENDED_OPERATOR_S)
        end_s = client.transport.now() + UNATTENDED_OPERATOR_S
        tries = 0
        while True:
            outcome = client.run(messages.Change(what, syringe_id, 1), CHANGE_S)
            if not (isinstance(outcome, Refused) and outcome.number == enums.Refusal.NOT_READY):
                expect(outcome)
                break
            tries += 1
            if tries >= CHANGE_TRIES if asks else client.transport.now() >= end_s:
                client.stop()
                raise WorkFailed(
                    "The syringe was not changed: the device saw none leave and come back.",
                    "Take the old one out and seat the new one, then start again; nothing was given meanwhile.",
                )
            if asks:
                self._talk.pause(
                    "The device saw no change: take the old syringe out, push the new one in until it clicks."
                )
            client.sleep(_LOOK_S)
        if what == enums.Change.SYRINGE and not asks:
            client.sleep(SETTLE_S)

    def zero(self) -> None:
        """Zero the tip, asking for another adjustment when it falls outside its window."""
        for tries_left in range(ZERO_TRIES - 1, -1, -1):
            self._talk.pause("Zero: fit the zero tool on the nose-piece and touch nothing.")
            end = expect(self._client.run(messages.Zero(), ZERO_S))
            status = self._device.status()
            if status.header.ready & enums.Ready.ZEROED:
                self._talk.say(f"Zeroed, {status.zero_um:+d} um from nominal. Take the zero tool off.")
                return
            if tries_left:
                self._talk.pause(_zero_advice(end))
        raise WorkFailed(f"The tip could not be zeroed. {_zero_advice(end)}", "Change the needle and start again.")

    def prime(self, volume_nl: int) -> None:
        """Purge air; the device says whether any is left."""
        for _ in range(PRIME_TRIES):
            self._talk.pause(f"Prime: {volume_nl / 1000:g} uL leave the needle; hold it over a swab, needle up.")
            end = expect(self._client.run(messages.Prime(volume_nl), PRIME_S))
            if self._ready() & enums.Ready.PRIMED:
                return
            if end.result != enums.Refusal.NOT_READY:
                raise WorkFailed(f"Priming failed: {_why(end)}", "Then start the same plan again.")
            self._talk.say("There is still air in tube or needle.")
        raise WorkFailed("Air is left in tube or needle.", "Check that nothing leaks, then start the same plan again.")

    def _ready(self) -> int:
        return int(self._device.status().header.ready)


def _why(end: WorkEnd) -> str:
    """Return why work ended without doing what it should, and what to do."""
    info = status_info(end.result)
    return f"{info.doc} {info.hint}"


def _zero_advice(end: WorkEnd) -> str:
    """Return why there is no zero, and what to do."""
    if end.result == enums.Refusal.WRONG_ZERO:
        return f"It is {end.cause:+d} um off: adjust the nose-piece by {-end.cause:+d} um with the jig."
    if end.result == enums.Refusal.NOT_READY:
        return f"{cause_text(end.cause)} Fit the zero tool and let nothing touch it."
    return _why(end)
