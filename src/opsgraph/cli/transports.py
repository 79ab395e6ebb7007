"""uvicorn's protocols and its server, with what connections that stay open need."""

import asyncio
import socket
from typing import Any, cast
from weakref import WeakKeyDictionary

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from opsgraph.graphql.live import Live
from opsgraph.graphql.outbox import ABORT


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose connections can be cut off: a client that reads nothing would keep one open for good."""

    def on_message_begin(self) -> None:
        """A request begins: its scope is made here."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}


class Turn:
    """What is written in one turn of a loop, on all of its connections; at its end, each sends what it has at once.

    Of a burst of events each client gets several in one turn: sending them one by one would cost as many system calls.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._written: list[Corked] = []

    def add(self, connection: "Corked") -> None:
        """Have a connection send at the end of this turn."""
        if not self._written:
            self._loop.call_soon(self._end)
        self._written.append(connection)

    def _end(self) -> None:
        written, self._written = self._written, []
        for connection in written:
            connection.send()


class Corked:
    """A transport that sends what was written in a turn of the loop at its end."""

    def __init__(self, transport: Any, turn: Turn) -> None:
        self._transport = transport
        self._turn = turn
        self._unsent: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have data sent."""
        if not self._unsent:
            self._turn.add(self)
        self._unsent.append(data)

    def send(self) -> None:
        """Send what was written."""
        if self._unsent:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._transport.write(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self.send()
        self._transport.close()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets that can be cut off, for the same reason, and send bursts at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was upgraded."""
        turn = _turns.setdefault(self.loop, Turn(self.loop))
        super().connection_made(cast("asyncio.BaseTransport", Corked(transport, turn)))

    async def run_asgi(self) -> None:
        """The handshake was begun: the application is run."""
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), ABORT: {"abort": self.transport.abort}}
        await super().run_asgi()


class Server(uvicorn.Server):
    """A server that ends what stays open before it waits for requests to finish: it would wait in vain.

    Args:
        config: uvicorn's.
        live: the open connections.
    """

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every client that the server is going away, then finish as uvicorn does."""
        await self._live.close()
        await super().shutdown(sockets)
