"""Run by test_ledger_micropython.py on real MicroPython: behaviour, heap and speed of the records, one line each."""

import gc
import time

import micropython
import power_cut_rig
from ledger_rig import OTHER, TREATMENT, Device, chain_faults, shot
from sit_firmware import codes, image
from sit_firmware.events import Events
from sit_firmware.recorder import Recorder, keep, new_log
from store_fakes import MemoryStore


class Inputs:
    """What Events wants of the firmware."""

    inputs = image.new()[1]


def power_cuts():
    made = power_cut_rig.every_cut((0, 1, 31, 60, 63, 64))
    print("power cuts", made)


def heap():
    """1000 records, events and a recording leave the heap as it was."""
    store = MemoryStore(records=64)
    ledger = Device(store).ledger
    ledger.totals(TREATMENT)
    events = Events(Inputs)

    def run(count):
        for i in range(count):
            if ledger.room() < 8:
                ledger.release(ledger.head)
            ledger.append(codes.RECORD_PURGE, unix_s=1800000000 + i, steps=10)
            events.push(codes.EVENT_STATE, i, -i, 0)
            ledger.window_max_nl(1800000000 + i, 600)
        gc.collect()
        return gc.mem_free()

    run(100)
    before = run(100)
    after = run(1000)
    print("heap grew by", before - after)


def points():
    """The points of a treatment, kept so that none is given twice, leave the heap as it was too."""
    ledger = Device(MemoryStore(records=64)).ledger
    free = [0, 0]
    for point in range(300):
        if ledger.room() < 12:
            ledger.release(ledger.head)
        shot(ledger, point)
        if point in (4, 299):
            gc.collect()
            free[point > 4] = gc.mem_free()
    print("points took", free[0] - free[1])


def tick():
    """The recorder's tick allocates nothing."""
    state, inputs, outputs, _ = image.new()
    recorder = Recorder(250, new_log())
    log = recorder.log
    recorder.begin(1)
    state[image.ST_PHASE] = codes.PHASE_INSERT
    keep(state, inputs, outputs, log)
    micropython.heap_lock()
    i = 0
    while i < 2000:
        inputs[image.IN_TICK] = i
        state[image.ST_FAULT] = 32
        keep(state, inputs, outputs, log)
        i += 1
    micropython.heap_unlock()
    print("tick images", recorder.log[2], "lost", recorder.log[3])


def full_ring():
    """A boot with a full ring of 4080 records."""
    store = MemoryStore(records=4080)
    ledger = Device(store).ledger
    for point in range(2040):
        shot(ledger, point, treatment=TREATMENT if point < 1020 else OTHER) if ledger.room() > 8 else None
    gc.collect()
    start = time.ticks_us()
    again = Device(store).ledger
    took_us = time.ticks_diff(time.ticks_us(), start)
    start = time.ticks_us()
    low, high = again.totals(TREATMENT)
    first_us = time.ticks_diff(time.ticks_us(), start)
    print("full ring", again.head - again.tail, "boot_us", took_us, "first_totals_us", first_us, low, high)
    print("chain faults", chain_faults(again))


power_cuts()
heap()
points()
tick()
full_ring()
