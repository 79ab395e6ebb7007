"""A WebSocket client that speaks to an ASGI application in this process, message by message."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from tests.support.waiting import LONG_ENOUGH_SECONDS

SUBPROTOCOL = "graphql-transport-ws"


class Socket:
    """The client's end of a WebSocket.

    Attributes:
        accepted: the subprotocol that the server took, if it took one.
        reading: clear it to take nothing more: what the server sends then waits, as on a full connection.
        cut_off: whether the server cut the connection off.
    """

    def __init__(self) -> None:
        self.accepted: str | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self.cut_off = False
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._gone = False

    async def send(self, message: Mapping[str, Any] | Sequence[Any] | str | bytes) -> None:
        """Send a message: JSON, or a text or bytes as they are."""
        if isinstance(message, bytes):
            self._outgoing.put_nowait({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._outgoing.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> dict[str, Any]:
        """The next message of the server, which has to be one."""
        message = await self._next()
        assert message["type"] == "websocket.send", message
        assert "bytes" not in message
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def closed(self) -> tuple[int, str]:
        """The code and the reason by which the server closes; what it sends before is dropped."""
        while (message := await self._next())["type"] != "websocket.close":
            pass
        return message["code"], message.get("reason", "")

    async def init(self, payload: Mapping[str, Any] | None = None) -> None:
        """Say who is asking, and be let in."""
        await self.send({"type": "connection_init", **({} if payload is None else {"payload": payload})})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, name: str, query: str, **variables: Any) -> None:
        """Ask for an operation."""
        await self.send({"id": name, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def begun(self) -> None:
        """Return once all that was asked for has begun."""
        await self.send({"type": "ping"})
        assert await self.receive() == {"type": "pong"}

    async def data(self, name: str) -> dict[str, Any]:
        """The data of the next message, which has to be a result of this operation without errors."""
        message = await self.receive()
        assert (message.get("id"), message["type"]) == (name, "next"), message
        assert "errors" not in message["payload"], message
        found: dict[str, Any] = message["payload"]["data"]
        return found

    def go(self) -> None:
        """Be gone without a word."""
        self._gone = True
        self.reading.set()
        self._outgoing.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def abort(self) -> None:
        """What a server does to cut a connection off."""
        self.cut_off = True
        self.go()

    async def receive_event(self) -> Message:
        """The server's `receive`."""
        return await self._outgoing.get()

    async def send_event(self, message: Message) -> None:
        """The server's `send`."""
        await self.reading.wait()
        if self._gone:
            raise OSError("the client is gone")
        if message["type"] == "websocket.close":
            self._outgoing.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
        self.incoming.put_nowait(message)

    async def _next(self) -> Message:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            return await self.incoming.get()


@asynccontextmanager
async def connected(
    app: ASGIApp,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (SUBPROTOCOL,),
    *,
    abortable: bool = True,
) -> AsyncIterator[Socket]:
    """A connection to ``/graphql``; when the block ends, the client is gone and the server has to end as well."""
    socket = Socket()
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in {"host": "opsgraph.test", **(headers or {})}.items()],
        "subprotocols": list(subprotocols),
        "state": {},
        "extensions": {"opsgraph.abort": {"abort": socket.abort}} if abortable else {},
    }
    await socket._outgoing.put({"type": "websocket.connect"})
    serving = asyncio.create_task(_served(app, scope, socket))
    try:
        first = await socket._next()
        if first["type"] == "websocket.accept":
            socket.accepted = first.get("subprotocol")
        else:
            socket.incoming.put_nowait(first)
        yield socket
    finally:
        socket.go()
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await serving


@asynccontextmanager
async def greeted(app: ASGIApp, **options: Any) -> AsyncIterator[Socket]:
    """A connection that was let in."""
    async with connected(app, **options) as socket:
        await socket.init()
        yield socket


async def _served(app: ASGIApp, scope: Scope, socket: Socket) -> None:
    await app(scope, socket.receive_event, socket.send_event)
