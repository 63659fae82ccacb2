"""PIO programs of the RP2040: needle decoder and comb reader in block 0, step generator and step counter in block 1.

Each result goes to RAM by DMA (rp2_capture.py), so that the tick reads memory and never waits for a FIFO.
"""

# ruff: noqa: F821 -- the assembler's words are names that the decorator brings in
# mypy: disable-error-code="name-defined,call-overload"

from array import array

import rp2
from rp2 import PIO

NEEDLE_HZ = 12500000
STEP_HZ = 1000000
ROUND = 15  # entry of the decoder: address in the program of block 0
COMB_LOW = 27  # entry of the comb reader when the comb is low
COMB_HIGH = 29  # and when it is high


# Block 0 holds this one program of 32 instructions, so that it lies at address 0, where its jump table must be.
#
# Needle decoder (state machine 0). OSR: B and A as they were; Y: the count. A round shifts the two old levels and the
# two new ones into ISR and jumps there: 16 cases of one instruction, 5 cycles when nothing has changed. A count takes
# 4 + 1 + 4 = 9 cycles down and 4 + 1 + 7 = 12 up: 0.96 us at 12.5 MHz, so 1.04 m/s at 1 um. The spring brings the
# needle home at 0.6 m/s. Only counts are pushed, so the DMA's 2^32 transfers are 4 km of needle travel.
#
# Comb reader (state machine 1), from COMB_LOW: pushes a word at each edge, within 2 cycles = 0.16 us. The word means
# nothing: it asks the DMA to store the count of that moment.
@rp2.asm_pio(in_shiftdir=PIO.SHIFT_LEFT, out_shiftdir=PIO.SHIFT_RIGHT)
def needle():
    """The 16 cases of old BA, new BA; a round; the counting; the comb reader."""
    jmp("round")  # 00 00
    jmp("plus")  # 00 01: A leads B into the skin
    jmp("minus")  # 00 10
    jmp("round")  # 00 11: two counts at once, no way to tell which way
    jmp("minus")  # 01 00
    jmp("round")  # 01 01
    jmp("round")  # 01 10
    jmp("plus")  # 01 11
    jmp("plus")  # 10 00
    jmp("round")  # 10 01
    jmp("round")  # 10 10
    jmp("minus")  # 10 11
    jmp("round")  # 11 00
    jmp("minus")  # 11 01
    jmp("plus")  # 11 10
    label("round")  # 11 11 is the round itself
    out(isr, 2)
    in_(pins, 2)
    mov(osr, isr)
    mov(pc, isr)
    label("plus")
    mov(y, invert(y))
    jmp(y_dec, "up")
    label("up")
    mov(y, invert(y))
    jmp("tell")
    label("minus")
    jmp(y_dec, "tell")
    label("tell")
    mov(isr, y)
    push(noblock)
    jmp("round")
    label("comb")
    wait(1, pin, 0)
    push(noblock)
    wait(0, pin, 0)
    push(noblock)
    jmp("comb")


# Block 1, state machine 0. A word is a chunk: bit 0 direction, bits 1-7 steps less one, bits 8-23 wait. It makes
# exactly that many steps and stops: without another word nothing moves. 1 us a cycle: 7 before the first step, then
# 3 high + 1 + 1 + (wait + 1) + 1 = wait + 7 a step. DIR stands 5 us before STEP rises.
@rp2.asm_pio(set_init=PIO.OUT_LOW, out_init=PIO.OUT_LOW, out_shiftdir=PIO.SHIFT_RIGHT)
def steps():
    """One chunk of steps for each word."""
    wrap_target()
    pull(block)
    out(pins, 1)[3]
    out(x, 7)
    out(isr, 16)
    label("step")
    set(pins, 1)[2]
    set(pins, 0)
    mov(y, isr)
    label("hold")
    jmp(y_dec, "hold")
    jmp(x_dec, "step")
    wrap()


# Block 1, state machine 1. Counts the rising edges that stand on the STEP pin itself, by the level on DIR: what left
# the chip, not what was asked for. At most 8 cycles = 8 us an edge; a step takes at least 19 us.
@rp2.asm_pio()
def counted():
    """Y: steps, forward positive."""
    wrap_target()
    wait(0, pin, 0)
    wait(1, pin, 0)
    jmp(pin, "forward")
    jmp(y_dec, "tell")
    jmp("tell")
    label("forward")
    mov(y, invert(y))
    jmp(y_dec, "up")
    label("up")
    mov(y, invert(y))
    label("tell")
    mov(isr, y)
    push(noblock)
    wrap()


MOST_STEPS = 12  # step: the largest chunk that fits a tick
_CHUNK_CYCLES = 233  # for the steps of a chunk: it ends 10 us before the tick does
_STEP_CYCLES = 7  # of a step without its wait


def wait_table():
    """array('i'): the wait of a step in a chunk of 1 to MOST_STEPS, so that its steps spread over the tick."""
    return array("i", [0] + [_CHUNK_CYCLES // n - _STEP_CYCLES for n in range(1, MOST_STEPS + 1)])
