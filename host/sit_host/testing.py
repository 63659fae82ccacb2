"""A scripted device for tests of programs that use the client. It knows no rule of the real one, only its script.

device = ScriptedDevice()
device.answer(Zero, Refusal.NOT_READY)
client = device.client()
assert isinstance(client.zero(), Refused)
"""

from __future__ import annotations

import contextlib
import heapq
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sit_host._gen import enums, messages
from sit_host.client import Client
from sit_host.codec import Decoder, Frame, encode_frame
from sit_host.errors import LinkLost
from sit_host.wire import Field, Message

M = TypeVar("M", bound=Message)

LATENCY_S = 0.001
_TICKS_PER_S = 4000
_UNIX_S = 1_800_000_000

Answer = Message | enums.Refusal | None | Callable[[Any], Any]
"""What a request is answered with: a reply, a refusal, silence (None), or a function of the request giving one."""


def make(kind: type[M], /, **values: Any) -> M:
    """Return a message whose fields are `values`, all others zero or empty."""
    fields = {field.name: values.pop(field.name, _nothing(field)) for field in kind.FIELDS}
    return kind(**fields, **values)


def header(**values: Any) -> messages.ReplyHeader:
    """Return a reply header: idle, everything ready, but for `values`."""
    return make(messages.ReplyHeader, **{"state": enums.State.IDLE, "ready": enums.READY_NEED, **values})


class ScriptedDevice:
    """A transport with a device behind it that follows a script. Time passes in `wait` only."""

    def __init__(self) -> None:
        """Answer HELLO with this host's schema, STATUS with an idle device, everything else with an empty reply."""
        self.name = "scripted:"
        self.header = header()
        self.seen: list[Message] = []  # each request once, HELLO included
        self.copies = 0  # frames received, re-sent ones included
        self.drop_replies = 0  # so many of the next replies get lost on the way
        self._answers: dict[type, deque[Answer]] = {}
        self._now_s = 0.0
        self._out: list[tuple[float, int, bytes]] = []
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._replies: dict[tuple[int, int], bytes | None] = {}
        self._decoder = Decoder()
        self._up = True
        self._event_seq = 0
        self.answer(
            messages.Hello,
            make(
                messages.HelloReply,
                header=self.header,
                major=messages.PROTOCOL_MAJOR,
                minor=messages.PROTOCOL_MINOR,
                schema_hash=messages.SCHEMA_HASH,
                firmware_version="0.0.0",
                board="scripted",
                boot_count=1,
                max_depth_um=1900,
                max_points=512,
                tick_us=250,
            ),
        )
        self.answer(messages.Status, lambda request: self.status())

    def answer(self, kind: type[Message], *answers: Answer) -> None:
        """Answer requests of this kind with `answers` in turn, the last one for ever."""
        self._answers[kind] = deque(answers)

    def status(self, **values: Any) -> messages.StatusReply:
        """Return a status reply with the header of now."""
        return make(
            messages.StatusReply, **{"header": self.header, "event_head": self._event_seq, "unix_s": _UNIX_S, **values}
        )

    def client(self, *, hello: bool = True) -> Client:
        """Return a client of this device, its session open."""
        client = Client(self, unix_s=lambda: _UNIX_S + self._now_s)
        if hello:
            client.hello()
            client.start_events()
        return client

    def event(self, kind: enums.Event, a: int = 0, b: int = 0, c: int = 0, *, lost: bool = False) -> messages.Event:
        """Push an event, or only number it when it gets lost on the wire."""
        event = messages.Event(self._event_seq, int(self._now_s * _TICKS_PER_S), kind, a, b, c)
        self._event_seq += 1
        if not lost:
            self.push(event)
        return event

    def push(self, message: Message) -> None:
        """Send a push."""
        self.say(encode_frame(0, message.ID, message.pack(check=False)))

    def say(self, data: bytes) -> None:
        """Send any bytes."""
        self._count += 1
        heapq.heappush(self._out, (self._now_s + LATENCY_S, self._count, data))

    def at(self, time_s: float, call: Callable[[], None]) -> None:
        """Have `call` called when the time has come."""
        self._count += 1
        heapq.heappush(self._calls, (time_s, self._count, call))

    def cut(self) -> None:
        """Pull the cable: every use of the link fails until `reopen`."""
        self._up = False
        self._out.clear()

    def forget(self) -> None:
        """Another program talks from now on: keep no replies and no half frame of the one before."""
        self._replies.clear()
        self._decoder = Decoder()

    def sent(self, kind: type[M]) -> list[M]:
        """Return the requests of a kind that came, each once."""
        return [message for message in self.seen if isinstance(message, kind)]

    # --- the transport -------------------------------------------------------------------------------

    def now(self) -> float:
        return self._now_s

    def send(self, data: bytes) -> None:
        self._alive()
        for item in self._decoder.feed(data):
            assert isinstance(item, Frame), "a client sends whole frames"
            self._take(item)

    def wait(self, deadline_s: float) -> bytes:
        while True:
            self._alive()
            if self._out and self._out[0][0] <= self._now_s:
                return heapq.heappop(self._out)[2]
            due_s = min((queue[0][0] for queue in (self._out, self._calls) if queue), default=deadline_s)
            if self._now_s >= deadline_s:
                return b""
            self._now_s = max(self._now_s, min(due_s, deadline_s))
            while self._calls and self._calls[0][0] <= self._now_s:
                heapq.heappop(self._calls)[2]()

    def reopen(self, deadline_s: float) -> None:
        self._up = True
        self._decoder = Decoder()

    def close(self) -> None:
        self._up = False

    # --- the script ----------------------------------------------------------------------------------

    def _alive(self) -> None:
        if not self._up:
            raise LinkLost("The connection to scripted: was lost: it was cut.", "Connect again.")

    def _take(self, frame: Frame) -> None:
        self.copies += 1
        key = (frame.session, frame.seq)
        if key not in self._replies:
            request = messages.RULES[frame.id].request.unpack(frame.payload)
            self.seen.append(request)
            self._replies[key] = self._reply(frame, request)
        reply = self._replies[key]
        if reply is None:
            return
        if self.drop_replies:
            self.drop_replies -= 1
            return
        self.say(encode_frame(frame.seq, frame.id | messages.REPLY_BIT, reply, session=frame.session))

    def _reply(self, frame: Frame, request: Message) -> bytes | None:
        rule = messages.RULES[frame.id]
        script = self._answers.get(type(request))
        answer: Any = make(rule.reply, header=self.header)
        if script:
            answer = script.popleft() if len(script) > 1 else script[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, enums.Refusal):
            answer = messages.ReplyHeader(**{**vars(self.header), "result": int(answer)})
        return None if answer is None else answer.pack(check=False)


@contextlib.contextmanager
def served(device: ScriptedDevice) -> Iterator[str]:
    """Serve a scripted device on a TCP port of this computer, one client after the other; yields its target."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop_read, stop_write = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(device, listener, stop_read), daemon=True)
    thread.start()
    try:
        yield f"tcp:127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop_write.close()
        thread.join()
        listener.close()
        stop_read.close()


def _serve(device: ScriptedDevice, listener: socket.socket, stop: socket.socket) -> None:
    connection: socket.socket | None = None
    while True:
        readable, _, _ = select.select([listener, stop, *([connection] if connection else [])], [], [], 0.005)
        if stop in readable:
            break
        if listener in readable:
            connection, _ = listener.accept()
            device.forget()
        elif connection is not None and connection in readable:
            data = connection.recv(4096)
            if data:
                device.send(data)
            else:
                connection.close()
                connection = None
        if connection is not None:
            answer = device.wait(device.now() + 0.005)
            with contextlib.suppress(OSError):
                connection.sendall(answer)
    if connection is not None:
        connection.close()


def _nothing(field: Field) -> Any:
    if field.unit == "text":
        return ""
    if field.kind == "rest":
        return b""
    return bytes(int(field.kind[5:])) if field.kind.startswith("bytes") else 0
