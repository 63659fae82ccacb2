"""`sit log verify`, `export` and `list --save` as a person uses them: good, damaged, wrapped and saved ledgers."""

import csv
import json
import struct
from binascii import crc32

import pytest
import storekit
from sit_firmware import codes
from sit_firmware.store.layout import RECORD_BYTES, RING_ADDR
from sit_host import cli
from sit_host.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE

RECORDS = 4080  # of a full-size store, docs/ledger.md
TREATMENT = b"TREAT-01"


@pytest.fixture
def sit(target_spec, seed, tmp_path, capsys):
    """Runs `sit log` on one device, whose store lasts: exit code, JSON, notes."""

    def run(*words):
        options = ["--target", target_spec, "--seed", str(seed), "--state", str(tmp_path / "state"), "--json", "--yes"]
        code = cli.run(["log", *map(str, words), *options])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else None, out.err

    return run


def some_shots(ledger):
    """A load, three shots, a fault and its end; with the BOOT at each start there is something to read."""
    ledger.append(codes.RECORD_LOAD, treatment=TREATMENT, point=3, asked_nl=15000, unix_s=1_800_000_000)
    for point in (1, 2, 3):
        what = dict(treatment=TREATMENT, point=point, attempt=1, site=1, depth_um=1200, asked_nl=5000)
        ref = ledger.append(codes.RECORD_INTENT, cap_steps=1100, unix_s=1_800_000_000 + point, **what)
        ends = dict(steps=921, tissue_min_nl=4900, tissue_max_nl=5100, needle_nl=5000, ref=ref)
        ledger.append(codes.RECORD_DONE, unix_s=1_800_000_000 + point, **what, **ends)
    ledger.append(codes.RECORD_FAULT, cause=codes.FAULT_ESTOP)
    ledger.append(codes.RECORD_CLEAR, cause=codes.FAULT_ESTOP)


def damage(folder, seq, forged=False):
    """Changes one byte of a record in the store; forged: its CRC fits again."""
    path = folder / "state" / "store.bin"
    data = bytearray(path.read_bytes())
    at = RING_ADDR + seq % RECORDS * RECORD_BYTES
    data[at + 30] ^= 1
    if forged:
        struct.pack_into("<I", data, at + 60, crc32(data[at : at + 60]))
    path.write_bytes(data)


def test_a_good_ledger_is_proved_and_written_out(sit, tmp_path):
    """Invariant 4: verify proves every record; export writes what a person and a program can read; nothing is lost."""
    storekit.make_store(tmp_path / "state", some_shots)
    code, found, _ = sit("verify")
    assert code == EXIT_OK and (found["first"], found["broken"]) == (1, [])
    code, found, _ = sit("export", tmp_path / "ledger.csv")
    assert code == EXIT_OK
    with open(tmp_path / "ledger.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["records"]
    done = [row for row in rows if row["kind"] == "DONE"]
    assert [row["point"] for row in done] == ["1", "2", "3"]
    assert done[0]["time"] == "2027-01-15T08:00:01Z" and done[0]["treatment"] == TREATMENT.hex()
    assert done[0]["what"].startswith("4.90 to 5.10 uL into tissue")
    assert [row["cause"] for row in rows if row["kind"] == "FAULT"] == ["ESTOP"]
    assert sit("export", tmp_path / "ledger.jsonl")[0] == EXIT_OK
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(len(bytes.fromhex(line["raw"])) == RECORD_BYTES for line in lines)
    code, _, notes = sit("export", tmp_path / "ledger.csv")
    assert code == EXIT_FAILED and "is there already" in notes
    assert sit("export", tmp_path / "ledger.pdf")[0] == EXIT_USAGE


def test_the_first_broken_record_is_named(sit, tmp_path):
    """Invariant 4: verify and export name the first broken record and what is wrong, and what is good before it."""
    storekit.make_store(tmp_path / "state", some_shots)
    damage(tmp_path, 6)
    code, found, notes = sit("verify")
    assert code == EXIT_FAILED
    assert found["broken"][0] == {"seq": 6, "why": "it is damaged: its CRC doesn't fit"}
    assert "Record 6 is broken" in notes and "Records 1 to 5 are good" in notes
    code, _, notes = sit("export", tmp_path / "ledger.csv")
    assert code == EXIT_FAILED and "Record 6 is broken" in notes
    with open(tmp_path / "ledger.csv", encoding="utf-8", newline="") as file:
        broken = {row["seq"]: row["broken"] for row in csv.DictReader(file)}
    assert broken["5"] == "" and "CRC" in broken["6"] and "can't be proved" in broken["7"] and broken["8"] == ""


def test_a_record_that_was_replaced_is_named(sit, tmp_path):
    """Invariant 4: a record with another content and a fitting CRC breaks the chain, and is named."""
    storekit.make_store(tmp_path / "state", some_shots)
    damage(tmp_path, 6, forged=True)
    code, found, _ = sit("verify")
    assert code == EXIT_FAILED
    assert found["broken"][0] == {"seq": 6, "why": "it doesn't follow from record 5: one of the two was changed"}


def test_damage_keeps_from_arming_until_somebody_passes_over_it(sit, tmp_path):
    """Invariant 4: saving alone frees nothing of a damaged ledger; an explicit word passes over it, then it works."""
    storekit.make_store(tmp_path / "state", some_shots)
    damage(tmp_path, 6)
    folder = tmp_path / "saved"
    code, found, notes = sit("list", "--save", folder)
    assert code == EXIT_FAILED and not found["released"] and "--over-damage" in notes
    assert sit("list", "--over-damage")[0] == EXIT_USAGE
    code, found, _ = sit("list", "--save", folder, "--over-damage")
    assert code == EXIT_OK and found["released"]
    code, found, _ = sit("list")
    assert code == EXIT_FAILED, "the damage stays to be seen"
    (saved,) = [path for path in folder.iterdir() if path.stat().st_size == RECORD_BYTES * len(found["records"]) - 128]
    code, found, _ = sit("verify", saved)
    assert code == EXIT_FAILED and found["broken"][0]["seq"] == 6


@pytest.mark.targets("sim:", reason="the host alone is looked at; a full ring takes a while to read")
def test_a_ring_that_went_round_is_proved_from_its_oldest_record(sit, tmp_path):
    """Invariant 4: of a wrapped ring what is kept is proved; saved copies of before are put together with it."""

    def fill(ledger):
        while ledger.head <= RECORDS + 50:
            if not ledger.room() > 9:
                assert ledger.release(ledger.head) == 0
            ledger.append(codes.RECORD_BOOT)

    storekit.make_store(tmp_path / "state", fill)
    code, found, _ = sit("verify")
    assert code == EXIT_OK and found["first"] > 50 and found["records"] == RECORDS
