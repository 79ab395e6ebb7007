"""Clients that do not read, are gone, or are too many: they cost themselves something, and nobody else."""

import asyncio

import pytest

from opsgraph.graphql.outbox import Patience
from tests.support.sockets import Socket, connected, greeted
from tests.support.ticking import Ticking, ticking
from tests.support.waiting import until

TICKS = "subscription { ticks { number } }"
QUICK = Patience(close_seconds=0.01)


async def following(served: Ticking, socket: Socket) -> None:
    """Follow the ticks."""
    await socket.subscribe("1", TICKS)
    await socket.begun()
    served.ticker.executed = 0


async def numbers(socket: Socket, count: int) -> list[int]:
    """So many ticks."""
    return [(await socket.data("1"))["ticks"]["number"] for _ in range(count)]


async def test_who_reads_late_gets_everything_in_order() -> None:
    """Up to 256 messages wait for a client that takes nothing for a while, beside the one that is being sent."""
    served = ticking()
    async with greeted(served.app) as socket:
        await following(served, socket)
        socket.reading.clear()
        served.ticker.tick(*["a"] * 257)
        await until(lambda: served.ticker.executed == 257)
        socket.reading.set()
        assert await numbers(socket, 257) == list(range(1, 258))
        served.ticker.tick("a")
        assert await numbers(socket, 1) == [258]


async def test_who_reads_too_slowly_is_closed_with_1013_and_resumes_by_cursor() -> None:
    """The client comes back when it can, and has missed nothing."""
    served = ticking()
    async with greeted(served.app) as socket:
        await following(served, socket)
        served.ticker.tick("a")
        assert await numbers(socket, 1) == [1]
        socket.reading.clear()
        served.ticker.tick(*["a"] * 300)
        await until(lambda: served.ticker.executed == 301)
        socket.reading.set()
        assert await socket.closed() == (1013, "the client takes what it asked for too slowly")
    async with greeted(served.app) as socket:
        await socket.subscribe("1", 'subscription { ticks(after: "1") { number } }')
        assert await numbers(socket, 300) == list(range(2, 302))


async def test_one_who_takes_nothing_delays_nobody() -> None:
    """Others get everything meanwhile; the connection is cut off when not even a close frame gets through."""
    served = ticking(QUICK)
    async with greeted(served.app) as stalled, greeted(served.app) as other:
        await following(served, stalled)
        await following(served, other)
        stalled.reading.clear()
        served.ticker.tick(*["a"] * 1_000)
        assert await numbers(other, 1_000) == list(range(1, 1_001))
        await until(lambda: stalled.cut_off)
        await until(lambda: served.live.count == 1)
        served.ticker.tick("a")
        assert await numbers(other, 1) == [1_001]


async def test_one_who_takes_nothing_for_too_long_is_cut_off() -> None:
    """Also if so little happens that the queue never fills."""
    served = ticking(Patience(stalled_seconds=0.01, close_seconds=0.01))
    async with greeted(served.app) as socket:
        await following(served, socket)
        socket.reading.clear()
        served.ticker.tick("a")
        await until(lambda: socket.cut_off)
        await until(lambda: served.live.count == 0)
    await until(lambda: served.ticker.following == 0)


async def test_a_server_that_cannot_cut_off_is_left_all_the_same() -> None:
    """The application ends, and leaves the connection to the server."""
    served = ticking(QUICK)
    async with greeted(served.app, abortable=False) as socket:
        await following(served, socket)
        socket.reading.clear()
        served.ticker.tick(*["a"] * 300)
        await until(lambda: served.live.count == 0)
        assert not socket.cut_off
    await until(lambda: served.ticker.following == 0)


@pytest.mark.parametrize("reading", [True, False])
async def test_whoever_is_gone_leaves_nothing_behind(*, reading: bool) -> None:
    """No task, no stream, no connection: whether something was on its way to them or not."""
    served = ticking()
    before = asyncio.all_tasks()
    async with greeted(served.app) as socket:
        await following(served, socket)
        await socket.subscribe("2", "{ stuck }")
        await socket.subscribe("3", "subscription { count(to: 1000000000) }")
        await until(lambda: served.ticker.following == 3)
        if not reading:
            socket.reading.clear()
            served.ticker.tick("a", "b")
            await until(lambda: served.ticker.executed == 2)
    assert served.live.count == 0
    await until(lambda: served.ticker.following == 0)
    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_connection_has_so_many_operations_and_no_more() -> None:
    """What is too much is an error for its id; when another one has ended, there is room again."""
    served = ticking(max_operations=2)
    async with greeted(served.app) as socket:
        await socket.subscribe("1", TICKS)
        await socket.subscribe("2", "{ stuck }")
        await socket.subscribe("3", "{ sum }")
        answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("3", "error")
        assert answer["payload"] == [
            {
                "message": "the connection has as many operations running as are allowed: 2",
                "extensions": {"code": "LIMIT_EXCEEDED", "limit": "operations", "maximum": 2},
            }
        ]
        await socket.send({"id": "2", "type": "complete"})
        await socket.subscribe("3", "{ sum }")
        assert await socket.data("3") == {"sum": 2}


async def test_a_process_has_so_many_connections_and_no_more() -> None:
    """One too many is told to try again later."""
    served = ticking(max_connections=1)
    async with greeted(served.app):
        async with connected(served.app) as socket:
            assert await socket.closed() == (1013, "the server has as many open connections as it allows: 1")
        assert served.live.count == 1
    async with greeted(served.app):
        assert served.live.count == 1


async def test_a_server_that_goes_away_says_so() -> None:
    """1001 to everyone, those who do not read are cut off; nobody new is let in, and nothing is left running."""
    served = ticking(QUICK)
    before = asyncio.all_tasks()
    async with greeted(served.app) as reading, greeted(served.app) as stalled:
        await following(served, reading)
        await following(served, stalled)
        stalled.reading.clear()
        served.ticker.tick("a")
        await until(lambda: served.ticker.executed == 1)
        await served.live.close()
        assert await reading.closed() == (1001, "the server is going away")
        assert stalled.cut_off
        async with connected(served.app) as late:
            assert await late.closed() == (1001, "the server is going away")
    await until(lambda: served.ticker.following == 0)
    await until(lambda: asyncio.all_tasks() <= before)
