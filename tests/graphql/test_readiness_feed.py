"""The live feed of readiness: decisions that change, and overrides that begin and end."""

from typing import Any

import pytest

from opsgraph.kernel.actor import Actor, Role
from tests.support.api import Api
from tests.support.readiness import acted, evaluate, judged
from tests.support.sockets import Socket, greeted
from tests.support.statements import statements
from tests.support.verdicts import APPROVER, EDITOR, EVERYTHING

FEED = """subscription ($after: String, $services: [String!]) {
  readinessFeed(after: $after, services: $services) {
    cursor at kind decision effectiveDecision previousDecision service { name } verdict { decision passRateShown }
  }
}"""


async def event(socket: Socket) -> dict[str, Any]:
    """The next event."""
    found: dict[str, Any] = (await socket.data("1"))["readinessFeed"]
    return found


def told(found: dict[str, Any]) -> tuple[Any, ...]:
    """What happened, what is decided, what counts, and what counted before."""
    return found["kind"], found["decision"], found["effectiveDecision"], found["previousDecision"]


async def override(api: Api, service: str = "api") -> None:
    """Override a verdict for a day."""
    before = api.who.actor
    api.who.actor = EDITOR
    wanted = {"decision": "GO", "reason": "It is a test", "expiresAt": "2024-03-16T12:00:00Z"}
    await acted(api, "requestReadinessOverride", service=service, **wanted)
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service=service)
    api.who.actor = before


async def test_each_change_of_what_counts_makes_one_event(api: Api) -> None:
    """The first verdict, an override, its end by a new blocker; a verdict that says the same makes none."""
    async with greeted(api.app) as socket:
        await socket.subscribe("1", FEED)
        await socket.begun()
        await judged(api, encryption=False)
        await evaluate(api)
        await override(api)
        first, overridden = await event(socket), await event(socket)
        assert told(first) == ("DECISION_CHANGED", "NO_GO", "NO_GO", None)
        assert (first["service"], first["verdict"]["decision"]) == ({"name": "api"}, "NO_GO")
        assert first["at"] == "2024-03-15T12:00:00Z"
        assert told(overridden) == ("OVERRIDDEN", "NO_GO", "GO", "NO_GO")
        await acted(
            api, "declareManifest", service="api", values={**EVERYTHING, "encryption": False, "authentication": False}
        )
        await evaluate(api)
        assert told(await event(socket)) == ("OVERRIDE_ENDED", "NO_GO", "NO_GO", "GO")
        await acted(api, "declareManifest", service="api", values=EVERYTHING)
        await evaluate(api)
        assert told(await event(socket)) == ("DECISION_CHANGED", "CONDITIONAL_GO", "CONDITIONAL_GO", "NO_GO")


async def test_the_feed_is_replayed_from_a_cursor_and_for_some_services(api: Api) -> None:
    """By their names, whatever the case; they are looked up once a batch."""
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    for name in ("web", "api", "db"):
        await judged(api, name)
    async with greeted(api.app) as socket:
        with statements(api.core.database) as seen:
            await socket.subscribe("1", FEED, after=cursor, services=["API", "db", "nobody"])
            events = [await event(socket), await event(socket)]
        await socket.begun()
    assert [one["service"]["name"] for one in events] == ["api", "db"]
    assert len([one for one in seen if "OUTER JOIN team" in one]) == 1
    async with greeted(api.app) as socket:
        await socket.subscribe("1", FEED, after=events[0]["cursor"])
        assert (await event(socket))["service"]["name"] == "db"


@pytest.mark.parametrize("roles", [[], [Role.INGEST]], ids=["nothing", "ingest"])
async def test_following_asks_for_viewer(api: Api, roles: list[Role]) -> None:
    """Who only posts facts does not follow."""
    api.who.actor = Actor("ann", frozenset(roles))
    async with greeted(api.app) as socket:
        await socket.subscribe("1", FEED)
        (error,) = (await socket.receive())["payload"]
    assert error["extensions"]["details"] == {"action": "readinessFeed", "anyOf": ["VIEWER"]}


async def test_a_feed_of_too_many_services_is_refused(api: Api) -> None:
    """As that of health."""
    async with greeted(api.app) as socket:
        await socket.subscribe("1", FEED, services=["a"] * 1_001)
        assert "at most 1,000" in (await socket.receive())["payload"][0]["message"]
