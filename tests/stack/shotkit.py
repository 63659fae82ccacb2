"""A device prepared for shots: the host's client on a simulated target, and what the test needs to see of both.

    bench = Bench(open_sim(hand="none"))
    bench.prepare()                       self-test, zero and prime, whoever holds the device
    bench.load([(1, 1500, 10000)])        (point, depth_um, volume_nl)
    bench.arm()
    bench.press_and_trigger()

`check_depth` holds for every bench: the mechanical stop is away and the true tip stayed within 2000 um.
"""

from sit_firmware import codes
from sit_host._gen import enums, messages
from sit_host.client import Client
from sit_host.errors import LinkLost
from sit_host.ledger import read_records
from sit_host.outcome import Delivered, Refused, expect
from sit_host.table import NO_EXPIRY, Row
from sit_sim.targets import LinkLost as SimLinkLost

TREATMENT = b"STACK001"
LIMIT_UM = 2000.0


class Cable:
    """The client's transport over an open target."""

    name = "sim:"

    def __init__(self, target):
        self.target = target

    def now(self):
        return self.target.now()

    def send(self, data):
        try:
            self.target.send(data)
        except SimLinkLost as error:
            raise LinkLost(str(error)) from error

    def wait(self, deadline_s):
        try:
            return self.target.wait(deadline_s + 0.00013 if deadline_s > self.now() else deadline_s)
        except SimLinkLost as error:
            raise LinkLost(str(error)) from error

    def reopen(self, deadline_s):
        try:
            self.target.reopen(deadline_s)
        except SimLinkLost as error:
            raise LinkLost(str(error)) from error

    def close(self):
        pass


class Bench:
    """One device, its host and its world."""

    def __init__(self, target):
        self.target = target
        self.client = Client(Cable(target), unix_s=lambda: 1_800_000_000 + target.now())
        self.client.hello()
        self.client.start_events()
        self.client.set_clock_if_needed()

    # --- the world ---------------------------------------------------------------------------------

    def hand(self, action, value=None):
        command = {"do": "hand", "action": action}
        self.target.control(command if value is None else {**command, "value": value})

    def run_ms(self, ms):
        """Time passes, the host silent."""
        self.target.control({"do": "run", "ms": ms})

    def run_to_phase(self, phase, most_ms=2000):
        """Time passes, tick by tick, until the tick domain is in a phase."""
        for _ in range(most_ms * 4):
            if self.target.machine.phase == phase:
                return
            self.run_ms(0.25)
        raise AssertionError(f"phase {phase} didn't come, it is {self.target.machine.phase}")

    def truth(self):
        return self.target.truth()

    def check_depth(self):
        """Invariant 1, as every test of the stack holds it."""
        assert self.truth()["tip_max_um"] <= LIMIT_UM

    # --- the host ----------------------------------------------------------------------------------

    def status(self):
        return expect(self.client.status())

    def state(self):
        return self.status().header.state

    def work(self, message, timeout_s=60):
        outcome = self.client.run(message, timeout_s)
        assert isinstance(outcome, Delivered), outcome
        assert outcome.reply.done, outcome
        return outcome.reply

    def new_syringe(self):
        """The used syringe out, a new one of the same type in, its needle adjusted; nothing is primed yet."""
        expect(self.client.change(enums.Change.SYRINGE, done=False))
        for action in ("cartridge_out", "change_syringe", "change_needle"):
            self.hand(action)
            self.client.sleep(1.0)
        self.hand("cartridge_in")
        self.hand("adjust")
        self.client.sleep(1.0)
        self.work(messages.Change(enums.Change.SYRINGE, 1, 1))

    def prepare(self):
        """Self-test, adjusted needle, zero, prime; works with any hand."""
        self.work(messages.Selftest())
        alone = self.target.hand.name == "none"
        if alone:
            self.hand("adjust")
            self.hand("fit_zero_tool")
        else:
            expect(self.client.change(enums.Change.NEEDLE, done=False))
            self.client.sleep(3)
            self.work(messages.Change(enums.Change.NEEDLE, 0, 1))
        self.work(messages.Zero())
        if alone:
            self.hand("remove_zero_tool")
        self.work(messages.Prime(40000))

    def load(self, points, treatment=TREATMENT, check=True, run=None, expiry_unix_s=NO_EXPIRY):
        """Loads and seals (point, depth_um, volume_nl[, attempt]) rows, as a run if one is given; the outcome."""
        rows = [Row(point, rest[0] if rest else 1, 1, depth, volume) for point, depth, volume, *rest in points]
        begin = messages.LoadBegin(treatment, len(rows), 1, 1, 1000, 50000, 1000, expiry_unix_s)
        return self.client.load_table(begin, rows, check=check, run=run)

    def arm(self, cursor=0, count=1, lease_ms=2000):
        return self.client.arm(lease_ms, cursor, count)

    def ready(self, points):
        """Prepared, loaded, armed for all points."""
        self.prepare()
        expect(self.load(points))
        expect(self.arm(count=len(points)))

    def follow(self, timeout_s=30):
        """Renews and collects until the device is neither armed nor injecting."""
        busy = (enums.State.ARMED, enums.State.INJECTING)
        self.client.wait_for(lambda: self.state() not in busy, timeout_s)

    def press_and_trigger(self):
        """The nose-piece on the skin and, once contact is debounced, the trigger."""
        self.hand("press")
        self.run_ms(50)
        self.hand("trigger")

    def lift(self):
        self.hand("release")
        self.run_ms(20)
        self.hand("lift")
        self.run_ms(50)

    def events(self, kind):
        self.client.events(refresh=True)
        return [event for event in self.client.log.since(0) if event.kind == kind]

    def records(self, *kinds):
        """The ledger's records, each checked against its CRC."""
        entries = list(read_records(self.client))
        assert all(entry.whole for entry in entries)
        return [entry.record for entry in entries if not kinds or entry.record.kind in kinds]

    def ends(self):
        return self.records(enums.Record.DONE, enums.Record.PARTIAL, enums.Record.ABORTED, enums.Record.UNCERTAIN)


def refusal(outcome):
    """The number of a refusal."""
    assert isinstance(outcome, Refused), outcome
    return outcome.number


PHASES = {
    "approach": codes.PHASE_APPROACH,
    "insert": codes.PHASE_INSERT,
    "settle": codes.PHASE_SETTLE,
    "dispense": codes.PHASE_DISPENSE,
}
