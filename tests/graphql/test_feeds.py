"""Live feeds: what happens to alerts, incidents and the health of services, as it happens and from a cursor on."""

from typing import Any

import pytest
from sqlalchemy import update

from opsgraph.events.tables import event_logs
from opsgraph.kernel.actor import SYSTEM, Actor, Role
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.incidents import opened, respond
from tests.support.sockets import Socket, greeted
from tests.support.statements import statements

ALERTS = """subscription ($after: String, $filter: AlertFilter) {
  alertFeed(after: $after, filter: $filter) { cursor at kind alert { message status serviceName } }
}"""
INCIDENTS = """subscription ($after: String, $filter: IncidentFilter) {
  incidentFeed(after: $after, filter: $filter) { cursor at kind incident { number status alertCount version } }
}"""
HEALTH = """subscription ($after: String, $services: [String!]) {
  serviceHealthFeed(after: $after, services: $services) { cursor at service { name } previous current }
}"""


async def fire(api: Api, service: str = "api", severity: str = "high", message: str = "a", **values: Any) -> None:
    """An alert comes in."""
    taken = await api.do("ingestAlert", "outcome", service=service, severity=severity, message=message, **values)
    assert taken["__typename"] == "IngestedAlert", taken


async def follow(socket: Socket, document: str, **variables: Any) -> None:
    """Follow a feed, from now on unless an `after` is given."""
    await socket.subscribe("1", document, **variables)
    await socket.begun()


async def event(socket: Socket, feed: str) -> dict[str, Any]:
    """The next event."""
    found: dict[str, Any] = (await socket.data("1"))[feed]
    return found


async def messages(socket: Socket, count: int) -> list[str]:
    """The messages of the next alerts."""
    return [(await event(socket, "alertFeed"))["alert"]["message"] for _ in range(count)]


async def test_an_alert_makes_one_event_when_it_fires_and_one_when_it_ends(api: Api, clock: TestClock) -> None:
    """Repeats make none; scalars are as of the event."""
    async with greeted(api.app) as socket:
        await follow(socket, ALERTS)
        await fire(api, dedupKey="k")
        clock.move(minutes=1)
        await fire(api, dedupKey="k")
        ids = await api.data("{ alerts { nodes { id } } }")
        await api.data(
            "mutation ($id: ID!) { resolveAlert(id: $id) { __typename } }", id=ids["alerts"]["nodes"][0]["id"]
        )
        fired, ended = await event(socket, "alertFeed"), await event(socket, "alertFeed")
    assert (fired["kind"], fired["at"]) == ("FIRED", "2024-03-15T12:00:00Z")
    assert fired["alert"] == {"message": "a", "status": "FIRING", "serviceName": "api"}
    assert (ended["kind"], ended["at"], ended["alert"]["status"]) == ("RESOLVED", "2024-03-15T12:01:00Z", "RESOLVED")


async def test_incidents_are_followed_from_their_opening_to_their_end(api: Api) -> None:
    """One event for each thing that happens, in order."""
    async with greeted(api.app) as socket:
        await follow(socket, INCIDENTS)
        await fire(api, message="a")
        await fire(api, message="b")
        number = (await api.data("{ incidents { nodes { number } } }"))["incidents"]["nodes"][0]["number"]
        await respond(api, "acknowledgeIncident", number=number)
        await respond(api, "resolveIncident", number=number)
        events = [await event(socket, "incidentFeed") for _ in range(4)]
    assert [one["kind"] for one in events] == ["CREATED", "ALERT_ATTACHED", "STATUS_CHANGED", "STATUS_CHANGED"]
    assert [one["incident"]["alertCount"] for one in events] == [1, 2, 2, 2]
    assert [one["incident"]["status"] for one in events] == ["OPEN", "OPEN", "ACKNOWLEDGED", "RESOLVED"]
    assert {one["incident"]["number"] for one in events} == {number}


async def test_the_health_of_services_is_followed(api: Api) -> None:
    """Its status before and since; of the services that are named alone, without case."""
    async with greeted(api.app) as all_, greeted(api.app) as some:
        await follow(all_, HEALTH)
        await follow(some, HEALTH, services=["API", "nobody"])
        for name in ("web", "api"):
            await api.do("saveService", name=name)
            await api.do("saveSlo", service=name, name="slo", target=99.0, current=90.0)
        seen = [await event(all_, "serviceHealthFeed")]
        while seen[-1]["service"]["name"] != "api":
            seen.append(await event(all_, "serviceHealthFeed"))
        assert await event(some, "serviceHealthFeed") == seen[-1]
    assert {one["service"]["name"] for one in seen} == {"web", "api"}
    assert all(one["previous"] != one["current"] for one in seen)


async def test_replay_then_live_by_cursor(api: Api) -> None:
    """Everything behind the cursor, in order, then what comes: nothing lost, nothing twice."""
    async with greeted(api.app) as socket:
        await follow(socket, ALERTS)
        for message in "abc":
            await fire(api, message=message)
        first = await event(socket, "alertFeed")
    for message in "de":
        await fire(api, message=message)
    async with greeted(api.app) as socket:
        await socket.subscribe("1", ALERTS, after=first["cursor"])
        assert await messages(socket, 4) == ["b", "c", "d", "e"]
        await fire(api, message="f")
        assert await messages(socket, 1) == ["f"]


async def test_to_list_and_follow_without_a_gap(api: Api) -> None:
    """Read the cursor, then the list, then follow behind the cursor: what came in between is in both."""
    await fire(api, message="before")
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    await fire(api, message="between")
    listed = await api.data("{ alerts { nodes { message } } }")
    async with greeted(api.app) as socket:
        await socket.subscribe("1", ALERTS, after=cursor)
        await fire(api, message="after")
        followed = await messages(socket, 2)
    assert {node["message"] for node in listed["alerts"]["nodes"]} | set(followed) == {"before", "between", "after"}
    assert followed == ["between", "after"]


async def test_the_cursor_of_one_feed_serves_another(api: Api) -> None:
    """There is one order of everything that happens."""
    async with greeted(api.app) as socket:
        await follow(socket, ALERTS)
        await fire(api, message="a")
        cursor = (await event(socket, "alertFeed"))["cursor"]
    await fire(api, service="web", message="b")
    async with greeted(api.app) as socket:
        await socket.subscribe("1", INCIDENTS, after=cursor)
        assert (await event(socket, "incidentFeed"))["kind"] == "CREATED"


FIRED = [
    {"service": "api", "severity": "critical", "message": "Disk is full"},
    {"service": "web", "severity": "low", "message": "disk is slow"},
    {"service": "elsewhere", "severity": "high", "message": "Ödeme"},
    {"service": "api", "severity": "info", "message": "the last"},
]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({}, [0, 1, 2, 3]),
        ({"severities": ["CRITICAL", "INFO"]}, [0, 3]),
        ({"services": ["API", "elsewhere"]}, [0, 2, 3]),
        ({"teams": ["Platform"]}, [0, 3]),
        ({"teams": ["nobody"]}, []),
        ({"statuses": ["RESOLVED"]}, []),
        ({"sources": ["api"], "silenced": False}, [0, 1, 2, 3]),
        ({"search": "DISK"}, [0, 1]),
        ({"search": "öde"}, [2]),
        ({"until": "2024-03-15T12:00:00Z"}, []),
        ({"since": "2024-03-15T12:00:00Z"}, [0, 1, 2, 3]),
    ],
    ids=str,
)
async def test_alerts_are_filtered_as_in_their_list(api: Api, wanted: dict[str, Any], places: list[int]) -> None:
    """Live and in a replay; what the catalog has to say is looked up."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="platform")
    await api.do("saveService", name="web")
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    async with greeted(api.app) as live:
        await follow(live, ALERTS, filter=wanted)
        for alert in FIRED:
            await fire(api, **alert)
        expected = [FIRED[place]["message"] for place in places]
        assert await messages(live, len(expected)) == expected
        await live.begun()
    async with greeted(api.app) as replaying:
        await replaying.subscribe("1", ALERTS, after=cursor, filter=wanted)
        assert await messages(replaying, len(expected)) == expected
    listed = await api.data(
        "query ($filter: AlertFilter) { alerts(filter: $filter) { nodes { message } } }", filter=wanted
    )
    assert sorted(node["message"] for node in listed["alerts"]["nodes"]) == sorted(expected)


async def test_incidents_are_filtered_as_in_their_list(api: Api) -> None:
    """By team and by whom they are assigned to, among others."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="platform")
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    numbers = [await opened(api, "api", "CRITICAL"), await opened(api, "web", "LOW")]
    for wanted, expected in (
        ({"teams": ["PLATFORM"]}, numbers[:1]),
        ({"services": ["web"]}, numbers[1:]),
        ({"severities": ["LOW"]}, numbers[1:]),
        ({"unassigned": True}, numbers),
        ({"assignees": ["nobody"]}, []),
        ({"search": "API"}, numbers[:1]),
        ({"snoozed": True}, []),
    ):
        async with greeted(api.app) as socket:
            await socket.subscribe("1", INCIDENTS, after=cursor, filter=wanted)
            found = [(await event(socket, "incidentFeed"))["incident"]["number"] for _ in expected]
            await socket.begun()
        assert found == expected, wanted


async def test_relations_are_as_of_the_delivery(api: Api) -> None:
    """A service that was renamed since has its new name; the alert keeps the one it was sent with."""
    await api.do("saveService", name="api")
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    await fire(api)
    await api.do("renameService", name="api", newName="gateway")
    async with greeted(api.app) as socket:
        document = ALERTS.replace("serviceName", "serviceName service { name } incident { alertCount }")
        await socket.subscribe("1", document, after=cursor)
        alert = (await event(socket, "alertFeed"))["alert"]
    assert (alert["serviceName"], alert["service"]) == ("api", {"name": "gateway"})
    assert alert["incident"] == {"alertCount": 1}


async def test_filters_are_looked_up_once_a_batch(api: Api) -> None:
    """Not once an event, and not at all where the filter does not ask for it."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="platform")
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    for number in range(20):
        await fire(api, message=str(number))
    counts = []
    for wanted in ({"teams": ["platform"]}, {"severities": ["HIGH"]}):
        async with greeted(api.app) as socket:
            with statements(api.core.database) as seen:
                await socket.subscribe("1", ALERTS, after=cursor, filter=wanted)
                await messages(socket, 20)
            counts.append(len([one for one in seen if "team" in one]))
    assert counts == [1, 0]


async def test_a_cursor_of_what_was_pruned_has_expired(api: Api) -> None:
    """The client is told to read again; so it is with a cursor of another log."""
    cursor = (await api.data("{ feedCursor }"))["feedCursor"]
    await fire(api)
    async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
        await tx.connection.execute(update(event_logs).values(pruned_through=1))
    async with greeted(api.app) as socket:
        await socket.subscribe("1", ALERTS, after=cursor)
        answer = await socket.receive()
    assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "CURSOR_EXPIRED")


@pytest.mark.parametrize("cursor", ["", "x", "ü", "AAAA", "\0"])
async def test_what_is_no_cursor_is_bad_input(api: Api, cursor: str) -> None:
    """An error for the operation; the socket lives on."""
    async with greeted(api.app) as socket:
        for document in (ALERTS, INCIDENTS, HEALTH):
            await socket.subscribe("1", document, after=cursor)
            answer = await socket.receive()
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "BAD_INPUT")


@pytest.mark.parametrize("document", [ALERTS, INCIDENTS])
async def test_filters_that_are_too_long_are_bad_input(api: Api, document: str) -> None:
    """As in lists; of the services of the third feed likewise."""
    async with greeted(api.app) as socket:
        names = ["a"] * 1_001
        await socket.subscribe("1", document, filter={"services": names})
        assert "at most 1,000" in (await socket.receive())["payload"][0]["message"]
        await socket.subscribe("1", HEALTH, services=names)
        assert "at most 1,000" in (await socket.receive())["payload"][0]["message"]


@pytest.mark.parametrize("roles", [[], [Role.INGEST]], ids=["nothing", "ingest"])
async def test_following_asks_for_viewer(api: Api, roles: list[Role]) -> None:
    """Each feed; who only posts facts follows none."""
    api.who.actor = Actor("ann", frozenset(roles))
    async with greeted(api.app) as socket:
        for document, feed in ((ALERTS, "alertFeed"), (INCIDENTS, "incidentFeed"), (HEALTH, "serviceHealthFeed")):
            await socket.subscribe("1", document)
            (error,) = (await socket.receive())["payload"]
            assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", [feed])
            assert error["extensions"]["details"] == {"action": feed, "anyOf": ["VIEWER"]}


async def test_what_is_rolled_back_was_never_there(api: Api) -> None:
    """A refused mutation leaves no event."""
    number = await opened(api)
    await respond(api, "resolveIncident", number=number)
    async with greeted(api.app) as socket:
        await follow(socket, INCIDENTS)
        assert (await respond(api, "acknowledgeIncident", number=number))["code"] == "CONFLICT"
        other = await opened(api, "web")
        assert (await event(socket, "incidentFeed"))["incident"]["number"] == other
