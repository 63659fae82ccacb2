"""The pipe between the simulator and a firmware process: one frame each way per tick, little-endian words.

To the firmware: TO_WORDS int32: [op | flags << 8 | rx length << 16, free, inputs...], then the received bytes.
From the firmware: FROM_WORDS int32: [op | flags << 8 | rx room << 16, tx length | phase << 16, idle_until,
outputs...], then the sent bytes, then the state when it was asked for. A store request has the same head with
address and length in words 1 and 2; its answer is two words, [errno or 0, length], then the bytes read.
This file is imported by the firmware process too: constants only.
"""

OP_TICK = 0x54
OP_QUIT = 0x51
OP_HEAP = 0x48
OP_BOOTED = 0x42
OP_READ = 0x52
OP_WRITE = 0x57

FLAG_POLL = 1  # to the firmware: the background runs in this tick
FLAG_FAIL_READ = 2  # board.read raises in this tick
FLAG_STATE = 4  # send the state array back
FLAG_TX_BLOCKED = 8  # the host doesn't read: link.write takes nothing
FLAG_FED = 1  # from the firmware: the watchdog was fed

TO_HEAD = 2
FROM_HEAD = 3
