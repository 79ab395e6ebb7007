"""Connections that stay open, to the server that users run: over real sockets, with clients that break off."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from opsgraph.cli import serve
from opsgraph.cli.serve import listen, server_of
from opsgraph.graphql.outbox import Patience
from opsgraph.settings import Settings
from tests.support.ticking import Ticking, ticking
from tests.support.waiting import LONG_ENOUGH_SECONDS, until

TICKS = "subscription ($after: String) { ticks(after: $after) { cursor number text } }"
QUICK = Patience(stalled_seconds=1, close_seconds=0.1)


class Served:
    """A running server.

    Attributes:
        ticking: the application.
        host: where it listens, with the port.
    """

    def __init__(self, application: Ticking, listener: socket.socket) -> None:
        self.ticking = application
        application.app.state.live = application.live
        self.host = f"127.0.0.1:{listener.getsockname()[1]}"
        self._server = server_of(application.app, Settings(shutdown_seconds=3 * LONG_ENOUGH_SECONDS))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    def connections(self) -> int:
        """How many connections the server has, whatever the application knows of them."""
        return len(self._server.server_state.connections)

    async def stop(self) -> None:
        """What a signal does; returns when the server has ended."""
        self._server.should_exit = True
        await self._serving

    @asynccontextmanager
    async def client(self, **payload: Any) -> AsyncIterator[ClientConnection]:
        """A client that was let in."""
        async with connect(f"ws://{self.host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as client:
            await client.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await client.recv()) == {"type": "connection_ack"}
            yield client


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A server over a log in memory."""
    with listen("127.0.0.1", 0) as listener:
        server = Served(ticking(QUICK), listener)
        yield server
        await server.stop()


async def follow(client: ClientConnection, **variables: Any) -> None:
    """Follow the ticks."""
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": TICKS, "variables": variables}}))
    await client.send(json.dumps({"type": "ping"}))


async def tick(client: ClientConnection) -> dict[str, Any]:
    """The next tick."""
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        while (message := json.loads(await client.recv()))["type"] == "pong":
            pass
    assert message["type"] == "next", message
    found: dict[str, Any] = message["payload"]["data"]["ticks"]
    return found


async def closed(client: ClientConnection) -> int:
    """The code by which the server closes."""
    try:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            while True:
                await client.recv()
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006


async def test_who_is_cut_off_resumes_by_cursor(served: Served) -> None:
    """A hundred ticks over ten connections, each cut off without a word: nothing lost, nothing twice."""
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(10):
        async with served.client() as client:
            await follow(client, after=cursor or "0")
            served.ticking.ticker.tick(*["a"] * 10)
            for _ in range(5):
                event = await tick(client)
                seen.append(event["number"])
                cursor = event["cursor"]
            client.transport.abort()
    async with served.client() as client:
        await follow(client, after=cursor)
        while len(seen) < 100:
            seen.append((await tick(client))["number"])
    assert seen == list(range(1, 101))


async def test_who_does_not_read_is_cut_off_and_delays_nobody(served: Served) -> None:
    """What the kernel does not take for it is dropped; a client beside it gets everything at once."""
    async with served.client() as stalled, served.client() as other:
        sock: socket.socket = stalled.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        for client in (stalled, other):
            await follow(client)
            assert json.loads(await client.recv()) == {"type": "pong"}
        stalled.transport.pause_reading()
        number = 0
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            while served.ticking.live.count == 2:  # how much is enough is the kernel's business
                number += 1
                served.ticking.ticker.tick("x" * 50_000)
                assert (await tick(other))["number"] == number
        await until(lambda: served.connections() == 1)
        served.ticking.ticker.tick("y")
        assert (await tick(other))["text"] == "y"
        stalled.transport.abort()


async def test_a_server_that_stops_says_so_and_stops_at_once(served: Served) -> None:
    """WebSockets are closed with 1001, event streams end; the server does not wait for clients to go."""
    address = f"http://{served.host}/graphql"
    stream = {"accept": "text/event-stream"}
    async with served.client() as client, httpx.AsyncClient(timeout=2 * LONG_ENOUGH_SECONDS) as http:
        await follow(client)
        async with http.stream("POST", address, json={"query": TICKS}, headers=stream) as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == ":"
            async with asyncio.timeout(LONG_ENOUGH_SECONDS):
                await served.stop()
            assert [line async for line in lines] == [""]
        assert await closed(client) == 1001


async def test_an_event_stream_comes_line_by_line(served: Served) -> None:
    """As `curl -N` shows it."""
    address = f"http://{served.host}/graphql"
    async with (
        httpx.AsyncClient(timeout=2 * LONG_ENOUGH_SECONDS) as http,
        http.stream("GET", address, params={"query": TICKS}, headers={"accept": "text/event-stream"}) as answer,
    ):
        lines = answer.aiter_lines()
        assert [await anext(lines), await anext(lines)] == [":", ""]
        served.ticking.ticker.tick("a")
        assert [await anext(lines) for _ in range(4)] == [
            "id: 1",
            "event: next",
            'data: {"data":{"ticks":{"cursor":"1","number":1,"text":"a"}}}',
            "",
        ]
    await until(lambda: served.ticking.live.count == 0)


async def test_a_message_that_is_too_large_closes_with_1009(served: Served) -> None:
    """The limit is that of a body over HTTP."""
    async with served.client() as client:
        await client.send("x" * 1_048_577)
        assert await closed(client) == 1009


async def test_a_page_of_another_site_gets_403(served: Served) -> None:
    """Before the handshake is over."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{served.host}/graphql", origin="https://evil.example")  # type: ignore[arg-type]  # a text
    assert refused.value.response.status_code == 403


async def test_messages_are_not_packed(served: Served) -> None:
    """Packing the same thing for each of a thousand clients would cost more than it saves."""
    async with served.client() as client:
        assert client.protocol.extensions == []


async def test_a_client_that_answers_no_ping_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have lost its network without a word; nothing had to be sent to it to find out."""
    monkeypatch.setattr(serve, "_PING_SECONDS", 0.05)
    with listen("127.0.0.1", 0) as listener:
        pinging = Served(ticking(), listener)
        async with pinging.client() as client:
            client.transport.pause_reading()
            await until(lambda: pinging.connections() == 0)
            await until(lambda: pinging.ticking.live.count == 0)
            client.transport.abort()
        await pinging.stop()
