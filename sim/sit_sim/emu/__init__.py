"""The emulated RP2040: unmodified MicroPython in the `rp2040py` emulator, driven synchronously in emulated time."""
