"""Alarms: which are in force, and which was last to rise. Priorities, actions and hints stand in the schema.

Background only. An alarm that stands for a condition falls with it; one that stands for something that happened to a
shot stays until the operator goes on: arms again or begins other work (`settle`). One that comes the third time within
ten minutes stops the device: once nothing moves and no other fault is latched, the fault REPEATED is, so that somebody
finds out why instead of going on by habit. Its clearing begins the count anew; so does a start of the device.
"""

from array import array

from sit_firmware import codes, dose, image, readiness, wire
from sit_firmware.clock import since, ticks_of_ms

_LAST = codes.ALARM_SUPPLY_LOW
_STOP_MS = 600000  # three times the same alarm within this stop the device
_NEVER = -1
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
        self._rises = array("i", [_NEVER] * (2 * _LAST + 2))  # ticks of the last two rises of each alarm
        self._again = 0  # the alarm that came too often, until REPEATED is latched
        self._stop_ticks = ticks_of_ms(_STOP_MS, dev.board.tick_us)
        self.bits = 0
        self._priority = 0  # the highest of `bits`
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
        return self._priority

    def take_risen(self):
        """The highest priority that has risen since the last call, 0 for none."""
        risen = self.risen
        self.risen = 0
        return risen

    def poll(self):
        """One slice: what has risen or fallen, and whether that stops the device."""
        self._compare()
        if self._again:
            self._stop()

    def _compare(self):
        """Compares what is in force with what was."""
        bits = self._happened | self._conditions()
        changed = bits ^ self.bits
        if not changed:
            return
        self.bits = bits
        self._priority = _highest(bits)
        risen = _highest(bits & changed)
        if risen > self.risen:
            self.risen = risen
        for alarm in range(1, _LAST + 1):
            if changed & bit(alarm):
                rose = bits & bit(alarm) != 0
                self._dev.events.push(codes.EVENT_ALARM, alarm, 1 if rose else 0, 0)
                if rose:
                    self._rose(alarm)

    def _rose(self, alarm):
        """Counts a rise; what rises under REPEATED is no new occurrence."""
        dev = self._dev
        if not wire.ALARM_STOPS & bit(alarm) or dev.faults.handled == codes.FAULT_REPEATED:
            return
        rises = self._rises
        first = rises[2 * alarm]
        rises[2 * alarm] = rises[2 * alarm + 1]
        rises[2 * alarm + 1] = dev.now
        if first != _NEVER and 0 <= since(dev.now, first) < self._stop_ticks:
            self._again = self._again or alarm

    def _stop(self):
        """Latches REPEATED, a shot under way being finished first; once it is, the count begins anew."""
        dev = self._dev
        if dev.faults.handled == codes.FAULT_REPEATED:
            self._again = 0
            for i in range(len(self._rises)):
                self._rises[i] = _NEVER
        elif not dev.state[image.ST_FAULT] and dev.box.still():
            dev.faults.report(codes.FAULT_REPEATED, self._again)

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
