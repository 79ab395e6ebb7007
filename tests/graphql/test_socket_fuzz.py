"""Whatever a client sends: the server answers, closes with a code of the protocol, and has nothing left over."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scale import scaled
from tests.support.sockets import connected, greeted
from tests.support.ticking import ticking
from tests.support.waiting import until

CODES = {4400, 4401, 4403, 4409, 4429}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
QUERIES = st.sampled_from(
    [
        "{ sum }",
        "{ stuck }",
        "{ bug }",
        "{",
        "",
        "subscription { ticks { number broken } }",
        'subscription { ticks(after: "0") { number } }',
        'subscription { ticks(after: "9") { number } }',
        "subscription { count(to: 1000000000) }",
        "subscription ($to: Int!) { count(to: $to) }",
        'mutation { tick(text: "a") }',
    ]
)
IDS = st.sampled_from(["1", "2", "3", ""]) | st.text(max_size=3)
PAYLOADS = st.fixed_dictionaries({"query": QUERIES}, optional={"variables": JSON, "operationName": JSON}) | JSON
TYPES = ["connection_init", "ping", "pong", "subscribe", "complete", "next", "error", "connection_ack"]
LIKELY = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)}, optional={"id": IDS, "payload": PAYLOADS, "more": JSON}
)
SUBSCRIBE = st.fixed_dictionaries({"type": st.just("subscribe"), "id": IDS, "payload": PAYLOADS})
MESSAGES = (
    (SUBSCRIBE | LIKELY | JSON).map(json.dumps)
    | st.text(max_size=50).filter(lambda text: text.isprintable())
    | st.binary(max_size=20)
)


async def sent(messages: Sequence[str | bytes], *, let_in: bool) -> tuple[int | None, bool]:
    """Send messages; gives the code by which the server closed, if it did, and whether others are served meanwhile."""
    served = ticking()
    served.ticker.tick("a")
    before = asyncio.all_tasks()
    async with greeted(served.app) as other, connected(served.app) as socket:
        if let_in:
            await socket.init()
        for message in messages:
            await socket.send(message)
        served.ticker.tick("b")
        await socket.send({"type": "ping", "payload": {"the": "end"}})
        code = None
        while (event := await socket._next())["type"] != "websocket.close":
            if json.loads(event["text"]) == {"type": "pong", "payload": {"the": "end"}}:
                break
        else:
            code = event["code"]
        await other.subscribe("1", "{ sum }")
        others_served = await other.data("1") == {"sum": 2}
    await until(lambda: asyncio.all_tasks() <= before and served.ticker.following == 0 and served.live.count == 0)
    return code, others_served


@pytest.mark.long
@given(st.lists(MESSAGES, max_size=12), st.booleans())
@settings(max_examples=scaled(5_000))
def test_no_message_kills_the_server_or_leaves_anything_behind(
    messages: list[str | bytes],
    let_in: bool,
) -> None:
    """It ends in a pong or in a close code, while another client is served; no task, no stream, no connection stays."""
    code, others_served = asyncio.run(sent(messages, let_in=let_in))
    assert code in CODES | {None}
    assert others_served


def test_the_messages_reach_every_end() -> None:
    """The search above is no use if it only ever found one way to fail."""
    asked = '{"type":"subscribe","id":"1","payload":{"query":"{ sum }"}}'
    early = [asyncio.run(sent([message], let_in=False))[0] for message in ("x", asked, '{"type":"ping"}')]
    assert early == [4400, 4401, None]
    assert asyncio.run(sent(['{"type":"connection_init"}'], let_in=True))[0] == 4429
    assert asyncio.run(sent([asked.replace("sum", "stuck")] * 2, let_in=True))[0] == 4409
