"""The control law: `step(state, inputs, outputs, params)`, run on every second tick before the guard.

Every function here takes the four arrays and nothing else, in the subset that runs in all forms (docs/architecture.md):
locals, `if`, `while`, integers, calls of other such functions. docs/control.md explains the law.
"""

from sit_firmware.control.law import step

__all__ = ("step",)
