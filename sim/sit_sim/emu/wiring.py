"""The plant on the pins of an emulated Raspberry Pi Pico: what the wires, gates and chips around a real one would do.

A tick of the plant is a tick of emulated time. It begins with `begin`: the levels and voltages of the plant's inputs
are put on the pins. At LOOK_NS, when the firmware's outputs have reached them, what is on them goes to the plant, for
which they act from OUTPUT_DELAY_S on. Edges of encoder and comb come one by one at the needle's own speed: until
LOOK_NS on the way that it takes under the outputs in force, then on the way to where the plant has moved it. Steps are
counted edge by edge.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from sit_firmware import image

from sit_sim.clock import TICK_US
from sit_sim.emu import signals
from sit_sim.emu.fram_chip import FramChip
from sit_sim.emu.needle_wires import NeedleWires
from sit_sim.targets.fram import Fram

BOARD = "rpi_pico"
_TICK_NS = TICK_US * 1000
LOOK_NS = 95_000
"""Into a tick: outputs are looked at. The firmware samples at about 12 us, its slowest write is there at about 55."""
OUTPUT_DELAY_S = 100e-6
"""From when on the outputs act in the plant: the first of its substeps after LOOK_NS."""
_HIGH, _LOW = 1, 0  # GPIOPinState
_FUNCTION_PWM = 4
_FRAME_NS = 16 * 125  # 16 bits at 8 MHz
_FRAM_BYTE_NS = 8 * 50  # 8 bits at 20 MHz
_FULL_DUTY = 4096
_ADC_CHANNEL_0 = 26  # its GPIO


class Wiring:
    """All wires of one board. `outputs` is what was on the pins at the last look."""

    def __init__(self, mcu: Any, plant: Any, fram: Fram, on_cut: Callable[[], None]) -> None:
        self.plant = plant
        self.inputs = array("i", [0] * image.N_INPUTS)
        self.outputs = array("i", [0] * image.N_OUTPUTS)
        self.fram = FramChip(fram, on_cut)
        self.frames = 0
        """Frames of the panel chain since the beginning: one a tick of the firmware."""
        self.frame_ns = 0.0
        """Emulated time at which the last one began: a few us after the firmware has sampled the encoder."""
        self._mcu = mcu
        self._gpio = mcu.gpio
        self._pins = signals.pins(BOARD)
        self._chain_in = signals.chain_inputs()
        self._chain_out = signals.chain_outputs()
        self._sensors = signals.sensors()
        self._levels: dict[int, bool] = {}
        self._steps = 0
        self._token = 0
        self._panel = 0
        self._ahead = array("i", [0] * image.N_INPUTS)
        self._look = mcu.clock.create_alarm(self._take_outputs)
        self._frame_done = mcu.clock.create_alarm(self._end_frame)
        self._byte_done = mcu.clock.create_alarm(self._end_byte)
        self._frame = self._new_panel = self._byte = 0
        self._connect()

    def _connect(self) -> None:
        pins, mcu = self._pins, self._mcu
        self.listen("step", self._step_changed)
        self.listen("dir", lambda level: self._gpio[pins["dir"].number].set_input_value(level))
        self.listen("token", self._token_changed)
        self.listen("fram_cs", lambda level: self.fram.select(not level))
        mcu.spi[0].on_transmit = self._begin_byte
        mcu.spi[1].on_transmit = self._begin_frame
        self.plant.sample(self.inputs)
        self._needle = NeedleWires(mcu.clock, self._drive, self.inputs)
        self._put_levels()

    def listen(self, name: str, call: Callable[[bool], None]) -> None:
        """Call with each new level; a pin that isn't driven counts as low, a chip select as high."""
        idle = name == "fram_cs"
        pin = self._gpio[self._pins[name].number]
        pin.add_listener(lambda new, old: call(int(new) == _HIGH or (idle and int(new) != _LOW)))

    # --- a tick ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A tick of emulated time begins."""
        self._needle.finish()  # nothing is left but after a reset
        self.plant.sample(self.inputs)
        self._put_levels()
        if not self.plant.at_rest:
            self._go_on()
        self._look.schedule(LOOK_NS)

    def powerless_tick(self) -> None:
        """A tick without a chip: every output is off."""
        self.outputs[:] = array("i", [0] * image.N_OUTPUTS)
        self._steps = self._token = 0
        self.plant.advance(self.outputs)
        self.plant.sample(self.inputs)
        self._needle.go(self.inputs, 0)
        self._needle.finish()

    def power_lost(self) -> None:
        """The chip's peripherals let go; what was under way on the wires ends."""
        for alarm in (self._look, self._frame_done, self._byte_done):
            alarm.cancel()
        self.fram.power_lost()
        self._panel = 0

    def _go_on(self) -> None:
        """The needle goes on as it would under the outputs in force, until the new ones are looked at."""
        now = self.plant.snapshot()
        self.plant.advance(self.outputs)
        self.plant.sample(self._ahead)
        self.plant.restore(now)
        self._needle.go(self._ahead, _TICK_NS)

    def _take_outputs(self) -> None:
        out, pins = self.outputs, self._pins
        out[image.OUT_DUTY] = self._duty()
        out[image.OUT_BRIDGE] = self._is_high(pins["bridge"].number)
        out[image.OUT_SWITCH] = self._is_high(pins["switch"].number)
        out[image.OUT_TOKEN], self._token = self._token, 0
        out[image.OUT_STEPS], self._steps = self._steps, 0
        self.plant.advance(out)
        self.plant.sample(self.inputs)
        self._needle.go(self.inputs, _TICK_NS - LOOK_NS)

    def _is_high(self, number: int) -> int:
        return int(int(self._gpio[number].value) == _HIGH)

    def _duty(self) -> int:
        """-4096..4096 from the compare value in force; half is no voltage."""
        number = self._pins["coil"].number
        pin = self._gpio[number]
        if pin.function_select != _FUNCTION_PWM:
            return _FULL_DUTY if self._is_high(number) else -_FULL_DUTY
        channel = self._mcu.pwm.channels[number >> 1 & 7]
        compare = channel.alarm_b.target if number & 1 else channel.alarm_a.target
        period = channel.timer.top + 1
        return (2 * min(compare, period) - period) * _FULL_DUTY // period

    # --- levels and voltages -----------------------------------------------------------------------

    def _drive(self, name: str, level: bool) -> None:
        """Put a level on a pin; only a change is put there, since the emulator makes an edge of each call."""
        number = self._pins[name].number
        if self._levels.get(number) is not level:
            self._levels[number] = level
            self._gpio[number].set_input_value(level)

    def _put_levels(self) -> None:
        for name in ("flag", "trigger", "estop", "pair"):
            wire = self._pins[name]
            self._drive(name, wire.level(self.inputs[wire.slot]))
        self._put_voltages()

    def _put_voltages(self) -> None:
        shared = "supply" if self._panel >> self._chain_out["adc_select"] & 1 else "contact"
        values = self._mcu.adc.channel_values
        for name, sensor in (("load", "load"), ("pressure", "pressure"), ("shared", shared)):
            chosen = self._sensors[sensor]
            values[self._pins[name].number - _ADC_CHANNEL_0] = chosen.raw(self.inputs[chosen.slot])

    # --- steps and token ---------------------------------------------------------------------------

    def _step_changed(self, level: bool) -> None:
        # the emulator doesn't let an output be read back: the wire from the pin to the counter
        self._gpio[self._pins["step"].number].set_input_value(level)
        if level:
            self._steps += 1 if self._is_high(self._pins["dir"].number) else -1

    def _token_changed(self, level: bool) -> None:
        if level:
            self._token = 1

    # --- buses -------------------------------------------------------------------------------------

    def _begin_byte(self, value: int) -> None:
        self._byte = self.fram.transfer(value & 0xFF)
        self._byte_done.schedule(_FRAM_BYTE_NS)

    def _end_byte(self) -> None:
        self._mcu.spi[0].complete_transmit(self._byte)

    def _begin_frame(self, value: int) -> None:
        """The latch falls: the chain's inputs are frozen."""
        self.frame_ns = self._mcu.clock.nanos
        word = 1 << self._chain_in["high"].number
        if self._panel >> self._chain_out["echo"] & 1:
            word |= 1 << self._chain_in["echo"].number
        for wire in self._chain_in.values():
            if wire.slot >= 0 and wire.level(self.inputs[wire.slot]):
                word |= 1 << wire.number
        self._frame, self._new_panel = word, value
        self._frame_done.schedule(_FRAME_NS)

    def _end_frame(self) -> None:
        """The latch rises: the outputs change."""
        self._panel = self._new_panel
        self.frames += 1
        self._put_voltages()
        self._mcu.spi[1].complete_transmit(self._frame)

    @property
    def panel(self) -> int:
        """The chain's outputs: lights and buzzer."""
        return self._panel
