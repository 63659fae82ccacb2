"""Access on both targets: replayed, altered and wrong-key frames are refused and counted, and nothing moves."""

import pytest
from shotkit import Bench, refusal
from sit_firmware import codes
from sit_firmware.access_lockout import LOCK_MS, MOST
from sit_host import keys
from sit_host._gen import enums, messages
from sit_host.codec import Decoder, Frame, encode_frame, signed_part
from sit_host.outcome import Delivered, expect
from sit_host.table import NO_EXPIRY

POINTS = [(n, 1500, 5000) for n in range(1, 3)]
KEY = bytes(range(16))
OTHER = bytes(range(1, 17))


@pytest.fixture(autouse=True)
def own_keys(tmp_path, monkeypatch):
    """No test sees this user's keys or leaves one."""
    monkeypatch.setenv("SIT_KEYS_DIR", str(tmp_path / "keys"))


def pair(bench, key=KEY):
    """Hold the button, give the key, let go."""
    bench.hand("pair")
    bench.run_ms(20)
    expect(bench.client.pair(key))
    bench.hand("pair_release")
    bench.run_ms(20)
    bench.client.use_key(None if key == keys.NO_KEY else key)


def again(bench, key=KEY):
    """A new session of a host with this key."""
    bench.client.hello()
    bench.client.use_key(key)


def access(bench):
    return expect(bench.client.access_read())


def spied(bench):
    """Every frame that the host sends from here on."""
    sent = []
    send = bench.target.send
    bench.target.send = lambda data: sent.append(bytes(data)) or send(data)
    return sent


def unmoved(bench, before):
    """Nothing was armed, pushed or moved since."""
    truth = bench.truth()
    assert (truth["plunger_steps"], truth["tip_max_um"]) == before
    assert bench.state() == enums.State.IDLE


def place(bench):
    truth = bench.truth()
    return truth["plunger_steps"], truth["tip_max_um"]


def test_a_paired_host_treats(open_sim):
    """Start: with a MAC on every frame that changes something a treatment goes as before, renewals included."""
    bench = Bench(open_sim())
    pair(bench)
    bench.prepare()
    expect(bench.load(POINTS))
    expect(bench.arm(count=len(POINTS)))
    bench.follow()
    assert [end.kind for end in bench.ends()] == [enums.Record.DONE] * len(POINTS)
    assert (access(bench).paired, access(bench).refused) == (1, 0)
    bench.check_depth()


def test_a_host_without_the_key_reads_and_stops_only(open_sim):
    """Start: a paired device answers every host's reads, STOP and DISARM, and does nothing else without a MAC."""
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    expect(bench.load(POINTS))
    pair(bench)
    before = place(bench)
    bench.client.hello()
    bench.client.use_key(None)
    asked = [
        messages.Arm(2000, 0, 1),
        messages.Renew(2000),
        messages.Zero(),
        messages.Prime(40000),
        messages.Selftest(),
        messages.LoadBegin(b"OTHER001", 1, 1, 1, 1000, 50000, 1000, NO_EXPIRY),
        messages.LoadSeal(2, bytes(8)),
        messages.ClearFault(codes.FAULT_ESTOP),
        messages.SetClock(1_900_000_000),
        messages.LedgerRelease(1),
        messages.SettingsWrite(2000, 1, 100000, 20000000, 20000000, 20000000, 50, 2000),
        messages.Service(enums.Service.CLOSE, bytes(16)),
        messages.Update(),
    ]
    for message in asked:
        assert refusal(bench.client.request(message)) == codes.REFUSED_NEEDS_KEY
    assert isinstance(bench.client.stop(), Delivered)
    assert isinstance(bench.client.disarm(), Delivered)
    assert isinstance(bench.client.settings_read(), Delivered)
    found = access(bench)
    assert found.refused == len(asked)
    assert found.mac_locked_ms == 0, "a host without a key guesses nothing and locks nobody out"
    unmoved(bench, before)
    assert bench.status().points == len(POINTS), "the table is still there"


def test_replayed_frames_do_nothing(open_sim):
    """Once: frames of a session heard on the line are refused in every later one, also after a reset."""
    bench = Bench(open_sim(hand="none"))
    pair(bench)
    bench.prepare()
    sent = spied(bench)
    expect(bench.load(POINTS))
    expect(bench.arm(count=2))
    expect(bench.client.disarm())
    old = bench.client.exchange.session
    heard = [item for data in sent for item in Decoder().feed(data) if messages.RULES[item.id].changes]
    assert any(item.id == codes.MSG_ARM for item in heard)
    hello = encode_frame(1, codes.MSG_HELLO, messages.Hello(old, messages.SCHEMA_HASH).pack())
    for restart in (False, True):
        before = place(bench)
        again(bench)
        if restart:
            bench.target.control({"do": "power", "off_ms": 100})
            bench.run_ms(300)
            bench.client.transport.reopen(bench.client.transport.now() + 5)
            before = place(bench)
        refused = access(bench).refused
        bench.target.send(hello)  # the same nonce of the host, but never the same of the device
        bench.run_ms(5)
        for item in heard:
            seq = (item.seq + 30) & 0xFFFF
            bench.target.send(encode_frame(item.seq, item.id, item.payload, session=old, mac=item.mac))
            bench.target.send(encode_frame(seq, item.id, item.payload, session=old, mac=item.mac))
            bench.run_ms(5)
        assert access(bench).refused - refused == 2 * len(heard)
        unmoved(bench, before)


def altered(frame):
    """Each way to change a frame that keeps its CRC right: header, payload, MAC."""
    same = {"session": frame.session, "mac": frame.mac}
    yield encode_frame(frame.seq + 1, frame.id, frame.payload, **same)
    yield encode_frame(frame.seq, codes.MSG_SELFTEST, b"", **same)
    yield encode_frame(frame.seq, frame.id, frame.payload, flags=1, **same)
    yield encode_frame(frame.seq, frame.id, frame.payload[:-2] + b"\x02\x00", **same)
    for at in (0, 7):
        mac = bytearray(frame.mac)
        mac[at] ^= 1  # a value of its own would be the true one once in 256 runs
        yield encode_frame(frame.seq, frame.id, frame.payload, session=frame.session, mac=bytes(mac))


def test_altered_frames_do_nothing(open_sim):
    """Start: an ARM changed in any part is refused, counted and uses up no number: the true one is then taken."""
    bench = Bench(open_sim(hand="none"))
    pair(bench)
    bench.prepare()
    expect(bench.load(POINTS))
    before = place(bench)
    client = bench.client
    session, seq = client.exchange.session, client.exchange.seq + 40
    payload = messages.Arm(2000, 0, 1).pack()
    mac = client.exchange.sign(signed_part(seq, codes.MSG_ARM, payload, session=session))
    true = Frame(seq, codes.MSG_ARM, payload, session, 0, mac)
    forged = list(altered(true))
    for data in forged:
        bench.target.send(data)
        bench.run_ms(5)
    assert access(bench).refused == len(forged)
    unmoved(bench, before)
    bench.target.send(encode_frame(seq, codes.MSG_ARM, payload, session=session, mac=mac))
    bench.run_ms(5)
    assert bench.state() == enums.State.ARMED
    expect(client.disarm())


def test_wrong_keys_lock_out_beyond_a_reset(open_sim):
    """Start: after MOST wrong keys not even the right one is taken for a minute, and a reset doesn't shorten it."""
    bench = Bench(open_sim(hand="none"))
    pair(bench)
    before = place(bench)
    again(bench, OTHER)
    for _ in range(MOST):
        assert refusal(bench.client.renew(2000)) == codes.REFUSED_NEEDS_KEY
    again(bench)
    assert refusal(bench.client.selftest()) == codes.LIMIT_LOCKOUT
    assert isinstance(bench.client.stop(), Delivered)
    bench.run_ms(LOCK_MS / 2)
    bench.target.control({"do": "power", "off_ms": 100})
    bench.run_ms(300)
    bench.client.transport.reopen(bench.client.transport.now() + 5)
    again(bench)
    bench.run_ms(LOCK_MS * 0.75)
    assert refusal(bench.client.set_clock(1_800_000_000)) == codes.LIMIT_LOCKOUT
    assert 0 < access(bench).mac_locked_ms < LOCK_MS
    bench.run_ms(LOCK_MS / 2)
    expect(bench.client.set_clock(1_800_000_000))
    unmoved(bench, before)


def test_pairing_needs_a_fresh_press(open_sim):
    """Start: no button, no pairing; one press pairs once, so a button that is stuck opens nothing."""
    bench = Bench(open_sim(hand="none"))
    assert refusal(bench.client.pair(KEY)) == codes.REFUSED_NEEDS_OPERATOR
    bench.hand("pair")
    bench.run_ms(20)
    expect(bench.client.pair(KEY))
    bench.run_ms(1000)
    assert refusal(bench.client.pair(OTHER)) == codes.REFUSED_NEEDS_OPERATOR
    assert access(bench).paired == 1
    bench.client.use_key(KEY)
    expect(bench.client.set_clock(1_800_000_000))
    bench.hand("pair_release")
    bench.run_ms(20)
    pair(bench, keys.NO_KEY)
    assert access(bench).paired == 0
    expect(bench.client.set_clock(1_800_000_000))


def test_limits_are_written_in_service_mode_and_hold_from_the_next_start(open_sim):
    """Limits: written only with the service code; until the restart nothing arms, then the new ones are in force."""
    bench = Bench(open_sim(hand="none"))
    uid = bench.client.device.uid
    lower = messages.SettingsWrite(1500, 600, 4000, 3000000, 5000000, 2000000, 100, 2000)
    assert refusal(bench.client.settings_write(lower)) == codes.REFUSED_NEEDS_OPERATOR
    code = keys.code_key("a long code", uid)
    bench.hand("pair")
    bench.run_ms(20)
    expect(bench.client.service(enums.Service.SET_CODE, code))
    bench.hand("pair_release")
    seed = bench.client.session_seed()
    wrong = keys.service_proof(keys.code_key("another code", uid), seed)
    assert refusal(bench.client.service(enums.Service.OPEN, wrong)) == codes.REFUSED_NEEDS_KEY
    assert refusal(bench.client.settings_write(lower)) == codes.REFUSED_NEEDS_OPERATOR
    proof = keys.service_proof(code, seed)
    expect(bench.client.service(enums.Service.OPEN, proof))
    expect(bench.client.settings_write(lower))
    expect(bench.client.calibration_write(messages.CalibrationWrite(1, 4800, 5, 8000, 10100, 1)))
    expect(bench.client.service(enums.Service.CLOSE))
    assert refusal(bench.client.service(enums.Service.OPEN, proof)) == codes.REFUSED_BAD_STATE
    assert expect(bench.client.settings_read()).max_shot_nl == 100000
    assert not bench.status().header.ready & enums.Ready.SETTINGS
    bench.target.control({"do": "power", "off_ms": 100})
    bench.run_ms(300)
    bench.client.transport.reopen(bench.client.transport.now() + 5)
    bench.client.hello()
    expect(bench.client.set_clock(1_800_000_000))
    found = expect(bench.client.settings_read())
    assert (found.source, found.max_depth_um, found.max_shot_nl, found.lease_max_ms) == (0, 1500, 4000, 2000)
    assert (found.bore_um, found.offset_nl, found.compliance_nl_per_mpa, found.area_e4) == (4800, 5, 8000, 10100)
    assert found.calibrated_unix_s >= 1_800_000_000
    assert bench.status().header.ready & enums.Ready.SETTINGS
    assert refusal(bench.client.service(enums.Service.OPEN, proof)) == codes.REFUSED_NEEDS_KEY, (
        "heard in another session"
    )
    assert refusal(bench.load([(1, 1500, 5000)])) == codes.REFUSED_TOO_MUCH
