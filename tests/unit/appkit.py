"""The whole background on a board of the test's own, with the tick's side of the mailbox played by the test.

    dev = Device()                     booted, idle
    dev.ask(codes.MSG_ARM, payload)    what the link hands to the dispatch, answered
    dev.run(100)                       ticks, each followed by a poll

`Player` stands where control law and guard stand: it takes requests and ends them as the test says. What the real
ones do is tested elsewhere; here the background's decisions are.
"""

import hashlib
import struct
from types import FunctionType

from ledger_rig import NAMES
from sit_firmware import codes, image, wire
from sit_firmware.app import App
from sit_firmware.link import Request, payload_refusal

TREATMENT = b"TREAT\0\0\1"
NONCE = 0x1234
PRIME_NL = 35000  # more than tube and needle hold
PRIME_STEPS = 6459
MOVES_TICKS = 12  # how long the player takes for a request


class Store:
    """A store in memory; `fail` lets reads or writes raise."""

    def __init__(self, size=65536):
        self.size = size
        self.data = bytearray(b"\xff" * size)
        self.fail = ()
        self.writes = []

    def readinto(self, addr, buf):
        if "read" in self.fail:
            raise OSError(5)
        buf[:] = self.data[addr : addr + len(buf)]

    def write(self, addr, buf):
        if "write" in self.fail:
            raise OSError(5)
        self.writes.append((addr, bytes(buf)))
        self.data[addr : addr + len(buf)] = buf


class Stream:
    """A link whose other end is the test."""

    def __init__(self):
        self.out = bytearray()

    def readinto(self, buf):
        return 0

    def write(self, buf):
        self.out.extend(buf)
        return len(buf)


class Board:
    """The board contract over plain arrays."""

    name = "test"
    uid = b"TEST0001"
    tick_us = 250
    repetitive = 1
    updates = 1
    work = None

    def __init__(self, store):
        self.store = store
        self.link = Stream()
        self.pins_in = image.new()[1]
        self.pins_out = image.new()[2]
        self.offs = 0
        self.feeds = 0
        self.raise_in_read = False

    def read(self, inputs):
        if self.raise_in_read:
            raise RuntimeError("board.read")
        inputs[:] = self.pins_in

    def write(self, outputs):
        self.pins_out[:] = outputs

    def off(self):
        self.offs += 1
        for slot in range(image.OUT_STEPS + 1):
            self.pins_out[slot] = 0

    def feed(self):
        self.feeds += 1


class Player:
    """The tick's side of the mailbox. `results` names how the next requests end, DONE where nothing is named."""

    def __init__(self, board):
        self._board = board
        self._left = 0
        self._request = codes.REQ_NONE
        self.taken = []  # every request with its arguments
        self.results = []  # (result, cause) of the next ones
        self.gate_offset_um = 0
        self.clears = True
        self.holds = False  # requests don't end until this is False again

    def step(self, state, inputs, outputs, params):
        self._debounce(state, inputs)
        outputs[image.OUT_LIGHT] = state[image.ST_LIGHT]
        outputs[image.OUT_TONE] = state[image.ST_TONE]
        state[image.ST_DEPTH_UM] = inputs[image.IN_ENC_UM] - state[image.ST_ZERO_UM]
        if state[image.ST_REQ_SEQ] != state[image.ST_ACK_SEQ]:
            self._take(state, inputs)
        elif self._request and state[image.ST_STOP]:
            self._end(state, codes.RESULT_ABORTED, codes.CAUSE_STOP)
        elif self._request and not self.holds:
            self._left -= 1
            if self._left == 0:
                # the hardware counts the last chunk a tick later
                self._finish(state, params)

    def check(self, state, inputs, outputs, params):
        """The guard's part: the background's reports and the e-stop latch."""
        seen = state[image.ST_REPORT] or (codes.FAULT_ESTOP if inputs[image.IN_ESTOP] else 0)
        if seen and not state[image.ST_FAULT]:
            state[image.ST_FAULT] = seen
        if state[image.ST_FAULT] and state[image.ST_PHASE] != codes.PHASE_FAULT:
            state[image.ST_PHASE] = codes.PHASE_FAULT
            if self._request:
                state[image.ST_RESULT] = codes.RESULT_ABORTED
            self._request = codes.REQ_NONE

    def _debounce(self, state, inputs):
        if inputs[image.IN_TRIGGER] and not state[image.ST_TRIGGER_OK]:
            state[image.ST_TRIGGER_N] += 1
        state[image.ST_TRIGGER_OK] = inputs[image.IN_TRIGGER]
        state[image.ST_CONTACT_OK] = inputs[image.IN_CONTACT]

    def _take(self, state, inputs):
        state[image.ST_ACK_SEQ] = state[image.ST_REQ_SEQ]
        state[image.ST_RESULT] = codes.RESULT_NONE
        state[image.ST_CAUSE] = codes.CAUSE_NONE
        request = state[image.ST_REQ]
        self.taken.append((request, tuple(state[image.ST_ARG_DEPTH_UM : image.ST_ARG_MAX_STEPS + 1])))
        if request == codes.REQ_CLEAR:
            if self.clears and not inputs[image.IN_ESTOP]:
                state[image.ST_FAULT] = 0
                state[image.ST_PHASE] = codes.PHASE_IDLE
            state[image.ST_RESULT] = codes.RESULT_REFUSED if state[image.ST_FAULT] else codes.RESULT_DONE
            return
        self._request = request
        self._left = MOVES_TICKS
        state[image.ST_PHASE] = codes.PHASE_TEST

    def _finish(self, state, params):
        result, cause = self.results.pop(0) if self.results else (codes.RESULT_DONE, codes.CAUSE_NONE)
        steps = state[image.ST_ARG_STEPS]
        if self._request == codes.REQ_ZERO:
            state[image.ST_GATE_UM] = params[image.P_ZERO_NOM_UM] + self.gate_offset_um
        elif self._request != codes.REQ_TEST and result != codes.RESULT_ABORTED:
            given = steps if result == codes.RESULT_DONE else steps // 2
            self._board.pins_in[image.IN_STEPS] += given
            if self._request == codes.REQ_SHOT:
                volume = given * params[image.P_STEP_NL_Q10] // 1024
                state[image.ST_NEEDLE_NL] = state[image.ST_TISSUE_NL] = volume
                state[image.ST_END_UM] = state[image.ST_ARG_DEPTH_UM]
                state[image.ST_PL_CMD] = given
                state[image.ST_PROBE] = image.PROBE_IN_TISSUE
                state[image.ST_PRESS_OUT_PA] = 40000
                state[image.ST_BEFORE_PA] = 40000
                state[image.ST_QUIET_N] = 2
                state[image.ST_STILL_PA] = 40000
                state[image.ST_SOFT_N] = 1
        self._end(state, result, cause)

    def _end(self, state, result, cause):
        self._request = codes.REQ_NONE
        state[image.ST_RESULT] = result
        state[image.ST_CAUSE] = cause
        state[image.ST_PHASE] = codes.PHASE_IDLE


class Device:
    """An app that has booted on a board of the test's, with its player."""

    def __init__(self, store=None):
        self.store = Store() if store is None else store
        self.board = Board(self.store)
        self.pins = self.board.pins_in
        self.pins[image.IN_SUPPLY_MV] = 12000
        self.pins[image.IN_CARTRIDGE] = 1
        self.pins[image.IN_PERIOD_US] = 250
        self.zero_tool(False)
        self.app = App(self.board)
        self.player = Player(self.board)
        self.replace(step=self.player.step, check=self.player.check)
        self._seq = 0
        self.run(4)

    def replace(self, **parts):
        """Puts other functions in place of the tick's: read, step, check, write, keep."""
        *arrays, read, write = self.app._images
        self.app._images = (*arrays, parts.pop("read", read), parts.pop("write", write))
        now = self.app._cycle
        self.app._cycle = FunctionType(now.__code__, {**now.__globals__, **parts})

    def run(self, ticks):
        """Lets ticks pass, each with its poll."""
        for _ in range(ticks):
            self.pins[image.IN_TICK] += 1
            self.app.tick()
            self.app.poll()

    def run_ms(self, ms):
        """Lets time pass."""
        self.run(ms * 4)

    def ask(self, message, payload=b"", refusal=None):
        """The reply's result and fields. The frame's own refusal is what the link would find."""
        request = Request()
        self._seq += 1
        request.id, request.seq, request.session = message, self._seq, NONCE
        request.payload = memoryview(bytes(payload))
        out = memoryview(bytearray(wire.MAX_PAYLOAD))
        earned = payload_refusal(message, payload) if refusal is None else refusal
        n = self.app.link._handler(request, earned, out)
        return Answer(bytes(out[:n]))

    def hello(self, schema=wire.SCHEMA_HASH):
        return self.ask(codes.MSG_HELLO, struct.pack(wire.FMT_HELLO, NONCE, schema))

    def events(self, kind):
        """(a, b, c) of the kept events of a kind, the oldest first."""
        ring = self.app.events
        buf, found = bytearray(wire.EVENT_LEN), []
        for seq in range(ring.tail, ring.head):
            assert ring.read(seq, buf)
            found.append(struct.unpack(wire.FMT_EVENT, buf))
        return [fields[3:] for fields in found if fields[2] == kind]

    def records(self, *kinds):
        """The ledger's records as dictionaries, of these kinds or all."""
        names = NAMES
        ledger, buf, found = self.app.ledger, bytearray(wire.RECORD_LEN), []
        for seq in range(ledger.tail, ledger.head):
            assert ledger.read(seq, buf)
            record = dict(zip(names, struct.unpack(wire.RECORD, buf), strict=True))
            if not kinds or record["kind"] in kinds:
                found.append(record)
        return found

    # --- on the way to a shot ----------------------------------------------------------------------

    def prepare(self):
        """Hello, clock, self-test, zero and prime."""
        self.hello()
        self.set_clock()
        self.work(codes.MSG_SELFTEST)
        self.zero_tool(True)
        self.work(codes.MSG_ZERO)
        self.zero_tool(False)
        self.work(codes.MSG_PRIME, struct.pack(wire.FMT_PRIME, PRIME_NL))

    def set_clock(self, unix_s=1_800_000_000):
        assert self.ask(codes.MSG_SET_CLOCK, struct.pack("<I", unix_s)).result == 0

    def zero_tool(self, on):
        """The zero tool gives light to its gate, or isn't there."""
        self.pins[image.IN_GATE] = 0 if on else 1

    def syringe_out_and_in(self):
        """The operator takes the syringe out and puts one in."""
        for there in (0, 1):
            self.pins[image.IN_CARTRIDGE] = there
            self.run(40)

    def work(self, message, payload=b""):
        """Long work from its request to its end; (result, measure)."""
        answer = self.ask(message, payload)
        assert answer.result == 0, answer.result
        before = len(self.events(codes.EVENT_WORK))
        for _ in range(400):
            self.run_ms(100)
            ended = self.events(codes.EVENT_WORK)
            if len(ended) > before:
                assert ended[-1][0] == message
                return ended[-1][1:]
        raise AssertionError("the work hasn't ended")

    def load(
        self,
        rows,
        treatment=TREATMENT,
        syringe=1,
        needle=1,
        run=None,
        sealed_run=True,
        viscosity_upas=1000,
        expiry_s=0xFFFFFFFF,
    ):
        """Loads and seals rows of (point, attempt, site, depth_um, volume_nl); the result of the first refusal or 0.

        `run` holds LOAD_RUN's fields; `sealed_run` None leaves them out of the seal.
        """
        head = (treatment, len(rows), syringe, needle, viscosity_upas, 50000, 1000, expiry_s)
        begin = struct.pack(wire.FMT_LOAD_BEGIN, *head)
        packed = b"".join(struct.pack("<HBBHI", *row) for row in rows)
        steps = [(codes.MSG_LOAD_BEGIN, begin)]
        declared = struct.pack(wire.FMT_LOAD_RUN, *run) if run else b""
        if run:
            steps.append((codes.MSG_LOAD_RUN, declared))
        for first in range(0, len(rows), 20):
            page = packed[first * 10 : (first + 20) * 10]
            steps.append((codes.MSG_LOAD_PAGE, struct.pack("<H", first) + page))
        digest = hashlib.sha256(begin + (declared if sealed_run else b"") + packed).digest()[:8]
        steps.append((codes.MSG_LOAD_SEAL, struct.pack(wire.FMT_LOAD_SEAL, len(rows), digest)))
        for message, payload in steps:
            result = self.ask(message, payload).result
            if result:
                return result
        return 0

    def arm(self, lease_ms=2000, cursor=0, count=1):
        return self.ask(codes.MSG_ARM, struct.pack(wire.FMT_ARM, lease_ms, cursor, count)).result

    def renew(self, lease_ms=2000):
        return self.ask(codes.MSG_RENEW, struct.pack(wire.FMT_RENEW, lease_ms)).result

    def touch(self, on):
        """The nose-piece is pressed on the skin, or lifted."""
        self.pins[image.IN_CONTACT] = 1 if on else 0
        self.pins[image.IN_CONTACT_MN] = 2000 if on else 0
        self.run(4)

    def trigger(self):
        """One press and release of the trigger."""
        self.pins[image.IN_TRIGGER] = 1
        self.run(4)
        self.pins[image.IN_TRIGGER] = 0
        self.run(4)

    def shoot(self):
        """Press on the skin, pull the trigger, wait, lift."""
        self.touch(True)
        self.trigger()
        self.run_ms(20)
        self.touch(False)
        self.run_ms(200)

    def shots(self):
        """Requests for a shot that the tick has taken."""
        return [arguments for request, arguments in self.player.taken if request == codes.REQ_SHOT]


class Answer:
    """A reply, unpacked."""

    def __init__(self, data):
        head = struct.unpack_from(wire.REPLY_HEADER, data)
        self.result, self.state, self.phase, self.fault, self.ready, self.total_min_nl, self.total_max_nl = head
        self.fields = data[wire.REPLY_HEADER_LEN :]


def armed_device(rows=((1, 1, 1, 1200, 10000), (2, 1, 1, 1200, 10000)), count=2):
    """A device armed for these rows, no contact."""
    dev = Device()
    dev.prepare()
    assert dev.load(rows) == 0
    assert dev.arm(count=count) == 0
    dev.run(4)
    return dev
