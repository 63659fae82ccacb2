"""The two functions of the RP2040 board that run in each tick: inputs from the chip's registers, outputs into them.

Interrupt context: no allocation, no object but the arrays. Written in viper in the source already: a register can't be
read as a Python integer without allocating one. The build puts numbers in place of `image.NAME` and `pins.NAME`.
`rp2040.py` sets up what is used here, and fills WORK. Register numbers count words: RP2040 datasheet, chapter 2 and 4.
"""

# ruff: noqa: F821 -- ptr32 is a word of the viper compiler
# mypy: disable-error-code="name-defined"

from array import array

import micropython

from sit_firmware import image
from sit_firmware.boards import pins_rpi_pico as pins
from sit_firmware.boards.rp2_pio import wait_table
from sit_firmware.boards.signals import light_table, tone_table

# registers by number of words from their block's base, which stands in WORK
_SIO_IN = 1
_SIO_SET = 5
_SIO_CLR = 6
_ADC_START = 5  # of CS: enable, start one
_ADC_CHANNEL = 12  # shift of AINSEL
_ADC_READY = 0x100
_SPI_DATA = 2
_SPI_STATUS = 3
_SPI_RECEIVED = 4
_PIO_LEVEL = 3
_PIO_TX0 = 4

_HALF_PERIOD = 2048  # of the coil's PWM: no voltage
_MOST_STEPS = 12  # as rp2_pio.MOST_STEPS
_PANEL_TICKS = 16  # lights and tones are looked up this often, a power of two
_RING_MASK = 15  # rp2_capture.RING - 1
_WAITS = 200  # looks at a flag that comes within 2 us, then on without it
_BAD_FRAMES = 3  # frames in a row that a chain may spoil before it counts as a driver fault
_TONE_SLOT_TICKS = 320  # as signals.TONE_SLOT_TICKS
_TICK_MASK = 0x3FFFFFFF

# slots of WORK: addresses, set up by rp2040.py
W_ADC = 0  # of the converter's CS
W_SIO = 1
W_SPI = 2  # of the panel chain's block
W_CLOCK = 3  # of the microsecond clock's low word
W_COIL = 4  # of the compare register of the coil's PWM
W_PIO = 5  # of the block with the step generator
W_NEEDLE = 6  # of the needle count
W_STEPS = 7  # of the step count
W_RING = 8  # of the ring of captures
W_RING_AT = 9  # of the register that holds where the next capture goes
W_LIGHTS = 10  # of the tables below
W_TONES = 11
W_WAITS = 12
# the tick's own
W_TICK = 13  # tick: number of this tick
W_LAST_US = 14  # us: clock at the last tick
W_RING_INDEX = 15  # the next capture's place when last looked at
W_COMB_N = 16  # count: comb edges
W_SELECT = 17  # 0/1: what the shared channel is switched to: contact force or supply
W_ECHO = 18  # 0/1: echo bit of the last frame
W_PANEL = 19  # lights and buzzer of the next frame
W_CHAIN = 20  # last good frame
W_BAD = 21  # count: bad frames in a row
W_TONE = 22  # tone that plays
W_TONE_TICK = 23  # tick within its slot
W_TONE_SLOT = 24
W_DRIVEN = 25  # 0/1: the last outputs asked for drive or steps
WORK = array("i", [0] * 26)
LIGHTS = light_table()
TONES = tone_table()
WAITS = wait_table()


@micropython.viper
def read(inputs: ptr32):
    """Fill the input image, always the same array.

    The converter takes 2 us a channel, so a tick has one or two: before a control step force and pressure of the
    plunger, in the tick between contact force or supply.
    """
    w = ptr32(WORK)
    adc = ptr32(w[W_ADC])
    sio = ptr32(w[W_SIO])
    spi = ptr32(w[W_SPI])
    tick = (w[W_TICK] + 1) & _TICK_MASK
    w[W_TICK] = tick
    first = pins.ADC_LOAD << _ADC_CHANNEL
    if tick & 1:
        first = pins.ADC_SHARED << _ADC_CHANNEL
    adc[0] = _ADC_START | first
    sio[_SIO_CLR] = 1 << pins.TOKEN  # a token is a pulse: the next one must rise again
    select = w[W_SELECT]
    echo = w[W_ECHO]
    # the fixed bits stand, and the echo of the frame before comes back through outputs and inputs
    alive = (1 << pins.CHAIN_HIGH) | (echo << pins.CHAIN_ECHO)
    echo ^= 1
    w[W_ECHO] = echo
    spi[_SPI_DATA] = w[W_PANEL] | (select << pins.PANEL_ADC_SELECT) | (echo << pins.PANEL_ECHO)
    inputs[image.IN_TICK] = tick
    clock = ptr32(w[W_CLOCK])
    now_us = clock[0] & _TICK_MASK
    inputs[image.IN_PERIOD_US] = (now_us - w[W_LAST_US]) & _TICK_MASK
    w[W_LAST_US] = now_us
    count = ptr32(w[W_NEEDLE])
    ring_at = ptr32(w[W_RING_AT])
    inputs[image.IN_ENC_UM] = count[0]
    index = ((ring_at[0] - w[W_RING]) >> 2) & _RING_MASK
    edges = (index - w[W_RING_INDEX]) & _RING_MASK
    if edges:
        w[W_RING_INDEX] = index
        w[W_COMB_N] = (w[W_COMB_N] + edges) & _TICK_MASK
        inputs[image.IN_COMB_N] = w[W_COMB_N]
        ring = ptr32(w[W_RING])
        inputs[image.IN_COMB_ENC_UM] = ring[(index - 1) & _RING_MASK]
    count = ptr32(w[W_STEPS])
    inputs[image.IN_STEPS] = count[0]
    levels = sio[_SIO_IN] ^ pins.INVERT
    inputs[image.IN_FLAG] = (levels >> pins.FLAG) & 1
    inputs[image.IN_TRIGGER] = (levels >> pins.TRIGGER) & 1
    inputs[image.IN_ESTOP] = (levels >> pins.ESTOP) & 1
    inputs[image.IN_PAIR] = (levels >> pins.PAIR) & 1
    waits = _WAITS
    while not adc[0] & _ADC_READY and waits:
        waits -= 1
    raw = adc[1]
    broken = 0
    if raw < pins.RAIL_LOW or raw > pins.RAIL_HIGH:
        broken = 1
    if tick & 1:
        if select:
            inputs[image.IN_SUPPLY_MV] = pins.SUPPLY_ZERO + ((raw * pins.SUPPLY_SPAN_16TH) >> 8)
            if broken:
                inputs[image.IN_SUPPLY_MV] = pins.SUPPLY_BROKEN
        else:
            inputs[image.IN_CONTACT_MN] = pins.CONTACT_ZERO + ((raw * pins.CONTACT_SPAN_16TH) >> 8)
            if broken:
                inputs[image.IN_CONTACT_MN] = pins.CONTACT_BROKEN
        # the next frame switches the channel, two ticks before its next sample
        w[W_SELECT] = select ^ 1
    else:
        adc[0] = _ADC_START | (pins.ADC_PRESSURE << _ADC_CHANNEL)
        inputs[image.IN_LOAD_MN] = pins.LOAD_ZERO + ((raw * pins.LOAD_SPAN_16TH) >> 8)
        if broken:
            inputs[image.IN_LOAD_MN] = pins.LOAD_BROKEN
    while not spi[_SPI_STATUS] & _SPI_RECEIVED and waits:
        waits -= 1
    frame = spi[_SPI_DATA] ^ pins.CHAIN_INVERT
    if frame & ((1 << pins.CHAIN_HIGH) | (1 << pins.CHAIN_LOW) | (1 << pins.CHAIN_ECHO)) == alive:
        w[W_CHAIN] = frame
        w[W_BAD] = 0
    else:
        w[W_BAD] += 1
        frame = w[W_CHAIN]
    inputs[image.IN_CONTACT] = (frame >> pins.CHAIN_CONTACT) & 1
    inputs[image.IN_GATE] = (frame >> pins.CHAIN_GATE) & 1
    inputs[image.IN_CARTRIDGE] = (frame >> pins.CHAIN_CARTRIDGE) & 1
    inputs[image.IN_JUMPER] = (frame >> pins.CHAIN_JUMPER) & 1
    inputs[image.IN_BRIDGE_ON] = (frame >> pins.CHAIN_BRIDGE_ON) & 1
    inputs[image.IN_SWITCH_ON] = (frame >> pins.CHAIN_SWITCH_ON) & 1
    fault = ((frame >> pins.CHAIN_BRIDGE_FAULT) | (frame >> pins.CHAIN_STEPPER_FAULT)) & 1
    if w[W_BAD] >= _BAD_FRAMES:
        fault = 1
    if not tick & 1:
        while not adc[0] & _ADC_READY and waits:
            waits -= 1
        raw = adc[1]
        inputs[image.IN_PRESS_PA] = pins.PRESSURE_ZERO + ((raw * pins.PRESSURE_SPAN_16TH) >> 8)
        if raw < pins.RAIL_LOW or raw > pins.RAIL_HIGH:
            inputs[image.IN_PRESS_PA] = pins.PRESSURE_BROKEN
    if not waits:
        fault = 1  # a converter or a bus that doesn't answer: what was read is worth nothing
    inputs[image.IN_DRIVER_FAULT] = fault


@micropython.viper
def write(outputs: ptr32):
    """Apply the output image: what is let go first, then the coil's voltage, then what is held."""
    w = ptr32(WORK)
    sio = ptr32(w[W_SIO])
    coil = ptr32(w[W_COIL])
    hold = 0
    duty = outputs[image.OUT_DUTY]
    if outputs[image.OUT_BRIDGE]:
        hold = 1 << pins.BRIDGE
    else:
        duty = 0
    if outputs[image.OUT_SWITCH]:
        hold |= 1 << pins.SWITCH
    sio[_SIO_CLR] = ((1 << pins.BRIDGE) | (1 << pins.SWITCH)) ^ hold
    if duty > 4096:
        duty = 4096
    elif duty < -4096:
        duty = -4096
    coil[0] = _HALF_PERIOD + (duty >> 1)
    driven = hold
    if outputs[image.OUT_TOKEN]:
        hold |= 1 << pins.TOKEN
    sio[_SIO_SET] = hold
    chunk = outputs[image.OUT_STEPS]
    if chunk:
        driven = 1
        way = 1
        if chunk < 0:
            chunk = 0 - chunk
            way = 0
        pio = ptr32(w[W_PIO])
        # never a second chunk behind one that hasn't begun, never more than fits a tick: the guard sees what is owed
        if chunk <= _MOST_STEPS and not pio[_PIO_LEVEL] & 15:
            waits = ptr32(w[W_WAITS])
            pio[_PIO_TX0] = way | ((chunk - 1) << 1) | (waits[chunk] << 8)
    w[W_DRIVEN] = driven
    tick = w[W_TICK]
    if not tick & (_PANEL_TICKS - 1):
        lights = ptr32(w[W_LIGHTS])
        code = (outputs[image.OUT_LIGHT] & 15) << 1
        panel = 0
        if (lights[code + 1] >> ((tick >> 8) & 31)) & 1:
            panel = lights[code]
        tone = outputs[image.OUT_TONE] & 7
        if tone != w[W_TONE]:
            w[W_TONE] = tone
            w[W_TONE_TICK] = 0
            w[W_TONE_SLOT] = 0
        slot = w[W_TONE_SLOT]
        if slot < 32:
            tones = ptr32(w[W_TONES])
            if (tones[tone] >> slot) & 1:
                panel |= 1 << pins.PANEL_BUZZER
            w[W_TONE_TICK] += _PANEL_TICKS
            if w[W_TONE_TICK] >= _TONE_SLOT_TICKS:
                w[W_TONE_TICK] = 0
                w[W_TONE_SLOT] = slot + 1
        w[W_PANEL] = panel
