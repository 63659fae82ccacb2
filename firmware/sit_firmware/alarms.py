"""Alarms: which are in force, and which was last to rise. Priorities, actions and hints stand in the schema.

Background only. An alarm that stands for a condition falls with it; one that stands for something that happened to a
shot stays until the operator goes on: arms again or begins other work (`settle`).
"""

from sit_firmware import codes, dose, readiness, wire

_LAST = codes.ALARM_SUPPLY_LOW
_FEW_POINTS = 3
_SUPPLY_BACK_MV = 200  # the supply must rise this far above its limit before the alarm falls


def bit(alarm):
    """The bit of an alarm in `bits`, as STATUS shows it."""
    return 1 << alarm


class Alarms:
    """`bits` holds the alarms in force; each rise and fall is an event."""

    def __init__(self, dev):
        self._dev = dev
        self._happened = 0
        self.bits = 0
        self.risen = 0  # the highest priority that has risen since the panel looked

    def shot_ended(self, kind, cause):
        """Raises what the end of a shot calls for."""
        if kind == codes.RECORD_PARTIAL:
            self._happened |= bit(codes.ALARM_PARTIAL_DOSE)
        if kind != codes.RECORD_DONE and cause == codes.CAUSE_CONTACT:
            self._happened |= bit(codes.ALARM_CONTACT_LOST)

    def settle(self):
        """The operator goes on: what happened to the shots before is known."""
        self._happened = 0

    def priority(self):
        """The highest priority in force: 0 none, 1 low, 2 medium, 3 high."""
        return _highest(self.bits)

    def take_risen(self):
        """The highest priority that has risen since the last call, 0 for none."""
        risen = self.risen
        self.risen = 0
        return risen

    def poll(self):
        """Compares what is in force with what was."""
        bits = self._happened | self._conditions()
        changed = bits ^ self.bits
        if not changed:
            return
        self.bits = bits
        risen = _highest(bits & changed)
        if risen > self.risen:
            self.risen = risen
        for alarm in range(1, _LAST + 1):
            if changed & bit(alarm):
                self._dev.events.push(codes.EVENT_ALARM, alarm, 1 if bits & bit(alarm) else 0, 0)

    def _conditions(self):
        dev = self._dev
        bits = 0
        if dev.faults.handled:
            bits |= bit(codes.ALARM_FAULT)
        if dev.ledger.uncertain_seq:
            bits |= bit(codes.ALARM_UNCERTAIN)
        if dev.session.lease_lost:
            bits |= bit(codes.ALARM_LEASE)
        if self._reservoir_low():
            bits |= bit(codes.ALARM_RESERVOIR)
        if dev.ledger.room() < dev.ledger.capacity // 10:
            bits |= bit(codes.ALARM_LEDGER)
        if self._supply_low():
            bits |= bit(codes.ALARM_SUPPLY_LOW)
        return bits

    def _reservoir_low(self):
        """Less than a twentieth of the syringe or than the next three points, while a table has points left."""
        dev = self._dev
        table = dev.table
        if not (table.sealed and table.left) or not dev.plunger.capacity_steps:
            return False
        left = dev.plunger.left_steps()
        if left < dev.plunger.capacity_steps // 20:
            return True
        wanted_nl = 0
        index = table.next_open(dev.session.cursor)
        for _ in range(_FEW_POINTS):
            if index >= table.count:
                # the syringe may end with the table
                return False
            wanted_nl += table.row(index)[4]
            index = table.next_open(index + 1)
        return left < dose.steps_of(wanted_nl, dev.params)

    def _supply_low(self):
        """Rises at rest only: under load the supply may sag, and the guard watches it then."""
        dev = self._dev
        at_rest = dev.session.state == codes.STATE_IDLE or dev.session.state == codes.STATE_ARMED
        if not at_rest and not self.bits & bit(codes.ALARM_SUPPLY_LOW):
            return False
        return not readiness.supply_above(dev, _SUPPLY_BACK_MV if self.bits & bit(codes.ALARM_SUPPLY_LOW) else 0)


def _highest(bits):
    highest = 0
    for alarm in range(1, _LAST + 1):
        if bits & bit(alarm) and wire.ALARM_PRIORITY[alarm] > highest:
            highest = wire.ALARM_PRIORITY[alarm]
    return highest
