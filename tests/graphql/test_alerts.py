"""Alerts over GraphQL: reporting, ending, finding them, and what hangs on them."""

from typing import Any
from uuid import UUID

import pytest

from opsgraph.graphql.nodes import global_id
from opsgraph.kernel.actor import Actor, Role
from tests.support.api import PROBLEM, Api
from tests.support.clock import TestClock
from tests.support.statements import statements

REPORTED = f"... on IngestedAlert {{ outcome alert {{ id occurrences status }} incident {{ number }} }} {PROBLEM}"
ALERT = {"service": "api", "severity": "high", "message": "5xx spike"}


async def report(api: Api, **values: Any) -> dict[str, Any]:
    """Report an alert of api; gives what became of it."""
    document = f"mutation ($input: IngestAlertInput!) {{ ingestAlert(input: $input) {{ {REPORTED} }} }}"
    result: dict[str, Any] = (await api.data(document, input={**ALERT, **values}))["ingestAlert"]
    return result


async def resolve(api: Api, alert: dict[str, Any]) -> dict[str, Any]:
    """End an alert by hand; gives what became of it."""
    document = f"mutation ($id: ID!) {{ resolveAlert(id: $id) {{ {REPORTED} }} }}"
    result: dict[str, Any] = (await api.data(document, id=alert["id"]))["resolveAlert"]
    return result


async def found(api: Api, filter_: str) -> list[str]:
    """The messages of the alerts that a filter finds, in their order."""
    data = await api.data(f"{{ alerts(filter: {{ {filter_} }}) {{ totalCount nodes {{ message }} }} }}")
    messages = [node["message"] for node in data["alerts"]["nodes"]]
    assert data["alerts"]["totalCount"] == len(messages)
    return messages


async def test_reports_open_join_and_repeat(api: Api) -> None:
    """The first opens an incident, another joins it, the same again is counted."""
    first = await report(api)
    other = await report(api, message="Queue grows")
    again = await report(api)
    assert [each["outcome"] for each in (first, other, again)] == ["NEW_INCIDENT", "ATTACHED", "DEDUPLICATED"]
    assert [each["incident"] for each in (first, other, again)] == [{"number": 1}] * 3
    assert again["alert"] == {"id": first["alert"]["id"], "occurrences": 2, "status": "FIRING"}


async def test_an_alert_shows_all_that_was_reported(api: Api) -> None:
    """What its source said, what is understood here, and what hangs on it; by `node` and in lists."""
    await api.do("saveService", name="Api")
    values = {"labels": {"region": "eu", "empty": ""}, "annotations": {"runbook": "https://x"}, "dedupKey": "k"}
    made = await report(api, severity="P2", startsAt="2024-03-15T11:00:00Z", **values)
    fields = """fingerprint serviceName service { name } severity sourceSeverity severityRecognised status message
        labels annotations source sourceUrl occurrences startsAt firstSeenAt lastSeenAt endsAt resolvedAt silenced
        flapping incident { number alerts { nodes { id } } }"""
    data = await api.data(
        f"""query ($id: ID!) {{ node(id: $id) {{ ... on Alert {{ {fields} }} }}
        service(name: "api") {{ alerts {{ totalCount nodes {{ {fields} }} }} }} }}""",
        id=made["alert"]["id"],
    )
    assert data["service"]["alerts"] == {"totalCount": 1, "nodes": [data["node"]]}
    assert len(data["node"].pop("fingerprint")) == 64
    assert data["node"] == {
        "serviceName": "api",
        "service": {"name": "Api"},
        "severity": "HIGH",
        "sourceSeverity": "P2",
        "severityRecognised": True,
        "status": "FIRING",
        "message": "5xx spike",
        "labels": {"region": "eu"},
        "annotations": {"runbook": "https://x"},
        "source": "api",
        "sourceUrl": None,
        "occurrences": 1,
        "startsAt": "2024-03-15T11:00:00Z",
        "firstSeenAt": "2024-03-15T12:00:00Z",
        "lastSeenAt": "2024-03-15T12:00:00Z",
        "endsAt": None,
        "resolvedAt": None,
        "silenced": False,
        "flapping": False,
        "incident": {"number": 1, "alerts": {"nodes": [{"id": made["alert"]["id"]}]}},
    }


async def test_a_dedup_key_holds_within_its_service(api: Api) -> None:
    """The same key of another service is another alert; another message with the key is the same."""
    one = await report(api, dedupKey="k")
    same = await report(api, dedupKey="k", message="Other words")
    other = await report(api, dedupKey="k", service="web")
    assert same["alert"]["id"] == one["alert"]["id"] != other["alert"]["id"]


async def test_ending_an_alert_by_hand_ends_it_once(api: Api, clock: TestClock) -> None:
    """Its incident goes on; ending it again changes nothing; the same again later is a new one."""
    made = await report(api)
    clock.move(minutes=1)
    over, again = [await resolve(api, made["alert"]) for _ in range(2)]
    assert (over["outcome"], over["alert"]["status"], over["incident"]) == ("RESOLVED", "RESOLVED", {"number": 1})
    assert again == {**over, "outcome": "IGNORED"}
    fresh = await report(api)
    assert (fresh["alert"]["id"] != made["alert"]["id"], fresh["outcome"]) == (True, "ATTACHED")


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        ("nothing", "INVALID"),
        (global_id("Alert", UUID(int=1)), "NOT_FOUND"),
        (global_id("Service", UUID(int=1)), "NOT_FOUND"),
    ],
)
async def test_what_is_not_there_cannot_be_ended(api: Api, id_: str, code: str) -> None:
    """A malformed id, one of nothing, and one of something else."""
    refused = await resolve(api, {"id": id_})
    assert (refused["code"], refused["field"]) == (code, ["id"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"service": " "}, ["input", "service"]),
        ({"service": "x" * 201}, ["input", "service"]),
        ({"severity": "bad"}, ["input", "severity"]),
        ({"severity": ""}, ["input", "severity"]),
        ({"message": "\n"}, ["input", "message"]),
        ({"labels": ["a"]}, ["input", "labels"]),
        ({"labels": {"a": 1}}, ["input", "labels", "a"]),
        ({"annotations": "a"}, ["input", "annotations"]),
        ({"annotations": {"a": {}}}, ["input", "annotations", "a"]),
        ({"labels": {"a": "\u0000"}}, ["input", "labels", "a"]),
        ({"dedupKey": "k" * 256}, ["input", "dedupKey"]),
        ({"startsAt": "1969-12-31T23:59:59Z"}, ["input", "startsAt"]),
    ],
)
async def test_what_is_no_alert_is_refused_with_its_place(api: Api, values: dict[str, Any], field: list[str]) -> None:
    """In our own format a word that is not known is a mistake, and nothing is stored."""
    refused = await report(api, **values)
    assert (refused["code"], refused["field"]) == ("INVALID", field)
    assert await found(api, "") == []


async def test_alerts_are_found_by_every_condition(api: Api, clock: TestClock) -> None:
    """Newest first."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="platform")
    await report(api)
    clock.move(minutes=1)
    other = await report(api, service="web", severity="info", message="Ödeme")
    await resolve(api, other["alert"])
    assert await found(api, "") == ["Ödeme", "5xx spike"]
    for condition in (
        "statuses: [FIRING]",
        "severities: [HIGH, LOW]",
        'services: ["API"]',
        'teams: ["Platform"]',
        'until: "2024-03-15T12:01:00Z"',
        'search: "5XX"',
    ):
        assert await found(api, condition) == ["5xx spike"], condition
    assert await found(api, 'since: "2024-03-15T12:01:00Z", sources: ["api"], silenced: false') == ["Ödeme"]
    assert await found(api, "silenced: true") == []


async def test_pages_of_alerts_go_on_where_they_ended(api: Api, clock: TestClock) -> None:
    """Forwards and backwards; a cursor of another list is refused."""
    for number in range(3):
        clock.move(seconds=1)
        await report(api, message=f"alert {number}")
    page = (await api.data("{ alerts(first: 2) { nodes { message } pageInfo { endCursor hasNextPage } } }"))["alerts"]
    assert [node["message"] for node in page["nodes"]] == ["alert 2", "alert 1"]
    rest = f'after: "{page["pageInfo"]["endCursor"]}"'
    assert (await api.data(f"{{ alerts({rest}) {{ nodes {{ message }} }} }}"))["alerts"] == {
        "nodes": [{"message": "alert 0"}]
    }
    assert (await api.data("{ alerts(last: 1) { nodes { message } } }"))["alerts"]["nodes"] == [{"message": "alert 0"}]
    (error,) = (await api.send(f"{{ silences({rest}) {{ totalCount }} }}"))["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_alerts_of_many_services_are_loaded_together(api: Api) -> None:
    """The same number of statements for two services as for one."""
    document = "{ services { nodes { alerts(filter: {statuses: [FIRING]}) { nodes { incident { number } } } } } }"
    counts = []
    for name in ("api", "web"):
        await api.do("saveService", name=name)
        await report(api, service=name)
        with statements(api.core.database) as seen:
            await api.data(document)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_the_report_shows_the_newest_alerts(api: Api, clock: TestClock) -> None:
    """At most twenty, and how many there are in all."""
    document = "{ platformReport { alertCount alerts { message } } }"
    assert (await api.data(document))["platformReport"] == {"alertCount": 0, "alerts": []}
    for number in range(21):
        clock.move(seconds=1)
        await report(api, message=f"alert {number}")
    shown = (await api.data(document))["platformReport"]
    assert shown["alertCount"] == 21
    assert [alert["message"] for alert in shown["alerts"]] == [f"alert {number}" for number in range(20, 0, -1)]


async def test_a_key_that_only_posts_sees_its_alert_and_nothing_that_hangs_on_it(api: Api) -> None:
    """It may report; the incident, like everything else, is for readers."""
    api.who.actor = Actor("key", frozenset({Role.INGEST}))
    document = (
        "mutation ($input: IngestAlertInput!) {{ ingestAlert(input: $input) {{ ... on IngestedAlert {{ {} }} }} }}"
    )
    seen = await api.data(document.format("outcome alert { message labels }"), input=ALERT)
    assert seen["ingestAlert"] == {"outcome": "NEW_INCIDENT", "alert": {"message": "5xx spike", "labels": {}}}
    for relation in ("incident { number }", "alert { incident { number } }", "alert { service { name } }"):
        answer = await api.send(document.format(relation), {"input": ALERT})
        assert {error["extensions"]["code"] for error in answer.get("errors", [])} <= {"FORBIDDEN"}, relation
        assert "number" not in str(answer["data"])
