"""Frames per second through the host's codec and the device's, beside the bare COBS package on the same bytes."""

from random import Random
from time import perf_counter

from cobs import cobs
from rich.table import Table
from sit_firmware.link import Link
from sit_host.codec import Decoder, encode_frame

_FRAMES = 4000
_CHUNK = 256


class _Stream:
    """The device's side of a link, fed from one byte string, its replies thrown away."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.left = len(data)

    def readinto(self, buf) -> int:
        count = min(len(buf), self.left)
        start = len(self._data) - self.left
        buf[:count] = self._data[start : start + count]
        self.left -= count
        return count

    def write(self, buf) -> int:
        return len(buf)


def _rate(work) -> float:
    start = perf_counter()
    work()
    return _FRAMES / (perf_counter() - start)


def run() -> Table:
    """Measure encode and decode over frames of 0 to 224 payload bytes, seeded."""
    random = Random(1)
    payloads = [random.randbytes(random.choice((0, 8, 64, 200, 224))) for _ in range(_FRAMES)]
    bodies = [random.randbytes(20) + payload for payload in payloads]
    frames = [encode_frame(i & 0xFFFF, 2, payload, session=1) for i, payload in enumerate(payloads)]
    stream = b"".join(frames)
    packed = [cobs.encode(body) for body in bodies]

    def host_decode() -> None:
        decoder = Decoder()
        for at in range(0, len(stream), _CHUNK):
            decoder.feed(stream[at : at + _CHUNK])

    def device_decode() -> None:
        source = _Stream(stream)
        link = Link(source, lambda request, refusal, reply: 0)
        while source.left:
            link.poll()

    base_encode = _rate(lambda: [cobs.encode(body) for body in bodies])
    base_decode = _rate(lambda: [cobs.decode(data) for data in packed])
    host_encode = _rate(lambda: [encode_frame(i & 0xFFFF, 2, p, session=1) for i, p in enumerate(payloads)])
    table = Table("codec", "frames/s", "bytes/s", "beside bare COBS")
    size = len(stream) / _FRAMES
    for name, rate, base in (
        ("cobs.encode", base_encode, base_encode),
        ("cobs.decode", base_decode, base_decode),
        ("host: header, CRC, COBS, encode", host_encode, base_encode),
        ("host: COBS, CRC, header, decode", _rate(host_decode), base_decode),
        ("device's link under CPython: decode and answer", _rate(device_decode), base_decode),
    ):
        table.add_row(name, f"{rate:,.0f}", f"{rate * size:,.0f}", f"{rate / base:.3f}")
    return table
