"""A crowd of WebSocket clients in one process that does next to nothing with what it gets: it counts.

Clients that parsed each message would be what is measured. A delivery is one `"type":"next"` among the bytes, and a
ping is what looks like its frame, which cannot stand in a message of ASCII.
"""

import json
import os
import re
import selectors
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

MARK = b'"type":"next"'
QUERY = """subscription { alertFeed { cursor kind alert {
  severity message service { name tier } incident { number status alertCount }
} } }"""
_WITHIN_SECONDS = 60.0
_PING = re.compile(rb"\x89(?:\x04(....)|\x00)", re.DOTALL)  # uvicorn's have a payload, those of graphql-ws do not
_HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


@dataclass
class Delivered:
    """What a round brought: when it began, when it was answered, and when each delivery was there."""

    begun: float
    answered: float
    arrivals: list[tuple[float, int]]

    @property
    def count(self) -> int:
        """How many deliveries there were."""
        return sum(count for _, count in self.arrivals)

    @property
    def per_second(self) -> float:
        """Deliveries a second, from the beginning of the round to the last of them."""
        return self.count / (self.arrivals[-1][0] - self.begun)

    def milliseconds(self, share: float) -> float:
        """After how long that share of the deliveries was there."""
        wanted, seen = share * self.count, 0
        for moment, count in self.arrivals:
            seen += count
            if seen >= wanted:
                return (moment - self.begun) * 1_000
        raise ValueError("a share is between 0 and 1")

    def waits(self) -> list[float]:
        """Milliseconds from the answer to the sender until each delivery was there; 0 for those that came before it."""
        return [max(0.0, moment - self.answered) * 1_000 for moment, count in self.arrivals for _ in range(count)]


class Crowd:
    """Clients that all follow the same, each with an id of its own, as real ones have."""

    def __init__(self, url: str, size: int) -> None:
        self._selector = selectors.DefaultSelector()
        for number in range(size):
            connection = _following(url, f"{number:08}-0000-4000-8000-{os.urandom(6).hex()}")
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, bytearray())
        self._size = size
        self._sender = ThreadPoolExecutor(1)

    def round(self, publish: Callable[[], object], events: int) -> Delivered:
        """Publish events; returns when each client has got each of them.

        Whoever publishes has a thread of its own: what is delivered before it has its answer is seen when it comes.
        """
        begun = time.perf_counter()
        answered = self._sender.submit(_done, publish)
        arrivals: list[tuple[float, int]] = []
        missing = self._size * events
        while missing:
            if time.perf_counter() - begun > _WITHIN_SECONDS:
                raise SystemExit(f"{missing} deliveries have not come within {_WITHIN_SECONDS:.0f} s")
            arrived = self._read()
            missing -= arrived
            if arrived:
                arrivals.append((time.perf_counter(), arrived))
        return Delivered(begun, answered.result(), arrivals)

    def close(self) -> None:
        """Hang up."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]  # it is a socket
        self._sender.shutdown()

    def _read(self) -> int:
        arrived = 0
        for key, _ in self._selector.select(1):
            data = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # it is a socket
            if not data:
                raise SystemExit(f"the server has closed a connection: {bytes(key.data)!r}")
            _answer_pings(key.fileobj, data)  # type: ignore[arg-type]  # it is a socket
            key.data.extend(data)
            arrived += key.data.count(MARK)
            del key.data[: max(0, len(key.data) - len(MARK) + 1)]
            if key.data.endswith(MARK):
                key.data.clear()
        return arrived


def _done(publish: Callable[[], object]) -> float:
    """Publish; gives the moment of the answer."""
    publish()
    return time.perf_counter()


def _answer_pings(connection: socket.socket, data: bytes) -> None:
    for ping in _PING.findall(data):
        connection.send(b"\x8a" + bytes([0x80 | len(ping)]) + bytes(4) + ping)


def _following(url: str, operation_id: str) -> socket.socket:
    host, port = urlsplit(url).hostname, urlsplit(url).port
    connection = socket.create_connection((host, port), timeout=_WITHIN_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(_HANDSHAKE.format(host=f"{host}:{port}").encode())
    _read_until(connection, b"\r\n\r\n")
    connection.sendall(_frame({"type": "connection_init"}))
    _read_until(connection, b"connection_ack")
    payload = {"query": " ".join(QUERY.split())}
    connection.sendall(_frame({"id": operation_id, "type": "subscribe", "payload": payload}))
    connection.sendall(_frame({"type": "ping"}))
    _read_until(connection, b"pong")
    return connection


def _read_until(connection: socket.socket, end: bytes) -> None:
    read = b""
    while end not in read:
        if not (data := connection.recv(4_096)):
            raise SystemExit(f"the server has closed a connection after {read[-200:]!r}")
        read += data


def _frame(message: dict[str, object]) -> bytes:
    """A text frame with the mask of zeros, which changes nothing."""
    text = json.dumps(message).encode()
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + struct.pack("!H", len(text))
    return b"\x81" + length + bytes(4) + text
