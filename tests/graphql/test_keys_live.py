"""Connections that stay open, and the keys that they were opened with."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.kernel.actor import Role
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import START, TestClock
from tests.support.event_streams import COMMENT, streamed
from tests.support.keys import Keyed, bearing, keyed, on_record
from tests.support.sockets import connected
from tests.support.waiting import until

FEED = "subscription { alertFeed { kind } }"
NOT_KNOWN = "the key in Authorization is not known here"
GOOD_NO_MORE = (4403, "the key was revoked or has expired")


@pytest.fixture
async def asked(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Keyed]:
    """An application that asks for keys; the fixture of the database empties it afterwards."""
    async with keyed(settings, clock) as started:
        yield started


@pytest.mark.parametrize("in_headers", [True, False])
async def test_whoever_has_a_key_may_open_a_websocket(asked: Keyed, *, in_headers: bool) -> None:
    """With it in the headers or in the payload of the greeting; the payload wins."""
    ana, ben = await asked.key("ana"), await asked.key("ben")
    async with connected(asked.app, bearing(ana if in_headers else ben)) as socket:
        await socket.init({} if in_headers else bearing(ana))
        await socket.subscribe("1", "{ viewer { name } }")
        assert await socket.data("1") == {"viewer": {"name": "ana"}}


async def test_a_key_that_is_good_no_more_opens_nothing(asked: Keyed, clock: TestClock) -> None:
    """Neither a WebSocket nor a stream of events, from that moment on."""
    revoked, expired = await asked.key("revoked"), await asked.key("expired", expires_at=START + timedelta(minutes=1))
    await asked.revoke("revoked")
    clock.move(minutes=1)
    for secret in (revoked, expired):
        async with connected(asked.app) as socket:
            await socket.send({"type": "connection_init", "payload": bearing(secret)})
            assert await socket.closed() == (4403, NOT_KNOWN)
        async with streamed(asked.app, FEED, headers=bearing(secret)) as answer:
            assert answer.status == 401


async def test_a_websocket_closes_once_its_key_is_revoked(asked: Keyed) -> None:
    """Soon, without the client doing anything; one that was opened with another key stays."""
    secret, other = await asked.key("revoked"), await asked.key("other")
    async with connected(asked.app) as socket, connected(asked.app) as staying:
        for each, key in ((socket, secret), (staying, other)):
            await each.init(bearing(key))
            await each.subscribe("1", FEED)
            await each.begun()
        await asked.revoke("revoked")
        assert await socket.closed() == GOOD_NO_MORE
        await staying.begun()


async def test_a_websocket_closes_once_its_key_expires(asked: Keyed, clock: TestClock) -> None:
    """Even if nothing was asked for by it."""
    secret = await asked.key("expiring", expires_at=START + timedelta(minutes=1))
    async with connected(asked.app, bearing(secret)) as socket:
        await socket.init()
        clock.move(minutes=1)
        assert await socket.closed() == GOOD_NO_MORE


async def test_a_stream_of_events_ends_once_its_key_is_revoked(asked: Keyed) -> None:
    """The client connects again, and is told then."""
    secret = await asked.key("revoked")
    async with streamed(asked.app, FEED, headers=bearing(secret)) as answer:
        assert await answer.event() == COMMENT
        await asked.revoke("revoked")
        assert "data" not in await answer.body()
    assert asked.app.state.live.keys() == set()


@pytest.mark.parametrize("over_socket", [True, False])
async def test_a_feed_that_is_denied_is_on_record(asked: Keyed, *, over_socket: bool) -> None:
    """As any other act that is."""
    secret = await asked.key("sender", Role.INGEST)
    if over_socket:
        async with connected(asked.app, bearing(secret)) as socket:
            await socket.init()
            await socket.subscribe("1", FEED)
            assert (await socket.receive())["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    else:
        async with streamed(asked.app, FEED, headers=bearing(secret)) as answer:
            assert (await answer.result())["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    await asked.app.state.live.streams.close()
    (entry,) = await on_record(asked.core.database)
    assert (entry.actor, entry.action, entry.allowed) == ("sender", "alertFeed", False)
    await until(lambda: asked.app.state.live.count == 0)
