"""Firmware onto boards: into the slot that isn't running, each file read back, one rename to switch, back if it's ill.

port      the way to one board, its prompt and its firmware in turn
repl      the board at MicroPython's prompt, over mpremote's protocol
slots     what the board's sit_slots.json says, and what follows from it
install   check, write, switch, confirm, roll back
health    a running firmware: is it the one that was written, and well?
find      ports, boards in their boot loader
base      MicroPython itself onto an empty board
"""
