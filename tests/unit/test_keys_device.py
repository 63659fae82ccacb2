"""The device's keys, its lockouts and service mode: what the store, the button and the clock may and may not do."""

import hashlib
import hmac as python_hmac
import struct

import pytest
from appkit import NONCE, Device, Store
from sit_firmware import calibration, codes, hmac, image, settings, wire
from sit_firmware.access import LOST, OPEN, PAIRED
from sit_firmware.access_lockout import LOCK_MS, MOST
from sit_firmware.keys import NO_KEY, Keys
from sit_firmware.service import OPEN_MS
from sit_firmware.store.access import StoreError
from sit_firmware.store.layout import ATTEMPTS_ADDR, KEYS_ADDR, RING_ADDR, SLOT_BYTES
from sit_host import keys as host_keys
from sit_host._gen import messages
from store_fakes import MemoryStore, PowerCut

KEY = bytes(range(16))
OTHER = bytes(range(1, 17))
CODE = bytes(range(2, 18))


class Frame:
    """A request as the link hands it over to be admitted."""

    def __init__(self, mac, message=codes.MSG_RENEW, signed=b"\x01\x00\x0a\x00\x34\x12\x00\x00\xd0\x07"):
        self.id = message
        self.mac = mac
        self.signed = signed


def press(dev):
    """The pairing button, up and down again."""
    dev.pins[image.IN_PAIR] = 0
    dev.run(2)
    dev.pins[image.IN_PAIR] = 1
    dev.run(2)


def paired(store=None):
    dev = Device(store)
    press(dev)
    assert dev.ask(codes.MSG_HELLO, struct.pack(wire.FMT_HELLO, 7, wire.SCHEMA_HASH)).result == 0
    assert dev.ask(codes.MSG_PAIR, KEY).result == 0
    return dev


def mac_of(dev, key=KEY):
    return host_keys.signer(key, dev.app.access.seed)(Frame(b"").signed)


class CutStore:
    """A store whose next write, once armed, is cut after `kept` bytes."""

    def __init__(self, store, kept):
        self.size = store.size
        self.readinto = store.readinto
        self._store = store
        self._kept = kept
        self.armed = False

    def write(self, addr, buf):
        if self.armed:
            self._store.write(addr, bytes(buf)[: self._kept])
            raise PowerCut
        self._store.write(addr, buf)


def serviced(store=None):
    """A device with a code and an open service mode."""
    dev = Device(store)
    dev.hello()
    press(dev)
    assert service(dev, codes.SERVICE_SET_CODE, CODE) == 0
    assert service(dev, codes.SERVICE_OPEN, host_keys.service_proof(CODE, dev.app.access.seed)) == 0
    return dev


def service(dev, action, proof=NO_KEY):
    return dev.ask(codes.MSG_SERVICE, struct.pack(wire.FMT_SERVICE, action, proof)).result


def limits(**changes):
    """A SETTINGS_WRITE with the factory's values and these changes."""
    values = {name: value for name, value, _, _, _ in settings.FIELDS} | changes
    return messages.SettingsWrite(**values).pack()


def test_hmac_is_that_of_rfc_2104():
    """Start: the device's HMAC gives what Python's does, for keys and texts of many lengths."""
    for n in (0, 1, 16, 32, 63, 64):
        key = bytes((7 * i + n) & 0xFF for i in range(n))
        for size in (0, 1, 55, 56, 64, 65, 240):
            text = bytes((3 * i) & 0xFF for i in range(size))
            expected = python_hmac.new(key, text, hashlib.sha256).digest()
            assert hmac.digest(hmac.pads(key), text[:5], text[5:]) == expected
    with pytest.raises(ValueError, match="65"):
        hmac.pads(bytes(65))


def test_the_comparison_looks_at_every_byte():
    """Start: wherever two MACs differ first, the comparison does the same work: its time tells nothing."""

    class Counting(bytes):
        looks = 0

        def __getitem__(self, i):
            Counting.looks += 1
            return bytes.__getitem__(self, i)

    for differs in range(9):
        Counting.looks = 0
        other = bytes(1 if i == differs else 0 for i in range(8))
        assert hmac.same(Counting(8), other) == (differs == 8)
        assert Counting.looks == 8
    assert not hmac.same(b"\0" * 7, b"\0" * 8)


def test_host_and_device_make_the_same_keys():
    """Start: the host's own derivation, from what HELLO tells, gives the MAC that the device wants."""
    dev = paired()
    reply = dev.ask(codes.MSG_HELLO, struct.pack(wire.FMT_HELLO, 99, wire.SCHEMA_HASH))
    fields = struct.unpack(wire.FMT_HELLO_REPLY, reply.fields)
    uid, boot_count, device_nonce = fields[5:8]
    seed = host_keys.session_seed(uid, boot_count, 99, device_nonce)
    assert seed == dev.app.access.seed
    assert dev.app.access.refusal(Frame(host_keys.signer(KEY, seed)(Frame(b"").signed))) == 0
    assert dev.app.access.refusal(Frame(mac_of(dev, OTHER))) == codes.REFUSED_NEEDS_KEY


def test_a_pairing_outlives_a_reset():
    """Start: after a reset the device still obeys its own host alone, and the old session's MAC is worth nothing."""
    dev = paired()
    old = mac_of(dev)
    dev = Device(dev.store)
    assert dev.app.access.paired() == PAIRED
    assert dev.app.access.refusal(Frame(old)) == codes.REFUSED_NEEDS_KEY, "before any HELLO"
    dev.hello()
    assert dev.app.access.refusal(Frame(old)) == codes.REFUSED_NEEDS_KEY
    assert dev.app.access.refusal(Frame(mac_of(dev))) == 0


@pytest.mark.parametrize("damage", ["rotted", "unreadable"])
def test_lost_keys_close_the_device(damage):
    """Start: with the keys' record damaged or not to be read nobody may change anything until somebody pairs."""
    dev = paired()
    store = dev.store
    if damage == "rotted":
        store.data[KEYS_ADDR + 20] ^= 1
        store.data[KEYS_ADDR + SLOT_BYTES + 20] ^= 1
    else:
        readinto = store.readinto
        store.readinto = lambda addr, buf: fail() if addr == KEYS_ADDR else readinto(addr, buf)
    dev = Device(store)
    dev.hello()
    store.__dict__.pop("readinto", None)  # it can be read again, too late for this start
    assert dev.app.access.paired() == LOST
    assert dev.app.access.refusal(Frame(bytes(8))) == codes.REFUSED_NEEDS_KEY
    assert dev.app.access.refusal(Frame(mac_of(dev))) == codes.REFUSED_NEEDS_KEY
    press(dev)
    assert service(dev, codes.SERVICE_SET_CODE, CODE) == codes.REFUSED_NEEDS_OPERATOR, "that would mend the record"
    assert dev.ask(codes.MSG_PAIR, OTHER).result == 0
    assert dev.app.access.refusal(Frame(mac_of(dev, OTHER))) == 0
    assert Device(store).app.access.keys.host == OTHER, "the new key is the newest record"


def fail():
    raise OSError(5)


def test_power_cuts_while_pairing():
    """Start: power gone at any byte of the record leaves the old key or the new one, never none and never a mixture."""
    seen = set()
    for kept in range(SLOT_BYTES + 1):
        store = MemoryStore()
        first = Keys(store)
        first.keep(KEY, CODE)
        store.cut_at, store.kept, store.smear = store.write_number + 1, kept, kept % 2 == 1
        with pytest.raises(PowerCut):
            first.keep(OTHER, CODE)
        store.power_on()
        found = Keys(store)
        found.load()
        assert found.whole and found.code == CODE
        assert found.host in (KEY, OTHER)
        seen.add(found.host)
    assert seen == {KEY, OTHER}


def test_a_key_that_cant_be_written_isnt_taken():
    """Start: a store that fails leaves the key before in force, and the button may be used again."""
    dev = paired()
    press(dev)
    dev.store.fail = ("write",)
    assert dev.ask(codes.MSG_PAIR, OTHER).result == codes.REFUSED_STORE
    dev.store.fail = ()
    assert dev.app.access.keys.host == KEY
    with pytest.raises(StoreError):
        dev.store.fail = ("write",)
        dev.app.access.keys.keep(OTHER, NO_KEY)
    assert Keys(dev.store).host == NO_KEY


def test_a_button_held_since_the_start_opens_nothing():
    """Start: a button that never came up isn't a press."""
    store = Device().store
    dev = Device(store)
    dev.app.access._released = False  # as at power-up with the button held
    dev.pins[image.IN_PAIR] = 1
    dev.run(4000)
    dev.hello()
    assert dev.ask(codes.MSG_PAIR, KEY).result == codes.REFUSED_NEEDS_OPERATOR
    assert dev.app.access.paired() == OPEN


def test_the_lockout_counts_guesses_in_a_row():
    """Start: fewer than MOST wrong MACs and one that is right begin anew; after the time one more try is free."""
    dev = paired()
    access = dev.app.access
    for _ in range(3):
        for _ in range(MOST - 1):
            assert access.refusal(Frame(b"\1" * 8)) == codes.REFUSED_NEEDS_KEY
        assert access.refusal(Frame(mac_of(dev))) == 0
    for _ in range(MOST):
        access.refusal(Frame(b"\1" * 8))
    assert access.refusal(Frame(mac_of(dev))) == codes.LIMIT_LOCKOUT
    dev.run_ms(LOCK_MS + 10)
    assert access.refusal(Frame(b"\1" * 8)) == codes.REFUSED_NEEDS_KEY
    assert access.refusal(Frame(mac_of(dev))) == codes.LIMIT_LOCKOUT, "one wrong try locks again"
    press(dev)
    assert dev.ask(codes.MSG_PAIR, KEY).result == 0
    assert access.refusal(Frame(mac_of(dev))) == 0, "somebody at the device ends it"


def test_damaged_counts_lock():
    """Start: counts that can't be trusted count as used up."""
    dev = paired()
    for _ in range(3):
        dev.app.access.refusal(Frame(b"\1" * 8))
    dev.run_ms(20)
    dev.store.data[ATTEMPTS_ADDR + 9] ^= 1
    dev.store.data[ATTEMPTS_ADDR + SLOT_BYTES + 9] ^= 1
    dev = Device(dev.store)
    dev.hello()
    assert dev.app.access.refusal(Frame(mac_of(dev))) == codes.LIMIT_LOCKOUT


def test_counts_are_written_only_while_nothing_moves():
    """Invariant 7: wrong MACs during work reach the store after it."""
    dev = paired()
    dev.set_clock()
    assert dev.ask(codes.MSG_SELFTEST).result == 0
    dev.player.holds = True
    dev.run_ms(200)
    assert dev.app.session.state == codes.STATE_BUSY
    dev.store.writes.clear()
    dev.app.access.refusal(Frame(b"\1" * 8))
    dev.run_ms(50)
    assert not [addr for addr, _ in dev.store.writes if ATTEMPTS_ADDR <= addr < RING_ADDR]
    dev.player.holds = False
    dev.run_ms(60000)
    assert [addr for addr, _ in dev.store.writes if ATTEMPTS_ADDR <= addr < ATTEMPTS_ADDR + 2 * SLOT_BYTES]


def test_service_mode_ends_by_itself_and_with_the_session():
    """Start: nothing can be written after ten minutes, after a HELLO, or after a reset."""
    dev = serviced()
    dev.run_ms(1000)
    assert dev.ask(codes.MSG_SETTINGS_WRITE, limits()).result == 0
    dev.app.service.poll()
    assert dev.app.service.is_open()
    dev.pins[image.IN_TICK] = (dev.pins[image.IN_TICK] + OPEN_MS * 4) & ((1 << 30) - 1)
    dev.run(2)
    assert dev.ask(codes.MSG_SETTINGS_WRITE, limits()).result == codes.REFUSED_NEEDS_OPERATOR
    dev = serviced()
    dev.hello()
    assert dev.ask(codes.MSG_SETTINGS_WRITE, limits()).result == codes.REFUSED_NEEDS_OPERATOR


def test_wrong_codes_lock_out():
    """Start: the service code has a lockout of its own, which leaves the MACs alone and outlives a reset."""
    dev = serviced()
    dev.hello()
    for _ in range(MOST):
        assert service(dev, codes.SERVICE_OPEN, OTHER) == codes.REFUSED_NEEDS_KEY
    right = host_keys.service_proof(CODE, dev.app.access.seed)
    assert service(dev, codes.SERVICE_OPEN, right) == codes.LIMIT_LOCKOUT
    assert dev.app.access.refusal(Frame(bytes(8))) == 0
    dev.run_ms(20)
    dev = Device(dev.store)
    dev.hello()
    right = host_keys.service_proof(CODE, dev.app.access.seed)
    assert service(dev, codes.SERVICE_OPEN, right) == codes.LIMIT_LOCKOUT


def test_no_power_cut_takes_back_a_guess():
    """Start: a wrong code is counted before it is answered, wherever in the count's write power goes."""
    store = Store()
    serviced(store)
    guesses = 0
    for kept in (*range(0, SLOT_BYTES, 9), None):
        dev = Device(CutStore(store, kept))
        dev.hello()
        dev.run_ms(20)
        counted = dev.app.access.codes.bad
        dev.store.armed = kept is not None
        try:
            assert service(dev, codes.SERVICE_OPEN, OTHER) == codes.REFUSED_NEEDS_KEY
            guesses += 1
        except PowerCut:
            pass  # it was never answered
        again = Device(store)
        assert again.app.access.codes.bad >= guesses and again.app.access.codes.bad >= counted
    assert guesses == 1


def test_a_guess_that_cant_be_counted_isnt_looked_at():
    """Start: while the count can't be kept not even the right code opens service mode."""
    dev = serviced()
    dev.hello()
    right = host_keys.service_proof(CODE, dev.app.access.seed)
    dev.store.fail = ("write",)
    assert service(dev, codes.SERVICE_OPEN, right) == codes.REFUSED_STORE
    assert not dev.app.service.is_open()
    dev.store.fail = ()
    assert service(dev, codes.SERVICE_OPEN, right) == 0


def test_what_was_written_waits_for_the_next_start():
    """Limits: limits just replaced aren't worked with: no arming until the restart."""
    dev = serviced()
    dev.set_clock()
    assert dev.app.settings.max_shot_nl == 100000
    assert dev.ask(codes.MSG_SETTINGS_WRITE, limits(max_shot_nl=5000)).result == 0
    assert dev.app.settings.max_shot_nl == 100000
    assert dev.arm() == codes.REFUSED_SETTINGS_BAD
    dev = Device(dev.store)
    assert dev.app.settings.max_shot_nl == 5000


def test_calibration_asks_for_a_clock_and_a_known_syringe():
    """Limits: a calibration without a date or of a syringe that nobody knows is refused."""
    dev = serviced()
    good = messages.CalibrationWrite(1, 4699, 0, 7007, 10000, 1).pack()
    assert dev.ask(codes.MSG_CALIBRATION_WRITE, good).result == codes.REFUSED_CLOCK
    dev.set_clock()
    unknown = messages.CalibrationWrite(200, 4699, 0, 7007, 10000, 1).pack()
    assert dev.ask(codes.MSG_CALIBRATION_WRITE, unknown).result == codes.REFUSED_BAD_VALUE
    assert dev.ask(codes.MSG_CALIBRATION_WRITE, good).result == 0


def test_a_calibration_that_nobody_weighed_has_no_date():
    """Invariant 4: a type's own figures are kept without a date, for weighing only; the factory's type is usable."""
    dev = serviced()
    dev.set_clock()
    assert dev.app.calibration.usable()
    assert dev.ask(codes.MSG_CALIBRATION_WRITE, messages.CalibrationWrite(2, 8585, 0, 32000, 0, 0).pack()).result == 0
    dev = Device(dev.store)
    assert (dev.app.calibration.syringe_id, dev.app.calibration.calibrated_unix_s) == (2, 0)
    assert not dev.app.calibration.usable()


def test_what_is_written_stands_in_the_ledger_first():
    """Invariant 4: limits and calibration are written only after a record of what and by which session."""
    dev = serviced()
    dev.set_clock()
    wanted = limits(max_shot_nl=5000)
    dev.store.fail = ("write",)
    assert dev.ask(codes.MSG_SETTINGS_WRITE, wanted).result == codes.REFUSED_STORE
    assert not dev.app.service.written and not dev.records(codes.RECORD_SETTINGS)
    dev.store.fail = ()
    assert dev.app.booking.mend()
    before = len(dev.store.writes)
    assert dev.ask(codes.MSG_SETTINGS_WRITE, wanted).result == 0
    assert dev.store.writes[before][0] >= RING_ADDR, "the ledger first"
    new = messages.CalibrationWrite(1, 4699, 0, 7007, 10000, 1).pack()
    assert dev.ask(codes.MSG_CALIBRATION_WRITE, new).result == 0
    for kind, payload in ((codes.RECORD_SETTINGS, wanted), (codes.RECORD_CALIBRATION, new)):
        (record,) = dev.records(kind)
        assert record["ref"] == int.from_bytes(hashlib.sha256(payload).digest()[:4], "big")
        assert (record["cap_steps"], record["treatment"]) == (NONCE, bytes(8))
        assert record["unix_s"] >= 1_800_000_000


@pytest.mark.parametrize(
    "request_type, fields",
    [(messages.SettingsWrite, settings.FIELDS), (messages.CalibrationWrite, calibration.FIELDS)],
    ids=["settings", "calibration"],
)
def test_the_wire_has_the_records_fields_and_ranges(request_type, fields):
    """Wire: what may be written is what the record may hold, in the same order; the date is the device's own."""
    written = [(f.name, f.low, f.high) for f in request_type.FIELDS if f.name != "weighed"]
    assert written == [(f[0], f[3], f[4]) for f in fields if f[0] != "calibrated_unix_s"]
