"""Silences and maintenance windows over GraphQL."""

import re
from typing import Any
from uuid import UUID

import pytest

from opsgraph.graphql.nodes import global_id
from tests.packaging import ROOT
from tests.support.api import PROBLEM, Api
from tests.support.clock import TestClock
from tests.support.statements import statements

PAGE = (ROOT / "docs" / "silences.md").read_text()
FIELDS = "id matchers { label value regex negative } reason createdBy startsAt endsAt active"
API = [{"label": "service", "value": "api"}]
SILENCE = {"matchers": API, "reason": "known", "endsAt": "2024-03-15T13:00:00Z"}
WINDOW = {"services": ["api"], "reason": "planned", "endsAt": "2024-03-15T13:00:00Z"}


async def silence(api: Api, **values: Any) -> dict[str, Any]:
    """Make a silence of an hour for api; gives it, or why not."""
    selection = f"... on Silence {{ {FIELDS} }} {PROBLEM}"
    document = f"mutation ($i: CreateSilenceInput!) {{ createSilence(input: $i) {{ {selection} }} }}"
    result: dict[str, Any] = (await api.data(document, i={**SILENCE, **values}))["createSilence"]
    return result


async def expire(api: Api, id_: str) -> dict[str, Any]:
    """End a silence; gives it, or why not."""
    document = f"mutation ($id: ID!) {{ expireSilence(id: $id) {{ ... on Silence {{ {FIELDS} }} {PROBLEM} }} }}"
    result: dict[str, Any] = (await api.data(document, id=id_))["expireSilence"]
    return result


async def save_window(api: Api, **values: Any) -> dict[str, Any]:
    """Save a maintenance window; gives it, or why not."""
    selection = f"... on MaintenanceWindow {{ {FIELDS} services excludeFromSlos }} {PROBLEM}"
    document = f"mutation ($i: SaveMaintenanceWindowInput!) {{ saveMaintenanceWindow(input: $i) {{ {selection} }} }}"
    result: dict[str, Any] = (await api.data(document, i=values))["saveMaintenanceWindow"]
    return result


async def outcome(api: Api, service: str = "api", **values: Any) -> str:
    """What reporting an alert leads to."""
    wanted = {"service": service, "severity": "high", "message": "5xx spike", **values}
    document = "mutation ($i: IngestAlertInput!) { ingestAlert(input: $i) { ... on IngestedAlert { outcome } } }"
    result: str = (await api.data(document, i=wanted))["ingestAlert"]["outcome"]
    return result


async def test_a_silenced_alert_makes_no_incident_until_the_silence_is_over(api: Api, clock: TestClock) -> None:
    """It is stored and marked; what the silence does not mean is heard."""
    made = await silence(api)
    assert made == {
        "id": made["id"],
        "matchers": [{"label": "service", "value": "api", "regex": False, "negative": False}],
        "reason": "known",
        "createdBy": "local",
        "startsAt": "2024-03-15T12:00:00Z",
        "endsAt": "2024-03-15T13:00:00Z",
        "active": True,
    }
    assert [await outcome(api), await outcome(api, "web")] == ["SILENCED", "NEW_INCIDENT"]
    data = await api.data("{ alerts(filter: {silenced: true}) { nodes { serviceName incident { number } } } }")
    assert data["alerts"]["nodes"] == [{"serviceName": "api", "incident": None}]
    clock.move(hours=1)
    assert await outcome(api, message="another") == "NEW_INCIDENT"


async def test_matchers_see_what_the_source_sent_and_service_and_severity(api: Api) -> None:
    """Regular expressions match the whole value; an absent label is empty."""
    matchers = [
        {"label": "severity", "value": "high|critical", "regex": True},
        {"label": "region", "value": "eu", "negative": True},
    ]
    await silence(api, matchers=matchers)
    outcomes = [
        await outcome(api, message="a"),
        await outcome(api, message="b", labels={"region": "eu"}),
        await outcome(api, message="c", severity="low"),
        await outcome(api, message="d", severity="low", labels={"severity": "critical"}),
        await outcome(api, message="e", labels={"severity": "highest"}),
    ]
    assert outcomes == ["SILENCED", "NEW_INCIDENT", "NEW_INCIDENT", "SILENCED", "ATTACHED"]


async def test_ending_a_silence_ends_it_and_again_changes_nothing(api: Api, clock: TestClock) -> None:
    """It is in force no more, and keeps nothing quiet."""
    made = await silence(api)
    clock.move(minutes=1)
    over = await expire(api, made["id"])
    clock.move(minutes=1)
    assert over == {**made, "endsAt": "2024-03-15T12:01:00Z", "active": False} == await expire(api, made["id"])
    assert await outcome(api) == "NEW_INCIDENT"


async def test_a_replay_returns_the_first_silence(api: Api) -> None:
    """By the key; the same key for another is a conflict."""
    first = await silence(api, idempotencyKey="k")
    assert await silence(api, idempotencyKey="k") == first
    refused = await silence(api, idempotencyKey="k", reason="other")
    assert (refused["code"], refused["field"]) == ("CONFLICT", ["input", "idempotencyKey"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": [{"label": "a", "value": ""}]}, "matchers"),
        ({"matchers": [{"label": "a", "value": "(", "regex": True}]}, "matchers"),
        ({"matchers": [{"label": "", "value": "b"}]}, "matchers"),
        ({"reason": " "}, "reason"),
        ({"endsAt": "2024-03-15T12:00:00Z"}, "endsAt"),
        ({"startsAt": "2024-03-15T13:00:00Z"}, "endsAt"),
        ({"endsAt": "0001-01-01T00:00:00Z"}, "endsAt"),
    ],
)
async def test_what_is_no_silence_is_refused_with_its_place(api: Api, values: dict[str, Any], field: str) -> None:
    """Nothing is stored."""
    refused = await silence(api, **values)
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", field])
    assert (await api.data("{ silences { totalCount } }"))["silences"]["totalCount"] == 0


async def test_silences_that_last_for_ever_are_fine(api: Api) -> None:
    """Until the end of the calendar."""
    assert (await silence(api, endsAt="9999-12-31T23:59:59Z"))["active"]


@pytest.mark.parametrize("kind", ["Silence", "Alert"])
async def test_a_silence_that_is_not_there_cannot_be_ended(api: Api, kind: str) -> None:
    """Nor something else by its id."""
    refused = await expire(api, global_id(kind, UUID(int=1)))
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["id"])


async def test_silences_and_windows_are_listed_by_whether_they_are_in_force(api: Api, clock: TestClock) -> None:
    """Newest first; each is a node."""
    await api.do("saveService", name="api")
    first = await silence(api)
    window = await save_window(api, **WINDOW)
    clock.move(minutes=1)
    coming = await silence(api, startsAt="2024-03-15T12:30:00Z")
    document = f"""query ($on: Boolean, $id: ID!) {{
        silences(active: $on) {{ totalCount nodes {{ {FIELDS} }} }}
        maintenanceWindows(active: $on) {{ totalCount nodes {{ {FIELDS} services excludeFromSlos }} }}
        node(id: $id) {{
            ... on Silence {{ {FIELDS} }}
            ... on MaintenanceWindow {{ {FIELDS} services excludeFromSlos }}
        }}
    }}"""
    for active, silences, windows in (
        (None, [coming, first], [window]),
        (True, [first], [window]),
        (False, [coming], []),
    ):
        data = await api.data(document, on=active, id=first["id"])
        assert data["silences"] == {"totalCount": len(silences), "nodes": silences}
        assert data["maintenanceWindows"] == {"totalCount": len(windows), "nodes": windows}
        assert data["node"] == first
    assert (await api.data(document, id=window["id"]))["node"] == window


async def test_a_window_keeps_its_services_quiet(api: Api, clock: TestClock) -> None:
    """Whatever their labels, until it is over; it says whether its time counts for SLOs."""
    await api.do("saveService", name="Api")
    made = await save_window(api, **WINDOW, excludeFromSlos=True)
    assert (made["services"], made["matchers"], made["excludeFromSlos"], made["active"]) == (["Api"], [], True, True)
    assert [await outcome(api, "API"), await outcome(api, "web")] == ["SILENCED", "NEW_INCIDENT"]
    clock.move(minutes=1)
    over = await save_window(api, id=made["id"], endsAt="2024-03-15T12:01:00Z")
    assert over == {**made, "endsAt": "2024-03-15T12:01:00Z", "active": False}
    assert await outcome(api, message="another") == "NEW_INCIDENT"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({**WINDOW, "services": ["nobody"]}, "NOT_FOUND", "services"),
        ({**WINDOW, "services": []}, "INVALID", "services"),
        ({**WINDOW, "reason": None}, "INVALID", "reason"),
        ({**WINDOW, "endsAt": None}, "INVALID", "endsAt"),
        ({"matchers": API, "reason": "planned"}, "INVALID", "endsAt"),
        ({"id": "nothing"}, "INVALID", "id"),
        ({"id": global_id("MaintenanceWindow", UUID(int=1))}, "NOT_FOUND", "id"),
    ],
)
async def test_what_is_no_window_is_refused_with_its_place(
    api: Api, values: dict[str, Any], code: str, field: str
) -> None:
    """Nothing is stored."""
    await api.do("saveService", name="api")
    refused = await save_window(api, **values)
    assert (refused["code"], refused["field"]) == (code, ["input", field])
    assert (await api.data("{ maintenanceWindows { totalCount } }"))["maintenanceWindows"]["totalCount"] == 0


async def test_many_windows_are_read_in_as_many_statements_as_one(api: Api) -> None:
    """Their services are looked up together."""
    counts = []
    for name in ("api", "web"):
        await api.do("saveService", name=name)
        await save_window(api, **{**WINDOW, "services": [name]})
        with statements(api.core.database) as seen:
            await api.data("{ maintenanceWindows { nodes { services } } }")
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_the_examples_of_the_page_about_silences_do_what_it_says(api: Api) -> None:
    """Each is accepted as it stands, on an empty database, and again on what it made."""
    for _ in range(2):
        examples = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
        made, window = [await api.data(example) for example in examples]
        assert made["createSilence"]["active"]
        assert window["saveMaintenanceWindow"]["services"] == ["checkout", "orders"]
