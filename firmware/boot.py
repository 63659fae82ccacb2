"""Runs first on a board and does nothing: what a board needs before the firmware is the board module's business.

The file is here so that an older one left on the device doesn't run, and so that a broken one can't lock anybody out:
the way back to the REPL stays as MicroPython has it until main.py serves.
"""
