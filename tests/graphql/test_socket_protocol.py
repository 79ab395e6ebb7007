"""graphql-transport-ws to the letter: each message, and each way of breaking the rules with its close code."""

import asyncio
from typing import Any

import pytest

from opsgraph.graphql.outbox import Patience
from opsgraph.kernel.refusals import Unauthenticated
from tests.support.sockets import SUBPROTOCOL, connected, greeted
from tests.support.ticking import Ticking, ticking

TICKS = "subscription { ticks { number } }"
INIT = {"type": "connection_init"}


@pytest.fixture
def served() -> Ticking:
    """An application with subscriptions."""
    return ticking()


@pytest.mark.parametrize(
    ("offered", "taken"),
    [([SUBPROTOCOL], SUBPROTOCOL), (["graphql-ws", SUBPROTOCOL], SUBPROTOCOL), ([], None), (["graphql-ws"], None)],
)
async def test_the_subprotocol_is_agreed_upon(served: Ticking, offered: list[str], taken: str | None) -> None:
    """Without it, the connection is accepted and closed with 4406, which browsers can see."""
    async with connected(served.app, subprotocols=offered) as socket:
        assert socket.accepted == taken
        if taken is None:
            assert await socket.closed() == (4406, "Subprotocol not acceptable")
        else:
            await socket.init()


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}, {"payload": {"a": 1}}])
async def test_a_connection_is_let_in(served: Ticking, payload: dict[str, Any]) -> None:
    """With any payload that is an object, null or absent."""
    async with connected(served.app) as socket:
        await socket.send(INIT | payload)
        assert await socket.receive() == {"type": "connection_ack"}


async def test_a_ping_is_answered_with_its_payload(served: Ticking) -> None:
    """Before and after the greeting; a pong is taken without an answer."""
    async with connected(served.app) as socket:
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        await socket.init()
        await socket.send({"type": "pong", "payload": {"a": 1}})
        await socket.send({"type": "ping", "payload": {"ü": [1]}})
        assert await socket.receive() == {"type": "pong", "payload": {"ü": [1]}}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[]", "a message is a JSON object"),
        ('"x"', "a message is a JSON object"),
        ("null", "a message is a JSON object"),
        ("1", "a message is a JSON object"),
        ("{}", "a message has a type, which is a string"),
        ('{"type":1}', "a message has a type, which is a string"),
        ('{"type":"start"}', "a client sends no message of the type start"),
        ('{"type":"next","id":"1","payload":{}}', "a client sends no message of the type next"),
        ('{"type":"connection_ack"}', "a client sends no message of the type connection_ack"),
        ("", "the message is not JSON"),
        ("{", "the message is not JSON"),
        ('{"type":"ping","type":"pong"}', 'the message has the key "type" twice in one object'),
        ("[" * 2_000, "the message is not JSON"),
        (b'{"type":"ping"}', "messages are text, not binary"),
        ('{"type":"ping","payload":[]}', "the payload of ping is an object or null"),
        ('{"type":"pong","payload":1}', "the payload of pong is an object or null"),
        ('{"type":"connection_init","payload":"x"}', "the payload of connection_init is an object or null"),
        ('{"type":"complete"}', "complete has an id, which is a non-empty string"),
        ('{"type":"complete","id":1}', "complete has an id, which is a non-empty string"),
        ('{"type":"subscribe","payload":{"query":"{ sum }"}}', "subscribe has an id, which is a non-empty string"),
        ('{"type":"subscribe","id":"","payload":{"query":"{ sum }"}}', "subscribe has an id, which is a non-empty"),
        ('{"type":"subscribe","id":"1"}', "the payload of subscribe is an object"),
        ('{"type":"subscribe","id":"1","payload":[]}', "the payload of subscribe is an object"),
        ('{"type":"subscribe","id":"1","payload":{}}', "query is a non-empty string"),
        ('{"type":"subscribe","id":"1","payload":{"query":1}}', "query is a non-empty string"),
        (
            '{"type":"subscribe","id":"1","payload":{"query":"{ sum }","variables":[]}}',
            "variables is an object or null",
        ),
        ('{"type":"subscribe","id":"1","payload":{"query":"{ sum }","operationName":1}}', "operationName is a string"),
        (
            '{"type":"subscribe","id":"1","payload":{"query":"{ sum }","extensions":1}}',
            "extensions is an object or null",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
@pytest.mark.parametrize("let_in", [False, True])
async def test_what_is_no_message_closes_with_4400(
    served: Ticking, message: str | bytes, reason: str, *, let_in: bool
) -> None:
    """And a reason that says what is wrong with it, before and after the greeting."""
    async with connected(served.app) as socket:
        if let_in:
            await socket.init()
        await socket.send(message)
        code, told = await socket.closed()
    assert (code, told[: len(reason)]) == (4400, reason)


async def test_a_long_reason_fits_into_a_close_frame(served: Ticking) -> None:
    """123 bytes, and no half of a character."""
    async with connected(served.app) as socket:
        await socket.send({"type": "ü" * 200})
        code, told = await socket.closed()
    assert code == 4400
    assert 120 <= len(told.encode()) <= 123


async def test_whoever_says_nothing_is_closed_with_4408() -> None:
    """A connection that is never greeted would be there for nothing."""
    served = ticking(Patience(init_seconds=0))
    async with connected(served.app) as socket:
        assert await socket.closed() == (4408, "Connection initialisation timeout")


async def test_whoever_was_let_in_has_time() -> None:
    """The limit is for the greeting alone."""
    served, clock = ticking(Patience(init_seconds=1)), asyncio.get_running_loop()
    async with greeted(served.app) as socket:
        over = clock.time() + 1
        await socket.subscribe("1", "subscription { count(to: 1000000000) }")
        while clock.time() <= over:
            assert "count" in await socket.data("1")
        assert "count" in await socket.data("1")


async def test_greeting_twice_closes_with_4429(served: Ticking) -> None:
    """Who is asking is said once."""
    async with greeted(served.app) as socket:
        await socket.send(INIT)
        assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_asking_before_being_let_in_closes_with_4401(served: Ticking) -> None:
    """Nothing is executed."""
    async with connected(served.app) as socket:
        await socket.subscribe("1", 'mutation { tick(text: "a") }')
        assert await socket.closed() == (4401, "Unauthorized")
    assert served.ticker.texts == []


@pytest.mark.parametrize("operation", [TICKS, "{ stuck }"])
async def test_an_id_that_is_taken_closes_with_4409(served: Ticking, operation: str) -> None:
    """Whatever runs under it ends as well."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", operation)
        await socket.subscribe("1", "{ sum }")
        assert await socket.closed() == (4409, "Subscriber for 1 already exists")
    assert served.ticker.following == 0


async def test_an_id_may_be_used_again_when_its_operation_is_over(served: Ticking) -> None:
    """After complete from either side, and after an error."""
    async with greeted(served.app) as socket:
        for _ in range(2):
            await socket.subscribe("1", "{ sum }")
            assert await socket.data("1") == {"sum": 2}
            assert await socket.receive() == {"id": "1", "type": "complete"}
        await socket.subscribe("1", TICKS)
        await socket.send({"id": "1", "type": "complete"})
        await socket.subscribe("1", "{")
        assert (await socket.receive())["type"] == "error"
        await socket.subscribe("1", TICKS)
        await socket.begun()
        served.ticker.tick("a")
        assert await socket.data("1") == {"ticks": {"number": 1}}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer from-the-headers"}])
async def test_who_is_asking_may_stand_in_the_payload(served: Ticking, headers: dict[str, str]) -> None:
    """It wins over the header, for browsers cannot set that one; its case does not matter."""
    async with connected(served.app, headers) as socket:
        await socket.init({"Authorization": "Bearer from-the-payload"})
    (asked,) = served.who.asked
    assert asked.headers.getlist("authorization") == ["Bearer from-the-payload"]
    assert asked.headers["host"] == "opsgraph.test"


@pytest.mark.parametrize("payload", [None, {"authorization": None}])
async def test_who_is_asking_may_stand_in_the_headers(served: Ticking, payload: dict[str, Any] | None) -> None:
    """As with any request."""
    async with connected(served.app, {"authorization": "Bearer key"}) as socket:
        await socket.init(payload)
    assert served.who.asked[0].headers["authorization"] == "Bearer key"


async def test_an_authorization_that_is_no_text_is_malformed(served: Ticking) -> None:
    """4400, as for any message that is not the protocol."""
    async with connected(served.app) as socket:
        await socket.send(INIT | {"payload": {"authorization": 1}})
        assert await socket.closed() == (4400, "authorization in the payload of connection_init is a string")


async def test_nobody_known_is_closed_with_4403(served: Ticking) -> None:
    """With the reason that a request over HTTP is told, as far as it fits into a close frame."""
    served.who.actor = Unauthenticated("the key in Authorization is not known here")
    async with connected(served.app) as socket:
        await socket.send(INIT)
        assert await socket.closed() == (4403, "the key in Authorization is not known here")
    served.who.actor = Unauthenticated("because " * 100)
    async with connected(served.app) as socket:
        await socket.send(INIT)
        code, reason = await socket.closed()
        assert (code, reason.startswith("because because "), len(reason.encode()) <= 123) == (4403, True, True)


async def test_a_page_of_another_site_is_not_let_in() -> None:
    """Before the handshake, which is a 403; pages of our own and of origins that are allowed are."""
    served = ticking(origins=frozenset({"https://dashboard.example"}))
    async with connected(served.app, {"origin": "https://evil.example"}) as socket:
        assert await socket.closed() == (4403, "")
        assert socket.accepted is None
    for origin in ("https://dashboard.example", "https://opsgraph.test"):
        async with greeted(served.app, headers={"origin": origin}) as socket:
            assert socket.accepted == SUBPROTOCOL
