"""Operations over a WebSocket: what they answer, how they fail, and how they end."""

import json

import pytest
import structlog

from opsgraph.kernel.actor import Actor, Role
from tests.support.sockets import connected, greeted
from tests.support.ticking import Ticking, ticking

TICKS = "subscription { ticks { number } }"
MERGED = [structlog.contextvars.merge_contextvars]


@pytest.fixture
def served() -> Ticking:
    """An application with subscriptions."""
    return ticking()


async def test_queries_and_mutations_answer_once(served: Ticking) -> None:
    """A result, then complete."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", "query ($left: Int) { sum(left: $left) }", left=40)
        assert await socket.receive() == {"id": "1", "type": "next", "payload": {"data": {"sum": 41}}}
        assert await socket.receive() == {"id": "1", "type": "complete"}
        await socket.subscribe("2", 'mutation { tick(text: "a") }')
        assert await socket.data("2") == {"tick": 1}
        assert await socket.receive() == {"id": "2", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "message", "code"),
    [
        ("{ su", "Syntax Error: Expected Name, found <EOF>.", "BAD_INPUT"),
        ("", "query is a non-empty string", "BAD_INPUT"),
        (" ", "Syntax Error: Unexpected <EOF>.", "BAD_INPUT"),
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'.", "BAD_INPUT"),
        ("subscription { nothing }", "Cannot query field 'nothing' on type 'Subscription'.", "BAD_INPUT"),
        ("subscription { tick", "Syntax Error: Expected Name, found <EOF>.", "BAD_INPUT"),
        ("subscription { ticks { number } count(to: 1) }", "Anonymous Subscription must select only one", "BAD_INPUT"),
        ("subscription { __typename }", "Anonymous Subscription must not select an introspection", "BAD_INPUT"),
        ("subscription { count }", "Argument 'Subscription.count(to:)' of type 'Int!' is required", "BAD_INPUT"),
        ("subscription ($to: Int!) { count(to: $to) }", "Variable '$to' has invalid value", "BAD_INPUT"),
        ("subscription { count(to: 1) @skip(if: true) }", "Anonymous Subscription must not use", "BAD_INPUT"),
        ("query A { sum } query B { sum }", "the document has 2 operations; name the one", "BAD_INPUT"),
        ("subscription A { count(to: 1) } query B { sum }", "the document has 2 operations; name", "BAD_INPUT"),
        ("fragment F on Query { sum }", "Can't get GraphQL operation type", "BAD_INPUT"),
        ("{ " + "a: sum " * 101 + "}", "the operation exceeds the limit of 100 aliases: it has 101", "LIMIT_EXCEEDED"),
        ("subscription { ticks { " + "a: number " * 101 + "} }", "the operation exceeds the limit", "LIMIT_EXCEEDED"),
        ('subscription { ticks(after: "x") { number } }', "after is not a cursor that opsgraph made", "BAD_INPUT"),
        ('subscription { ticks(containing: "\\u0000") { number } }', "containing contains the character", "BAD_INPUT"),
    ],
)
async def test_what_cannot_be_executed_is_an_error_for_its_id(
    served: Ticking, query: str, message: str, code: str
) -> None:
    """The same errors as over HTTP; the socket lives on."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", query)
        answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("1", "error")
        (error,) = answer["payload"]
        assert error["message"].startswith(message)
        assert error["extensions"]["code"] == code
        await socket.subscribe("1", "{ sum }")
        assert await socket.data("1") == {"sum": 2}
    assert served.ticker.following == 0


async def test_the_cost_of_a_subscription_is_limited() -> None:
    """As that of any operation, before it begins."""
    served = ticking(max_cost=1, max_depth=1)
    async with greeted(served.app) as socket:
        await socket.subscribe("1", "subscription { ticks { number } }")
        (error,) = (await socket.receive())["payload"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert served.ticker.begun == 0


@pytest.mark.parametrize("roles", [frozenset[Role](), frozenset({Role.INGEST})])
async def test_a_subscription_asks_for_its_role(served: Ticking, roles: frozenset[Role]) -> None:
    """FORBIDDEN at the top, before anything is followed."""
    served.who.actor = Actor("ann", roles)
    async with greeted(served.app) as socket:
        for name in ("ticks { number }", "count(to: 1)"):
            await socket.subscribe("1", f"subscription {{ {name} }}")
            (error,) = (await socket.receive())["payload"]
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert error["message"].endswith('needs the role VIEWER, which "ann" does not have')
            assert error["path"] == [name.partition(" ")[0].partition("(")[0]]
    assert (served.ticker.begun, served.ticker.following) == (0, 0)


async def test_named_operations_are_found_by_name(served: Ticking) -> None:
    """A subscription among queries, whose root field stands in a fragment and has another name."""
    document = "query A { sum } subscription B { ...F } fragment F on Subscription { all: ticks { number } }"
    async with greeted(served.app) as socket:
        payload = {"query": document, "operationName": "B"}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        await socket.begun()
        served.ticker.tick("a")
        assert await socket.data("1") == {"all": {"number": 1}}
        await socket.send({"id": "2", "type": "subscribe", "payload": payload | {"operationName": "A"}})
        assert await socket.data("2") == {"sum": 2}


async def test_complete_ends_an_operation(served: Ticking) -> None:
    """Nothing comes after it, and nothing is left running; of an id that is unknown it says nothing."""
    async with greeted(served.app) as socket:
        for name, operation in (("1", TICKS), ("2", "{ stuck }"), ("3", "subscription { count(to: 1000000) }")):
            await socket.subscribe(name, operation)
        for name in ("1", "2", "3", "4"):
            await socket.send({"id": name, "type": "complete"})
        await socket.send({"type": "ping"})
        while (await socket.receive())["type"] != "pong":
            pass
        served.ticker.tick("a")
        await socket.begun()
        assert served.ticker.following == 0
    assert served.ticker.executed == 0


async def test_a_stream_that_ends_completes(served: Ticking) -> None:
    """After its last event."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", "subscription { count(to: 2) }")
        assert [await socket.data("1"), await socket.data("1")] == [{"count": 0}, {"count": 1}]
        assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_a_cursor_that_has_expired_ends_the_subscription(served: Ticking) -> None:
    """With a code that tells the client to read again."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", 'subscription { ticks(after: "7") { number } }')
        answer = await socket.receive()
    assert (answer["id"], answer["type"]) == ("1", "error")
    assert answer["payload"][0]["extensions"]["code"] == "CURSOR_EXPIRED"


@pytest.mark.parametrize("operation", ["{ bug }", TICKS])
async def test_bugs_are_logged_and_masked(served: Ticking, operation: str) -> None:
    """Under an id that the client gets to hear as well."""
    with structlog.testing.capture_logs(MERGED) as log:
        async with greeted(served.app) as socket:
            await socket.subscribe("1", operation)
            if operation == TICKS:
                await socket.begun()
                served.ticker.break_with(ZeroDivisionError("no business of a client's"))
            answer = await socket.receive()
    errors = answer["payload"] if answer["type"] == "error" else answer["payload"]["errors"]
    assert errors[0]["message"] == "an unexpected error happened; it was logged with the request's id"
    assert errors[0]["extensions"]["code"] == "INTERNAL"
    (entry,) = [entry for entry in log if entry["log_level"] == "error"]
    assert entry["request_id"] == errors[0]["extensions"]["requestId"]
    assert isinstance(entry["exc_info"], ZeroDivisionError)


async def test_a_bug_in_one_event_costs_that_event_its_field(served: Ticking) -> None:
    """The subscription goes on."""
    async with greeted(served.app) as socket:
        await socket.subscribe("1", "subscription { ticks { number broken } }")
        await socket.begun()
        served.ticker.tick("a", "b")
        for number in (1, 2):
            payload = (await socket.receive())["payload"]
            assert payload["data"] == {"ticks": {"number": number, "broken": None}}
            assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"
            assert payload["errors"][0]["path"] == ["ticks", "broken"]


async def test_an_unexpected_failure_closes_with_4500(served: Ticking) -> None:
    """The reason is in the log alone."""
    served.who.actor = ZeroDivisionError("no business of a client's")
    with structlog.testing.capture_logs(MERGED) as log:
        async with connected(served.app, {"x-request-id": "the-connection"}) as socket:
            await socket.send({"type": "connection_init"})
            assert await socket.closed() == (4500, "Internal server error")
    (entry,) = [entry for entry in log if entry["log_level"] == "error"]
    assert (entry["event"], entry["request_id"]) == ("socket_failed", "the-connection")


async def test_frames_are_text_in_utf8(served: Ticking) -> None:
    """Binary ones would break the npm client graphql-ws; ids and texts of any script come back as they were."""
    async with greeted(served.app) as socket:
        await socket.subscribe('"ü\\', TICKS.replace("number", "text"))
        await socket.begun()
        served.ticker.tick('"ödeme" 支付 \\ \u2028')
        message = await socket._next()
    assert message.keys() == {"type", "text"}
    assert json.loads(message["text"]) == {
        "id": '"ü\\',
        "type": "next",
        "payload": {"data": {"ticks": {"text": '"ödeme" 支付 \\ \u2028'}}},
    }
