"""Responding to incidents over GraphQL: results, problems as data, and what bad input is told."""

from typing import Any
from uuid import UUID

import pytest

from opsgraph.graphql.nodes import global_id
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.incidents import INPUTS, opened, respond

NOTHING = global_id("Incident", UUID(int=7))
REQUIRED: dict[str, dict[str, Any]] = {
    "acknowledgeIncident": {},
    "startIncident": {},
    "resolveIncident": {},
    "assignIncident": {"user": None},
    "addIncidentNote": {"content": "looked"},
    "setIncidentSeverity": {"severity": "LOW"},
}
"""Each mutation of one incident, with what it needs besides its name."""


async def problem(api: Api, mutation: str, **values: Any) -> dict[str, Any]:
    """Why a mutation was refused; nothing was written."""
    async with unchanged(api.core.database):
        result = await respond(api, mutation, **values)
    assert result.pop("__typename") == "Problem"
    return result


async def test_an_incident_from_its_opening_to_its_end(api: Api, clock: TestClock) -> None:
    """Each step by number or id; what was done is what comes back."""
    number = await opened(api)
    id_ = (await api.data("{ incident(number: 1) { id } }"))["incident"]["id"]
    selection = "status version severity assignee { name } allowedTransitions mttaSeconds mttrSeconds"
    clock.move(seconds=30)
    seen = await respond(api, "acknowledgeIncident", selection, number=number, expectedVersion=1)
    assert (seen["status"], seen["version"], seen["mttaSeconds"]) == ("ACKNOWLEDGED", 2, 30.0)
    rated = await respond(api, "setIncidentSeverity", selection, id=id_, severity="CRITICAL", note="all are affected")
    assert (rated["severity"], rated["version"]) == ("CRITICAL", 4)
    begun = await respond(api, "startIncident", selection, id=id_)
    assert (begun["status"], begun["allowedTransitions"]) == ("IN_PROGRESS", ["RESOLVED"])
    noted = await respond(api, "addIncidentNote", selection, number=number, content="disk is full")
    assert noted["version"] == 6
    clock.move(seconds=30)
    over = await respond(api, "resolveIncident", selection, number=number)
    assert over == {
        "__typename": "Incident",
        "status": "RESOLVED",
        "version": 7,
        "severity": "CRITICAL",
        "assignee": None,
        "allowedTransitions": [],
        "mttaSeconds": 30.0,
        "mttrSeconds": 60.0,
    }


async def test_an_illegal_transition_says_what_is_allowed(api: Api) -> None:
    """From where, to where, and what would do."""
    number = await opened(api)
    await respond(api, "startIncident", number=number)
    assert await problem(api, "acknowledgeIncident", number=number) == {
        "code": "CONFLICT",
        "message": "incident 1 is IN_PROGRESS and cannot become ACKNOWLEDGED; allowed: RESOLVED",
        "field": None,
        "details": {"from": "IN_PROGRESS", "to": "ACKNOWLEDGED", "allowed": ["RESOLVED"]},
    }


@pytest.mark.parametrize("mutation", [name for name in REQUIRED if name != "addIncidentNote"])
async def test_who_knows_an_older_version_is_told_so(api: Api, mutation: str) -> None:
    """Before anything else is looked at; a version that cannot be is told from one that was."""
    number = await opened(api)
    await respond(api, "addIncidentNote", number=number, content="looked")
    wanted = {"number": number, **REQUIRED[mutation]}
    assert await problem(api, mutation, **wanted, expectedVersion=1) == {
        "code": "CONFLICT",
        "message": "incident 1 has version 2, not 1: it was changed meanwhile",
        "field": ["input", "expectedVersion"],
        "details": {"expected": 1, "actual": 2},
    }
    impossible = await problem(api, mutation, **wanted, expectedVersion=-1)
    assert (impossible["code"], impossible["message"]) == ("INVALID", "expectedVersion is -1; versions count from 1")


@pytest.mark.parametrize("mutation", REQUIRED)
@pytest.mark.parametrize(
    ("named", "code", "field"),
    [
        ({}, "INVALID", "id"),
        ({"id": None, "number": None}, "INVALID", "id"),
        ({"id": NOTHING, "number": 1}, "INVALID", "id"),
        ({"id": "x"}, "INVALID", "id"),
        ({"id": "a\0"}, "INVALID", "id"),
        ({"id": NOTHING}, "NOT_FOUND", "id"),
        ({"id": global_id("Service", UUID(int=7))}, "NOT_FOUND", "id"),
        ({"number": 99}, "NOT_FOUND", "number"),
        ({"number": 0}, "NOT_FOUND", "number"),
        ({"number": -(2**31)}, "NOT_FOUND", "number"),
    ],
)
async def test_an_incident_is_named_by_exactly_one_of_two(
    api: Api, mutation: str, named: dict[str, Any], code: str, field: str
) -> None:
    """A problem that names the input; nothing is written."""
    await opened(api)
    refused = await problem(api, mutation, **named, **REQUIRED[mutation])
    assert (refused["code"], refused["field"]) == (code, ["input", field])


@pytest.mark.parametrize("mutation", ["acknowledgeIncident", "startIncident", "resolveIncident", "setIncidentSeverity"])
@pytest.mark.parametrize("note", ["", "  ", "x" * 10_001, "a\0b", "a\x07b"])
async def test_notes_are_checked_wherever_they_come_along(api: Api, mutation: str, note: str) -> None:
    """1 to 10,000 characters without control characters; the status stays."""
    number = await opened(api)
    refused = await problem(api, mutation, number=number, note=note, **REQUIRED[mutation])
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "note"])
    kept = await respond(api, mutation, number=number, note="x" * 10_000, **REQUIRED[mutation])
    assert kept["version"] == 3


@pytest.mark.parametrize("content", ["", " \n", "x" * 10_001, "a\0b"])
async def test_a_note_by_itself_is_checked_as_well(api: Api, content: str) -> None:
    """By the name of its own field."""
    refused = await problem(api, "addIncidentNote", number=await opened(api), content=content)
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "content"])


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"service": "nobody"}, "NOT_FOUND", "service"),
        ({"service": "a\0"}, "INVALID", "service"),
        ({"title": " "}, "INVALID", "title"),
        ({"title": "x" * 1_025}, "INVALID", "title"),
        ({"title": "one\ntwo"}, "INVALID", "title"),
        ({"idempotencyKey": ""}, "INVALID", "idempotencyKey"),
        ({"idempotencyKey": "x" * 201}, "INVALID", "idempotencyKey"),
    ],
)
async def test_what_is_opened_by_hand_is_checked(api: Api, values: dict[str, str], code: str, field: str) -> None:
    """A problem that names the input; nothing is written."""
    await api.do("saveService", name="api")
    refused = await problem(api, "createIncident", **{"service": "api", "title": "T", "severity": "LOW", **values})
    assert (refused["code"], refused["field"]) == (code, ["input", field])


async def test_a_replay_gives_the_first_incident(api: Api) -> None:
    """As it is by then; the same key with another title is a conflict."""
    number = await opened(api, idempotencyKey="k-1")
    await respond(api, "acknowledgeIncident", number=number)
    wanted = {"service": "api", "severity": "HIGH", "idempotencyKey": "k-1"}
    replayed = await respond(api, "createIncident", title="api is in trouble", **wanted)
    assert replayed == {"__typename": "Incident", "number": number, "status": "ACKNOWLEDGED", "version": 2}
    refused = await problem(api, "createIncident", title="another", **wanted)
    assert (refused["code"], refused["field"]) == ("CONFLICT", ["input", "idempotencyKey"])


async def test_an_assignment_says_whom(api: Api) -> None:
    """Left out is neither somebody nor nobody; a name that nobody has is not found."""
    number = await opened(api)
    left_out = await problem(api, "assignIncident", number=number)
    assert (left_out["code"], left_out["field"]) == ("INVALID", ["input", "user"])
    unknown = await problem(api, "assignIncident", number=number, user="nobody")
    assert (unknown["code"], unknown["message"]) == ("NOT_FOUND", 'there is no user called "nobody"')


async def test_many_at_once(api: Api) -> None:
    """What was changed in the order given, each once, and why the rest was not; a note for each that was."""
    numbers = [await opened(api, name) for name in ("a", "b", "c")]
    await respond(api, "resolveIncident", number=2)
    second = (await api.data("{ incident(number: 2) { id } }"))["incident"]["id"]
    result = await respond(api, "acknowledgeIncidents", numbers=[3, 2, 77, 1, 3], note="seen")
    assert result == {
        "__typename": "BulkIncidents",
        "changed": [{"number": number, "status": "ACKNOWLEDGED", "version": 3} for number in (3, 1)],
        "refused": [
            {
                "id": second,
                "problem": {
                    "code": "CONFLICT",
                    "message": "incident 2 is RESOLVED and cannot become ACKNOWLEDGED; allowed: nothing",
                    "details": {"from": "RESOLVED", "to": "ACKNOWLEDGED", "allowed": []},
                },
            },
            {
                "id": "77",
                "problem": {
                    "code": "NOT_FOUND",
                    "message": "there is no incident 77",
                    "details": {"number": 77},
                },
            },
        ],
    }
    over = await respond(api, "resolveIncidents", "number alerts { totalCount }", numbers=numbers)
    assert [incident["number"] for incident in over["changed"]] == numbers
    assert over["refused"] == []


@pytest.mark.parametrize("mutation", [name for name in INPUTS if name.endswith("Incidents")])
async def test_too_many_at_once_are_refused_as_a_whole(api: Api, mutation: str) -> None:
    """More than 200 different ones, or a note that cannot be kept; none at all is nothing to do."""
    await opened(api)
    refused = await problem(api, mutation, numbers=list(range(201)))
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "numbers"])
    refused = await problem(api, mutation, numbers=[1], note="")
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "note"])
    assert await respond(api, mutation, numbers=[]) == {"__typename": "BulkIncidents", "changed": [], "refused": []}


async def test_what_many_incidents_are_asked_for_counts_for_each(api: Api) -> None:
    """The limit of cost knows that there can be 200 of them; nothing is done when it is exceeded."""
    number = await opened(api)
    document = """mutation { resolveIncidents(input: {numbers: [%d]}) { ... on BulkIncidents {
        changed { timeline(first: 200) { nodes { incident: id } } alerts(first: 200) { nodes { id } } } } } }"""
    async with unchanged(api.core.database):
        (error,) = (await api.send(document % number))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "cost")
