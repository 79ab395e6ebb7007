"""Incidents over GraphQL: finding them, their figures, what hangs on them, and what bad input is told."""

from typing import Any
from uuid import UUID

import pytest

from opsgraph.domains.incidents.commands.locking import lock_one
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.graphql.nodes import global_id
from opsgraph.kernel.actor import LOCAL
from tests.support.api import BAD_INPUT, Api
from tests.support.clock import TestClock
from tests.support.incidents import opened, respond
from tests.support.statements import statements

WHOLE = """
  id number title service { name } serviceName severity status allowedTransitions assignee { name } alertCount version
  createdAt updatedAt acknowledgedAt resolvedAt mttaSeconds mttrSeconds source
  alerts(first: 2) { totalCount nodes { message incident { number } } }
  notes(first: 2) { totalCount nodes { author content createdAt } }
  timeline(first: 2) { totalCount nodes { type actor detail createdAt } }
  impact(first: 2) { totalCount nodes { name } }
"""


async def report(api: Api, service: str = "api", message: str = "5xx spike") -> None:
    """Report an alert."""
    wanted = {"service": service, "severity": "high", "message": message}
    document = "mutation ($i: IngestAlertInput!) { ingestAlert(input: $i) { __typename } }"
    assert (await api.data(document, i=wanted))["ingestAlert"]["__typename"] == "IngestedAlert"


async def error(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    """The only error of an operation."""
    (found,) = (await api.send(document, variables))["errors"]
    result: dict[str, Any] = found
    return result


async def test_an_incident_shows_all_there_is(api: Api, clock: TestClock) -> None:
    """By number, by id, by `node`, in lists and under its service: always the same."""
    await api.do("saveService", name="api")
    await api.do("saveService", name="web", dependsOn=["api"])
    await report(api)
    clock.move(minutes=5)
    await respond(api, "acknowledgeIncident", number=1, note="on it")
    clock.move(minutes=55)
    await respond(api, "resolveIncident", number=1)
    incident = (await api.data(f"{{ incident(number: 1) {{ {WHOLE} }} }}"))["incident"]
    assert incident == {
        "id": incident["id"],
        "number": 1,
        "title": "5xx spike",
        "service": {"name": "api"},
        "serviceName": "api",
        "severity": "HIGH",
        "status": "RESOLVED",
        "allowedTransitions": [],
        "assignee": None,
        "alertCount": 1,
        "version": 4,
        "createdAt": "2024-03-15T12:00:00Z",
        "updatedAt": "2024-03-15T13:00:00Z",
        "acknowledgedAt": "2024-03-15T12:05:00Z",
        "resolvedAt": "2024-03-15T13:00:00Z",
        "mttaSeconds": 300.0,
        "mttrSeconds": 3600.0,
        "source": "api",
        "alerts": {"totalCount": 1, "nodes": [{"message": "5xx spike", "incident": {"number": 1}}]},
        "notes": {
            "totalCount": 1,
            "nodes": [{"author": "local", "content": "on it", "createdAt": "2024-03-15T12:05:00Z"}],
        },
        "timeline": {"totalCount": 6, "nodes": incident["timeline"]["nodes"]},
        "impact": {"totalCount": 1, "nodes": [{"name": "web"}]},
    }
    data = await api.data(
        f"""query ($id: ID!) {{ byId: incident(id: $id) {{ {WHOLE} }} node(id: $id) {{ ... on Incident {{ {WHOLE} }} }}
        incidents {{ totalCount nodes {{ {WHOLE} }} }}
        service(name: "api") {{ incidents(filter: {{statuses: RESOLVED}}) {{ totalCount nodes {{ {WHOLE} }} }} }} }}""",
        id=incident["id"],
    )
    listed = {"totalCount": 1, "nodes": [incident]}
    assert data == {"byId": incident, "node": incident, "incidents": listed, "service": {"incidents": listed}}


async def test_the_alerts_of_a_timeline_are_found_by_their_ids(api: Api) -> None:
    """What an entry names, `node` finds."""
    await report(api)
    data = await api.data("{ incident(number: 1) { timeline { nodes { type detail } } alerts { nodes { id } } } }")
    attached = data["incident"]["timeline"]["nodes"][1]
    ids = [alert["id"] for alert in data["incident"]["alerts"]["nodes"]]
    assert attached == {"type": "ALERT_ATTACHED", "detail": {"count": 1, "alerts": ids}}


async def test_a_service_that_nobody_registered_has_no_impact(api: Api) -> None:
    """Its incident names it, and that is all there is."""
    await report(api, service="unknown")
    data = await api.data(
        "{ incident(number: 1) { serviceName service { name } impact { totalCount nodes { name } } } }"
    )
    assert data["incident"] == {
        "serviceName": "unknown",
        "service": None,
        "impact": {"totalCount": 0, "nodes": []},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "give either id or number, and exactly one of them"),
        ("id: null, number: null", "give either id or number, and exactly one of them"),
        (f'id: "{global_id("Incident", UUID(int=7))}", number: 1', "give either id or number, and exactly one of them"),
        ('id: "x"', "id is not an id that opsgraph made"),
        (r'id: "a\u0000"', "id contains the character U+0000 at position 1, which is not accepted"),
    ],
)
async def test_an_incident_is_asked_for_by_exactly_one_name(api: Api, arguments: str, message: str) -> None:
    """Anything else is bad input that names the argument."""
    named = f"({arguments})" if arguments else ""
    found = await error(api, f"{{ incident{named} {{ number }} }}")
    assert (found["message"], found["extensions"]) == (message, {**BAD_INPUT, "field": ["id"]})


@pytest.mark.parametrize("kind", ["Incident", "Service"])
async def test_an_incident_that_is_not_there_is_null(api: Api, kind: str) -> None:
    """Whether its number is unknown or impossible, or its id that of nothing or of another thing."""
    id_ = global_id(kind, UUID(int=7))
    data = await api.data(
        f'{{ a: incident(number: 1) {{ id }} b: incident(number: -1) {{ id }} c: incident(id: "{id_}") {{ id }} }}'
    )
    assert data == {"a": None, "b": None, "c": None}


async def found(api: Api, filter_: str, order: str = "OLDEST") -> list[int]:
    """The numbers of the incidents that a filter finds."""
    arguments = f"filter: {{ {filter_} }}, orderBy: {order}"
    data = await api.data(f"{{ incidents({arguments}) {{ totalCount nodes {{ number }} }} }}")
    numbers = [node["number"] for node in data["incidents"]["nodes"]]
    assert data["incidents"]["totalCount"] == len(numbers)
    return numbers


async def test_lists_are_narrowed_and_ordered(api: Api, clock: TestClock) -> None:
    """Null equals leaving out, an empty list finds nothing; the worst first and of these the newest first."""
    for service, severity in (("api", "HIGH"), ("web", "CRITICAL"), ("api", "LOW"), ("db", "CRITICAL")):
        clock.move(minutes=1)
        await opened(api, service, severity)
    await respond(api, "resolveIncident", number=3)
    assert await found(api, "statuses: null, services: null, search: null") == [1, 2, 3, 4]
    assert await found(api, 'statuses: [OPEN], services: ["API"]') == [1]
    assert await found(api, "severities: []") == []
    assert await found(api, 'search: "API is"') == [1, 3]
    assert await found(api, 'since: "2024-03-15T12:02:00Z", until: "2024-03-15T12:04:00Z"') == [2, 3]
    assert await found(api, "", "NEWEST") == [4, 3, 2, 1]
    assert await found(api, "", "SEVERITY") == [4, 2, 1, 3]
    many = "query ($names: [String!]) { incidents(filter: {services: $names}) { totalCount } }"
    refused = await error(api, many, names=["a"] * 1_001)
    assert refused["extensions"] == {**BAD_INPUT, "field": ["filter", "services"]}


STATS = """total open acknowledged inProgress resolved mttaSecondsMean mttaSecondsMedian mttrSecondsMean
    mttrSecondsMedian bySeverity { severity count }"""


async def test_figures_of_the_last_thirty_days(api: Api, clock: TestClock) -> None:
    """By service, by team and by period; zeros and nulls where there is nothing."""
    await api.do("saveTeam", name="platform")
    await opened(api, "old")
    clock.move(days=31)
    await opened(api, "api")
    await api.do("saveService", name="api", team="platform")
    await opened(api, "web", "CRITICAL")
    clock.move(minutes=10)
    await respond(api, "startIncident", number=2)
    clock.move(minutes=10)
    await respond(api, "resolveIncident", number=3)
    data = await api.data(
        f"""{{ all: incidentStats {{ {STATS} }} api: incidentStats(service: "API") {{ total inProgress }}
        team: incidentStats(team: "platform") {{ total mttaSecondsMean }}
        before: incidentStats(until: "2024-03-16T00:00:00Z") {{ total open mttaSecondsMean }}
        ever: incidentStats(since: "2024-01-01T00:00:00Z") {{ total }}
        none: incidentStats(service: "nobody") {{ {STATS} }} }}"""
    )
    assert data["all"] == {
        "total": 2,
        "open": 0,
        "acknowledged": 0,
        "inProgress": 1,
        "resolved": 1,
        "mttaSecondsMean": 900.0,
        "mttaSecondsMedian": 900.0,
        "mttrSecondsMean": 1200.0,
        "mttrSecondsMedian": 1200.0,
        "bySeverity": [
            {"severity": severity, "count": count}
            for severity, count in (("CRITICAL", 1), ("HIGH", 1), ("MEDIUM", 0), ("LOW", 0), ("INFO", 0))
        ],
    }
    assert (data["api"], data["team"]) == ({"total": 1, "inProgress": 1}, {"total": 1, "mttaSecondsMean": 600.0})
    assert data["before"] == {"total": 1, "open": 1, "mttaSecondsMean": None}
    assert data["ever"] == {"total": 3}
    assert (data["none"]["total"], data["none"]["mttrSecondsMedian"]) == (0, None)


async def test_a_period_that_ends_before_it_begins_is_bad_input(api: Api) -> None:
    """It names the argument."""
    period = 'since: "2024-03-15T12:00:00Z", until: "2024-03-14T12:00:00Z"'
    refused = await error(api, f"{{ incidentStats({period}) {{ total }} }}")
    assert refused["extensions"] == {**BAD_INPUT, "field": ["until"]}


async def test_the_number_of_statements_does_not_follow_the_number_of_incidents(api: Api, clock: TestClock) -> None:
    """As many for 2 incidents as for 12, each with everything that hangs on it, from the root and from services."""
    document = (
        f"{{ incidents {{ nodes {{ {WHOLE} }} }} services {{ nodes {{ incidents {{ nodes {{ {WHOLE} }} }} }} }} }}"
    )
    counts = []
    for size in (2, 10):
        for place in range(size):
            number = await opened(api, f"s-{size}-{place}")
            async with api.core.database.transaction(LOCAL, clock.move(seconds=1)) as tx:
                await annotate(tx, [await lock_one(tx, number)], "looked")
            await report(api, f"s-{size}-{place}")
        with statements(api.core.database) as seen:
            await api.data(document)
        counts.append(len(seen))
    assert counts == counts[:1] * 2
