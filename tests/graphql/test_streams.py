"""Identical subscriptions run once for all; who replays joins them later; nothing is lost, and nothing doubled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy.exc import OperationalError

from opsgraph.kernel.actor import Actor, Role
from tests.support.sockets import Socket, greeted
from tests.support.ticking import Ticking, ticking
from tests.support.waiting import until

TICKS = "subscription { ticks { number } }"
RESUMED = "subscription ($after: String) { ticks(after: $after) { number } }"


@pytest.fixture
def served() -> Ticking:
    """An application with subscriptions."""
    return ticking()


@pytest.fixture
async def sockets(served: Ticking) -> AsyncIterator[list[Socket]]:
    """Five connections."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(greeted(served.app)) for _ in range(5)]


async def number(socket: Socket, name: str = "1") -> int:
    """The number of the next tick."""
    found: int = (await socket.data(name))["ticks"]["number"]
    return found


async def test_identical_subscriptions_are_executed_once(served: Ticking, sockets: list[Socket]) -> None:
    """Whatever ids they have; each gets every event, in order."""
    for place, socket in enumerate(sockets):
        await socket.subscribe(f"id {place}", TICKS)
        await socket.begun()
    served.ticker.tick("a", "b")
    for place, socket in enumerate(sockets):
        assert [await number(socket, f"id {place}"), await number(socket, f"id {place}")] == [1, 2]
    assert (served.ticker.begun, served.ticker.executed) == (1, 2)


async def test_one_socket_may_follow_the_same_twice(served: Ticking) -> None:
    """Each id gets every event."""
    async with greeted(served.app) as socket:
        for name in "12":
            await socket.subscribe(name, TICKS)
        await socket.begun()
        served.ticker.tick("a")
        assert [await number(socket, "1"), await number(socket, "2")] == [1, 1]
    assert served.ticker.executed == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"query": TICKS}, {"query": TICKS + " "}),
        ({"query": RESUMED.replace("after", "containing")}, {"variables": {"containing": "a"}}),
        (
            {"query": "subscription A { ticks { number } } subscription B { ticks { number } }", "operationName": "A"},
            {"operationName": "B"},
        ),
    ],
    ids=["text", "variables", "operation"],
)
async def test_what_differs_is_not_shared(
    served: Ticking, sockets: list[Socket], one: dict[str, str], other: dict[str, str]
) -> None:
    """By text, by variables or by the name of the operation."""
    for socket, payload in zip(sockets, (one, one | other), strict=False):
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        await socket.begun()
    served.ticker.tick("a")
    assert [await number(sockets[0]), await number(sockets[1])] == [1, 1]
    assert (served.ticker.begun, served.ticker.executed) == (2, 2)


async def test_people_with_other_rights_share_nothing(served: Ticking) -> None:
    """Those with the same do, and what they share knows none of them by name."""
    document = "subscription { ticks { number askedBy } }"
    async with AsyncExitStack() as stack:
        for name, role in (("ann", Role.VIEWER), ("bob", Role.VIEWER), ("cat", Role.EDITOR)):
            served.who.actor = Actor(name, frozenset({role}))
            socket = await stack.enter_async_context(greeted(served.app))
            await socket.subscribe("1", document)
            await socket.begun()
        served.ticker.tick("a")
        assert (await socket.data("1"))["ticks"]["askedBy"] == "subscribers"
        assert (served.ticker.begun, served.ticker.executed) == (2, 2)


async def test_what_is_not_declared_as_shared_is_not(served: Ticking, sockets: list[Socket]) -> None:
    """Each runs by itself."""
    for socket in sockets:
        await socket.subscribe("1", "subscription { count(to: 1) }")
    for socket in sockets:
        assert await socket.data("1") == {"count": 0}
        assert await socket.receive() == {"id": "1", "type": "complete"}
    assert served.ticker.following == 0


async def test_who_joins_gets_what_comes_from_then_on(served: Ticking, sockets: list[Socket]) -> None:
    """Exactly: the first event after a pong is there, the last one before is not."""
    for before, socket in enumerate(sockets):
        await socket.subscribe("1", TICKS)
        await socket.begun()
        served.ticker.tick("a")
        assert await number(socket) == before + 1
    assert served.ticker.executed == 5


async def test_relations_are_read_anew_for_each_event(served: Ticking) -> None:
    """And once for all who follow: a loader that lives on would show the past."""
    async with greeted(served.app) as one, greeted(served.app) as other:
        for socket in (one, other):
            await socket.subscribe("1", "subscription { ticks { loaded again: loaded } }")
            await socket.begun()
        served.ticker.tick("a")
        assert await one.data("1") == {"ticks": {"loaded": "a at 1", "again": "a at 1"}}
        served.ticker.tick("b")
        assert await one.data("1") == {"ticks": {"loaded": "b at 2", "again": "b at 2"}}
    assert served.ticker.loads == [[1], [2]]


async def test_the_last_to_leave_ends_the_stream(served: Ticking, sockets: list[Socket]) -> None:
    """By complete or by going; who comes after that begins a new one."""
    for socket in sockets[:2]:
        await socket.subscribe("1", TICKS)
        await socket.begun()
    await sockets[0].send({"id": "1", "type": "complete"})
    await sockets[0].begun()
    served.ticker.tick("a")
    assert await number(sockets[1]) == 1
    sockets[1].go()
    await until(lambda: served.ticker.following == 0)
    await sockets[2].subscribe("1", TICKS)
    await sockets[2].begun()
    served.ticker.tick("b")
    assert await number(sockets[2]) == 2
    assert served.ticker.begun == 2


async def test_a_stream_that_breaks_tells_everyone_and_the_next_one_is_new(
    served: Ticking, sockets: list[Socket]
) -> None:
    """An error for each, which ends their operations and not their connections."""
    for socket in sockets[:2]:
        await socket.subscribe("1", TICKS)
        await socket.begun()
    served.ticker.break_with(ZeroDivisionError("a bug"))
    for socket in sockets[:2]:
        assert (await socket.receive())["type"] == "error"
    served.ticker.broken = None
    for socket in sockets[:2]:
        await socket.subscribe("1", TICKS)
        await socket.begun()
    served.ticker.tick("a")
    assert [await number(sockets[0]), await number(sockets[1])] == [1, 1]


async def test_an_event_whose_database_is_away_is_not_skipped(served: Ticking, sockets: list[Socket]) -> None:
    """The stream ends behind the one before, for clients to resume; an error in its place would be all they got."""
    loading = "subscription ($after: String) { ticks(after: $after) { number loaded } }"
    await sockets[0].subscribe("1", loading)
    await sockets[0].begun()
    served.ticker.tick("a")
    assert await number(sockets[0]) == 1
    served.ticker.away = OperationalError("SELECT 1", {}, Exception("gone"))
    served.ticker.tick("b")
    ended = await sockets[0].receive()
    assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
    served.ticker.away = None
    await sockets[0].subscribe("2", loading, after="1")
    assert await number(sockets[0], "2") == 2


async def test_a_replay_goes_on_live(served: Ticking) -> None:
    """Everything behind the cursor, then what comes, each once."""
    served.ticker.tick("a", "b", "c")
    async with greeted(served.app) as socket:
        await socket.subscribe("1", RESUMED, after="1")
        assert [await number(socket), await number(socket)] == [2, 3]
        served.ticker.tick("d")
        assert await number(socket) == 4


@pytest.mark.parametrize("document", [RESUMED, RESUMED.replace("$after: String", '$after: String = "0"')])
async def test_after_null_begins_now(served: Ticking, document: str) -> None:
    """As if it were left out, and shared with those who left it out."""
    served.ticker.tick("a")
    async with greeted(served.app) as one, greeted(served.app) as other:
        await one.subscribe("1", document, after=None)
        await other.subscribe("1", document, after=None)
        await one.begun()
        await other.begun()
        served.ticker.tick("b")
        assert [await number(one), await number(other)] == [2, 2]
    assert (served.ticker.begun, served.ticker.executed) == (1, 1)


async def test_who_has_caught_up_is_served_with_the_others(served: Ticking, sockets: list[Socket]) -> None:
    """Whether they were there before, replayed as well, or come later; what is live is executed once."""
    served.ticker.tick("a", "b", "c")
    for after, socket in zip((None, "0", "2", "3"), sockets, strict=False):
        await socket.subscribe("1", RESUMED, **({} if after is None else {"after": after}))
        for expected in range(int(after or 3) + 1, 4):
            assert await number(socket) == expected
        await socket.begun()
        await until(lambda: served.ticker.following == 1)
    served.ticker.executed = 0
    served.ticker.tick("d")
    assert [await number(socket) for socket in sockets[:4]] == [4] * 4
    assert served.ticker.executed == 1


async def test_who_replays_alone_becomes_what_others_join(served: Ticking, sockets: list[Socket]) -> None:
    """There is no second stream for the same."""
    served.ticker.tick("a")
    await sockets[0].subscribe("1", RESUMED, after="0")
    assert await number(sockets[0]) == 1
    await sockets[0].begun()
    await sockets[1].subscribe("1", RESUMED)
    await sockets[1].begun()
    served.ticker.tick("b")
    assert [await number(sockets[0]), await number(sockets[1])] == [2, 2]
    assert (served.ticker.begun, served.ticker.executed) == (1, 2)


async def test_a_variable_that_is_used_elsewhere_too_keeps_them_apart(served: Ticking, sockets: list[Socket]) -> None:
    """What else it means may differ."""
    document = "subscription ($after: String) { ticks(after: $after, containing: $after) { number } }"
    served.ticker.tick("1")
    for after, socket in zip(("0", "1"), sockets, strict=False):
        await socket.subscribe("1", document, after=after)
        await socket.begun()
    served.ticker.tick("0 and 1")
    assert [await number(sockets[0]), await number(sockets[1])] == [2, 2]
    assert served.ticker.executed == 2


async def test_a_replay_goes_no_faster_than_its_client_reads(served: Ticking) -> None:
    """A long one does not run into the limit of what is queued for a client."""
    served.ticker.tick(*(["a"] * 2_000))
    async with greeted(served.app) as socket:
        socket.reading.clear()
        await socket.subscribe("1", RESUMED, after="0")
        await until(lambda: served.ticker.executed > 0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert served.ticker.executed < 3
        socket.reading.set()
        assert [await number(socket) for _ in range(2_000)] == list(range(1, 2_001))


async def test_a_stream_that_never_waits_gives_others_their_turn(served: Ticking) -> None:
    """And ends at once when its client is gone."""
    async with greeted(served.app) as greedy, greeted(served.app) as other:
        await greedy.subscribe("1", "subscription { count(to: 1000000000) }")
        await greedy.data("1")
        await other.subscribe("1", "{ sum }")
        assert await other.data("1") == {"sum": 2}
        greedy.go()
        await until(lambda: served.ticker.following == 0)


async def test_a_pong_waits_for_what_has_not_begun(served: Ticking) -> None:
    """But for no longer than a moment, for clients take a late pong for a dead server."""
    served.ticker.starting.clear()
    async with greeted(served.app) as socket:
        await socket.subscribe("1", TICKS)
        await socket.begun()
        served.ticker.starting.set()
        await socket.begun()
        served.ticker.tick("a")
        assert await number(socket) == 1
