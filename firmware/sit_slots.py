"""Two places for the firmware on a board, and which of them starts. Lies beside main.py, outside both.

    slot_a/, slot_b/    a whole firmware each, with manifest.json: every file's size and SHA-256
    sit_slots.json      active: the slot that starts; confirmed: 1 once a host has found it healthy; tries: starts until
                        then; before: the confirmed slot to fall back to, "" for none
    sit_slots.stay      the next start ends at the prompt, once

`sit flash` writes the slot that isn't active, then renames a new sit_slots.json into place: the one moment at which the
firmware changes. A slot whose files aren't what its manifest says never starts; one that isn't confirmed starts
MOST_TRIES times at most. Then the slot before starts again. Called by boot.py and main.py alone, with everything off:
files may be written. Without sit_slots.json a firmware that lies beside main.py starts as it is.
"""

import hashlib
import json
import os
import sys
from binascii import hexlify

STATE = "sit_slots.json"
STAY = "sit_slots.stay"
MANIFEST = "manifest.json"
PACKAGE = "sit_firmware"
MOST_TRIES = 3
_CHUNK = 1024

on_trial = False  # set by ready(): the firmware that starts isn't confirmed


def enter():
    """Puts the active slot before everything else where modules are looked for."""
    state = read()
    if state:
        sys.path.insert(0, state["active"])


def ready():
    """True when the firmware may start; a board whose other slot is to start instead resets and doesn't return."""
    global on_trial
    on_trial = False
    if _taken(STAY):
        print("OpenSIT: waiting for new firmware; the next start is an ordinary one")
        return False
    state = read()
    if state is None:
        return _there(PACKAGE)
    fault = damage(state["active"])
    if not fault and not state["confirmed"] and state["tries"] >= MOST_TRIES:
        fault = "it didn't prove healthy in " + str(MOST_TRIES) + " starts"
    if fault:
        print("OpenSIT: " + state["active"] + " doesn't start: " + fault)
        fall_back(state)
        return False
    if not state["confirmed"]:
        state["tries"] += 1
        write(state)
        on_trial = True
    return True


def failed():
    """The firmware has ended by an exception: one that isn't confirmed is tried again, until it is given up.

    Nothing is read here: it may have ended because the heap is full.
    """
    if on_trial:
        reset()


def stay():
    """Resets into the prompt, once."""
    with open(STAY, "w") as file:
        file.write("1")
    reset()


def fall_back(state):
    """Starts the slot before, if it is whole; otherwise the board stays at the prompt with everything off."""
    before = state["before"]
    if not before or damage(before):
        print("OpenSIT: there is no other firmware; put one on the board with `sit flash`")
        return
    write({"active": before, "confirmed": 1, "tries": 0, "before": ""})
    reset()


def damage(slot):
    """What is wrong with a slot in a few words, "" when every file is what its manifest says."""
    try:
        with open(slot + "/" + MANIFEST) as file:
            manifest = json.load(file)
        if manifest["platform"] != sys.platform:
            return "it is for " + manifest["platform"]
        for name, (size, digest) in manifest["files"].items():
            if _digest(slot + "/" + name, size) != digest:
                return name + " is damaged"
    except (OSError, ValueError, KeyError, TypeError, MemoryError):
        return "it isn't whole"
    return ""


def read():
    """The state; None when there is none, or none that can be understood."""
    try:
        with open(STATE) as file:
            state = json.load(file)
        slots = state["active"], state["before"]
        numbers = state["confirmed"], state["tries"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    good = all(isinstance(slot, str) for slot in slots) and all(isinstance(number, int) for number in numbers)
    return state if good and slots[0] else None


def write(state):
    """A whole new file takes the old one's place, so that a power cut leaves one of the two."""
    with open(STATE + ".new", "w") as file:
        json.dump(state, file)
    os.rename(STATE + ".new", STATE)


def reset():
    """Starts the board anew."""
    import machine

    machine.reset()


def _digest(name, size):
    """SHA-256 of a file in hexadecimal; "" when its size is another. To ask for the size takes longer than to read."""
    digest = hashlib.sha256()
    chunk = memoryview(bytearray(_CHUNK))
    with open(name, "rb") as file:
        while True:
            n = file.readinto(chunk)
            if not n:
                return "" if size else hexlify(digest.digest()).decode()
            size -= n
            digest.update(chunk[:n])


def _there(name):
    try:
        os.stat(name)
    except OSError:
        return False
    return True


def _taken(name):
    """True when the file was there; it isn't any more."""
    try:
        os.remove(name)
    except OSError:
        return False
    return True
