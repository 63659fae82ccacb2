"""Feeds a link on MicroPython noise and shaken frames for a while; prints calls, counters and how much the heap grew.

run_noise.py VECTORS.json ROUNDS. Nothing may raise; calls are checked against the frames that were sent whole.
"""

import gc
import json
import sys

import wirekit

SEED = 20260101


class Noise:
    """A small generator, the same numbers on every port (Park and Miller's, in 31 bits)."""

    def __init__(self, seed):
        self._x = seed

    def below(self, n):
        self._x = self._x * 48271 % 0x7FFFFFFF
        return self._x % n


class Counting:
    """A handler that keeps nothing, so that the heap shows the link's own growth."""

    def __init__(self):
        self.calls = 0

    def handle(self, request, refusal, reply):
        self.calls += 1
        return 14


def main(path, rounds):
    with open(path) as file:
        frames = [wirekit.unhex(v["wire"]) for v in json.load(file)["frames"]]
    noise = Noise(SEED)
    stream = wirekit.Stream()
    desk = Counting()
    link = wirekit.Link(stream, desk.handle)
    free = 0
    for i in range(rounds):
        data = bytearray(frames[noise.below(len(frames))])
        if noise.below(2):
            for _ in range(noise.below(4)):
                data[noise.below(len(data))] = noise.below(256)
            cut = noise.below(len(data))
            stream.inbox.extend(data[: cut * noise.below(2)])
            stream.inbox.extend(bytes(noise.below(256) for _ in range(noise.below(400))))
            data = data[cut:]
        stream.inbox.extend(data)
        stream.room = noise.below(600)
        for _ in range(4):
            link.poll()
        if noise.below(3):
            link.push(0x61, data[: noise.below(60)])
        stream.inbox = bytearray()
        stream.outbox = bytearray()
        if i == rounds // 5 or i == rounds - 1:
            data = None
            gc.collect()
            if i == rounds - 1:
                free -= gc.mem_free()
            else:
                free = gc.mem_free()
    print("calls", desk.calls, "frames", link.frames, "bad", link.bad_frames, "long", link.long_frames)
    print("grown", free)


main(sys.argv[1], int(sys.argv[2]))
