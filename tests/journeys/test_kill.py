"""kill -9 under load, again and again: what was answered is there, once, and followers have missed nothing."""

import asyncio
import itertools
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.killing import Follower, Mortal, Sender, asked, mortal
from tests.support.scale import scaled

KILLS = scaled(100, 3)
SENDERS = 4
BETWEEN_KILLS = 40
ENDS_WITHIN_SECONDS = 120
ALERTS = """query ($after: String) { alerts(first: 200, after: $after) {
  nodes { id fingerprint labels incident { id } } pageInfo { hasNextPage endCursor } } }"""
INCIDENTS = """query ($after: String) { incidents(first: 200, after: $after) {
  nodes { id serviceName severity alertCount alerts(first: 0) { totalCount } } pageInfo { hasNextPage endCursor } } }"""


async def everything(server: Mortal, query: str, field: str) -> list[dict[str, Any]]:
    """All nodes of a connection, page by page."""
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await asked(server.url, query, after=after))[field]
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


async def kill_again_and_again(server: Mortal, senders: list[Sender]) -> None:
    """Each time the senders have got on, whatever they are doing then."""
    for number in range(1, KILLS + 1):
        await asyncio.gather(*(sender.until(number * BETWEEN_KILLS // SENDERS) for sender in senders))
        await server.kill()
        await server.start()
    await asyncio.gather(*(sender.until((KILLS + 1) * BETWEEN_KILLS // SENDERS) for sender in senders))


@pytest.mark.long
@pytest.mark.usefixtures("database")  # which empties it afterwards
async def test_what_was_answered_is_there_once(database_url: str, tmp_path: Path) -> None:
    """Each alert answered 2xx, each incident, and for each follower each event."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(mortal(tmp_path, OPSGRAPH_DATABASE_URL=database_url))
        start = (await asked(server.url, "{ feedCursor }"))["feedCursor"]
        senders = [Sender(server, f"sender-{number}") for number in range(SENDERS)]
        followers = [Follower(server, start) for _ in range(2)]
        followings = [asyncio.create_task(follower.run()) for follower in followers]
        sendings = [asyncio.create_task(sender.run()) for sender in senders]
        await kill_again_and_again(server, senders)
        for sender in senders:
            sender.ending = True
        await asyncio.gather(*sendings)
        alerts = await everything(server, ALERTS, "alerts")
        async with asyncio.timeout(ENDS_WITHIN_SECONDS):
            await asyncio.gather(*(follower.until(len(alerts)) for follower in followers))
        for following in followings:
            following.cancel()
        await asyncio.gather(*followings, return_exceptions=True)
        incidents = await everything(server, INCIDENTS, "incidents")
    stored = Counter(alert["labels"]["alertname"] for alert in alerts)
    acknowledged = set(itertools.chain.from_iterable(sender.acknowledged for sender in senders))
    assert acknowledged <= stored.keys()
    assert set(stored.values()) == {1}
    assert all(alert["incident"] for alert in alerts)
    assert max(Counter(incident["serviceName"] for incident in incidents).values()) == 1
    assert all(incident["alertCount"] == incident["alerts"]["totalCount"] for incident in incidents)
    for follower in followers:
        assert sorted(follower.seen) == sorted(("FIRED", alert["id"]) for alert in alerts)
