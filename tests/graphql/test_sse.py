"""GraphQL over server-sent events, in distinct connections mode."""

import asyncio
import json
from typing import Any

import pytest

from opsgraph.graphql import sse
from opsgraph.graphql.outbox import Patience
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Unauthenticated
from tests.support.event_streams import COMMENT, Answer, streamed
from tests.support.ticking import Ticking, ticking
from tests.support.waiting import until

TICKS = "subscription { ticks { number } }"
RESUMED = "subscription ($after: String) { ticks(after: $after) { number } }"
COMPLETE = {"event": "complete", "data": ""}
BOTH = {"accept": "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}


@pytest.fixture
def served() -> Ticking:
    """An application with subscriptions."""
    return ticking()


async def numbers(answer: Answer, count: int) -> list[int]:
    """So many ticks."""
    return [(await answer.result())["data"]["ticks"]["number"] for _ in range(count)]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_is_a_stream_of_events(served: Ticking, method: str) -> None:
    """The first thing that comes is a comment, which says that it has begun; events carry their cursor as their id."""
    async with streamed(served.app, TICKS, method=method) as answer:
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
        assert await answer.event() == COMMENT
        served.ticker.tick("a", "b")
        for number in (1, 2):
            event = await answer.event()
            assert (event["id"], event["event"]) == (str(number), "next")
            assert json.loads(event["data"]) == {"data": {"ticks": {"number": number}}}


async def test_it_is_neither_packed_nor_held_back(served: Ticking) -> None:
    """Whatever the client could unpack: each event has to get through by itself."""
    async with streamed(served.app, TICKS.replace("number", "text"), headers={"accept-encoding": "gzip"}) as answer:
        assert "content-encoding" not in answer.headers
        assert await answer.event() == COMMENT
        served.ticker.tick("a" * 5_000)
        assert (await answer.result())["data"]["ticks"]["text"] == "a" * 5_000


async def test_a_stream_that_ends_completes(served: Ticking) -> None:
    """With an event that has data, if empty, or an EventSource would not tell of it; then the answer ends."""
    async with streamed(served.app, "subscription { count(to: 2) }") as answer:
        body = await answer.body()
    assert [block for block in body.split("\n\n") if block != ":"] == [
        'event: next\ndata: {"data":{"count":0}}',
        'event: next\ndata: {"data":{"count":1}}',
        "event: complete\ndata:",
        "",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ sum }", {"data": {"sum": 2}}),
        ('mutation { tick(text: "a") }', {"data": {"tick": 1}}),
    ],
)
async def test_queries_and_mutations_are_streams_of_one_result(
    served: Ticking, query: str, expected: dict[str, Any]
) -> None:
    """For clients that know one way of asking only."""
    async with streamed(served.app, query) as answer:
        assert await answer.result() == expected
        assert await answer.event() == COMPLETE
        await answer.body()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ su", "BAD_INPUT"),
        ("{ nothing }", "BAD_INPUT"),
        ("subscription { nothing }", "BAD_INPUT"),
        ("subscription ($to: Int!) { count(to: $to) }", "BAD_INPUT"),
        ('subscription { ticks(after: "x") { number } }', "BAD_INPUT"),
        ('subscription { ticks(after: "9") { number } }', "CURSOR_EXPIRED"),
        ("subscription { secrets }", "FORBIDDEN"),
        ("{ bug }", "INTERNAL"),
    ],
)
async def test_what_cannot_be_executed_is_told_in_the_stream(served: Ticking, query: str, code: str) -> None:
    """An EventSource cannot read any other answer; after it, the stream completes."""
    served.who.actor = Actor("ann", frozenset({Role.EDITOR}))
    async with streamed(served.app, query) as answer:
        (error,) = (await answer.result())["errors"]
        assert await answer.event() == COMPLETE
        await answer.body()
    assert error["extensions"]["code"] == code
    if code == "INTERNAL":
        assert error["extensions"]["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "headers", "query", "status"),
    [
        ("PUT", {}, TICKS, 405),
        ("GET", {}, 'mutation { tick(text: "a") }', 405),
        ("POST", {"content-type": "text/plain"}, TICKS, 415),
        ("POST", {"origin": "https://evil.example"}, TICKS, 403),
        ("POST", {"accept": "text/html"}, TICKS, 406),
        ("POST", {"accept": "text/event-stream;q=0"}, TICKS, 406),
        ("POST", {"accept": "*/*"}, TICKS, 400),
        ("POST", {"accept": "application/json"}, TICKS, 400),
    ],
)
async def test_requests_that_are_wrong_in_themselves_get_a_status(
    served: Ticking, method: str, headers: dict[str, str], query: str, status: int
) -> None:
    """As JSON, like any request; a client that does not ask for a stream by name gets none."""
    async with streamed(served.app, query, method=method, headers=headers) as answer:
        assert answer.status == status
        assert json.loads(await answer.body())["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert (served.ticker.begun, served.ticker.texts) == (0, [])


async def test_nobody_known_gets_401(served: Ticking) -> None:
    """With how to say who one is."""
    served.who.actor = Unauthenticated("this server asks for a key")
    async with streamed(served.app, TICKS) as answer:
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_clients_that_read_both_get_what_suits_the_operation(served: Ticking) -> None:
    """JSON for what has one result, a stream for a subscription."""
    async with streamed(served.app, "{ sum }", headers=BOTH) as answer:
        assert answer.headers["content-type"].startswith("application/graphql-response+json")
    async with streamed(served.app, TICKS, headers=BOTH) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("query", [TICKS, RESUMED, 'subscription { ticks(after: "0") { number } }'])
async def test_a_browser_that_reconnects_goes_on_where_it_was(served: Ticking, query: str) -> None:
    """It repeats its first request, and names the last event that it has seen in a header, which is newer."""
    served.ticker.tick("a", "b", "c")
    async with streamed(served.app, query, {"after": "0"}, method="GET", headers={"last-event-id": "2"}) as answer:
        assert await numbers(answer, 1) == [3]
        served.ticker.tick("d")
        assert await numbers(answer, 1) == [4]


async def test_streams_of_both_kinds_are_executed_once(served: Ticking) -> None:
    """Whichever way the results travel."""
    async with streamed(served.app, TICKS) as one, streamed(served.app, TICKS, method="GET") as other:
        for answer in (one, other):
            assert await answer.event() == COMMENT
        served.ticker.tick("a")
        assert (await numbers(one, 1), await numbers(other, 1)) == ([1], [1])
    assert (served.ticker.begun, served.ticker.executed) == (1, 1)


async def test_a_stream_says_now_and_then_that_it_is_alive(served: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a comment, which clients skip."""
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.001)
    async with streamed(served.app, TICKS) as answer:
        for _ in range(3):
            assert await answer.event() == COMMENT
        served.ticker.tick("a")
        assert await numbers(answer, 1) == [1]


async def test_whoever_is_gone_leaves_nothing_behind(served: Ticking) -> None:
    """No task, no stream, no connection, as soon as the server hears of it."""
    before = asyncio.all_tasks()
    async with streamed(served.app, TICKS), streamed(served.app, "subscription { count(to: 1000000000) }"):
        await until(lambda: served.ticker.following == 2)
        assert served.live.count == 2
    await until(lambda: asyncio.all_tasks() <= before)
    assert (served.live.count, served.ticker.following) == (0, 0)


async def test_whoever_does_not_read_is_ended_and_resumes() -> None:
    """The answer ends as if it were over; a browser connects again by itself, and says where it was."""
    served = ticking()
    async with streamed(served.app, TICKS) as answer:
        assert await answer.event() == COMMENT
        served.ticker.tick("a")
        assert await numbers(answer, 1) == [1]
        answer.reading.clear()
        served.ticker.tick(*["a"] * 300)
        await until(lambda: served.ticker.executed == 301)
        answer.reading.set()
        await answer.body()
    async with streamed(served.app, TICKS, headers={"last-event-id": "1"}) as answer:
        assert await numbers(answer, 300) == list(range(2, 302))


async def test_whoever_takes_nothing_at_all_is_cut_off() -> None:
    """After a moment in which not even the end gets through."""
    served = ticking(Patience(close_seconds=0.01))
    async with streamed(served.app, TICKS) as answer, streamed(served.app, TICKS) as other:
        assert [await answer.event(), await other.event()] == [COMMENT, COMMENT]
        answer.reading.clear()
        served.ticker.tick(*["a"] * 400)
        assert await numbers(other, 400) == list(range(1, 401))
        await until(lambda: answer.cut_off)
        await until(lambda: served.live.count == 1)


async def test_one_too_many_is_told_to_come_again() -> None:
    """503 with Retry-After, before anything is executed."""
    served = ticking(max_connections=1)
    async with streamed(served.app, TICKS) as first:
        assert await first.event() == COMMENT
        async with streamed(served.app, TICKS.replace("number", "text")) as answer:
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            (error,) = json.loads(await answer.body())["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert served.ticker.begun == 1


async def test_a_server_that_goes_away_ends_its_streams(served: Ticking) -> None:
    """In good order, so that browsers connect again."""
    async with streamed(served.app, TICKS) as answer:
        assert await answer.event() == COMMENT
        await served.live.close()
        await answer.body()
        assert answer.ended
        assert not answer.cut_off
