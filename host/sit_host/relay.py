"""The owner's side of a shared port: relays STOP, DISARM and reads of other processes to the device.

Visitors speak the device's own frames over the local socket. Their HELLO is answered with the owner's, their reads,
STOP and DISARM are asked of the device in the owner's session, anything else is refused with NO_SESSION.

One thread takes visitors' frames. They are served by whoever holds the client: the owner's own wait is woken and serves
them in between; when the owner isn't in the client (it computes, or waits at a question) a second thread does. STOP and
DISARM go before what waits, and go out while a reading waits for its reply.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sit_host._gen import enums, messages
from sit_host.codec import Decoder, Frame, encode_frame
from sit_host.exchange import Silence
from sit_host.share import PortLock, listen
from sit_host.wire import ShortPayload

if TYPE_CHECKING:
    from sit_host.client import Client

_URGENT = (messages.Stop.ID, messages.Disarm.ID)
RELAYED = (
    *_URGENT,
    messages.Status.ID,
    messages.SettingsRead.ID,
    messages.LedgerRead.ID,
    messages.RecorderRead.ID,
    messages.EventsRead.ID,
)
"""What visitors may send. SUBSCRIBE isn't among them: it would change what the owner gets."""
_TAKE_S = 0.02
_CHUNK = 4096
_SEND_TIMEOUT_S = 1.0


@dataclass(eq=False)
class _Visitor:
    connection: socket.socket
    decoder: Decoder = field(default_factory=Decoder)


def start_relay(client: Client, lock: PortLock) -> Callable[[], None]:
    """Serve visitors of `lock`'s port until the returned function is called; do nothing where that can't be done."""
    watch = getattr(client.transport, "watch", None)
    if watch is None or not hasattr(socket, "AF_UNIX"):
        return lambda: None
    try:
        listener = listen(lock)
    except OSError:
        return lambda: None  # the owner's own work doesn't depend on visitors
    relay = Relay(client, listener)
    watch(relay.wake_fd)
    client.serve_others = relay.serve
    lock.announce(shares=True)
    return relay.close


class Relay:
    """Takes and serves visitors' frames in threads of its own."""

    def __init__(self, client: Client, listener: socket.socket) -> None:
        """Start at once."""
        self._client = client
        self._listener = listener
        self._queues: dict[bool, deque[tuple[_Visitor, Frame]]] = {True: deque(), False: deque()}  # by urgency
        self._fresh = threading.Event()
        self._ending = False
        self.wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self.wake_fd, False)
        os.set_blocking(self._wake_write, False)
        self._stop_read, self._stop_write = os.pipe()
        self._threads = [
            threading.Thread(target=job, name="relay", daemon=True) for job in (self._take_visitors, self._have_served)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads and let go of all visitors."""
        self._ending = True
        self._fresh.set()
        os.write(self._stop_write, b"x")
        for thread in self._threads:
            thread.join()
        for fd in (self.wake_fd, self._wake_write, self._stop_read, self._stop_write):
            os.close(fd)

    def serve(self, urgent_only: bool) -> None:
        """Answer what waits, what ends something first; called with the client's lock held."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_fd, _CHUNK)
        while True:
            queue = self._queues[True] or ((not urgent_only) and self._queues[False])
            if not queue:
                return
            self._answer(*queue.popleft())

    def _answer(self, visitor: _Visitor, frame: Frame) -> None:
        payload = self._payload(frame)
        if payload is None:
            return  # the device was silent: the visitor finds that out by itself
        reply = encode_frame(frame.seq, frame.id | messages.REPLY_BIT, payload, session=frame.session)
        with contextlib.suppress(OSError):
            visitor.connection.sendall(reply)

    def _payload(self, frame: Frame) -> bytes | None:
        client = self._client
        if frame.id == messages.Hello.ID and client.device is not None:
            return client.device.pack(check=False)
        if frame.id not in RELAYED:
            if client.header is None:
                return None
            refused = {**vars(client.header), "result": enums.Refusal.NO_SESSION}
            return messages.ReplyHeader(**refused).pack(check=False)
        try:
            request = messages.RULES[frame.id].request.unpack(frame.payload)
        except ShortPayload:
            return None
        answer = client.relay(request)
        return None if isinstance(answer, Silence) else answer.payload

    def _take_visitors(self) -> None:
        with selectors.DefaultSelector() as selector, self._listener:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._stop_read, selectors.EVENT_READ)
            visitors: list[_Visitor] = []
            while True:
                for key, _ in selector.select():
                    if key.fd == self._stop_read:
                        for visitor in visitors:
                            visitor.connection.close()
                        return
                    if key.fileobj is self._listener:
                        self._welcome(selector, visitors)
                    elif not self._hear(key.data):
                        selector.unregister(key.fileobj)
                        visitors.remove(key.data)
                        key.data.connection.close()

    def _welcome(self, selector: Any, visitors: list[_Visitor]) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(_SEND_TIMEOUT_S)
        visitor = _Visitor(connection)
        visitors.append(visitor)
        selector.register(connection, selectors.EVENT_READ, visitor)

    def _hear(self, visitor: _Visitor) -> bool:
        """Queue a visitor's frames; False when it has gone."""
        try:
            data = visitor.connection.recv(_CHUNK)
        except OSError:
            return False
        for item in visitor.decoder.feed(data):
            if isinstance(item, Frame):
                self._queues[item.id in _URGENT].append((visitor, item))
                self._wake()
        return bool(data)

    def _wake(self) -> None:
        self._fresh.set()
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _have_served(self) -> None:
        """Serve what waits whenever nobody else is in the client."""
        while not self._ending:
            self._fresh.wait()
            self._fresh.clear()
            while (self._queues[True] or self._queues[False]) and not self._ending:
                if self._client.lock.acquire(timeout=_TAKE_S):
                    try:
                        self.serve(urgent_only=False)
                    finally:
                        self._client.lock.release()
