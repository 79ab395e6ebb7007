"""Manifests over GraphQL: whole declarations, kept for ever, their differences and their schema."""

from typing import Any
from uuid import UUID

import pytest

from opsgraph.graphql.nodes import global_id
from tests.support.api import BAD_INPUT, Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.readiness import act, acted
from tests.support.verdicts import EDITOR, EVERYTHING

CHANGES = "changes { path before after }"
FIELDS = f"id values declaredBy declaredAt {CHANGES}"


async def declare(api: Api, **values: Any) -> None:
    """Declare what api has."""
    await acted(api, "declareManifest", service="api", values=values)


async def manifests(api: Api) -> list[dict[str, Any]]:
    """Every snapshot of api, newest first."""
    data = await api.data(f'{{ service(name: "api") {{ manifests {{ nodes {{ {FIELDS} }} }} }} }}')
    nodes: list[dict[str, Any]] = data["service"]["manifests"]["nodes"]
    return nodes


async def test_a_declaration_takes_the_place_of_the_one_before(api: Api, clock: TestClock) -> None:
    """Both are kept; each says what differs from the one before it."""
    await api.do("saveService", name="api")
    await declare(api, metrics=True, custom={"regions": ["eu"]})
    clock.move(hours=1)
    api.who.actor = EDITOR
    selection = f"name manifest {{ {FIELDS} }}"
    values = {"alerting": True, "custom": {"regions": ["eu", "us"]}}
    service = await acted(api, "declareManifest", selection, service="API", values=values)
    newest, first = await manifests(api)
    assert (service["name"], service["manifest"]) == ("api", newest)
    assert (newest["values"], newest["declaredBy"]) == (values, "Eda")
    assert newest["declaredAt"] == "2024-03-15T13:00:00Z"
    assert {change["path"] for change in first["changes"]} >= {"metrics"}
    by_path = {change["path"]: (change["before"], change["after"]) for change in newest["changes"]}
    assert (by_path["metrics"], by_path["alerting"]) == ((True, None), (None, True))
    assert len(by_path) == 3
    node = await api.data(
        f"query ($id: ID!) {{ node(id: $id) {{ ... on ServiceManifest {{ {FIELDS} }} }} }}", id=first["id"]
    )
    assert node["node"] == first


async def test_an_equal_declaration_adds_none(api: Api) -> None:
    """Whatever the order of its fields."""
    await api.do("saveService", name="api")
    await declare(api, metrics=True, alerting=False)
    async with unchanged(api.core.database):
        await declare(api, alerting=False, metrics=True)
    assert len(await manifests(api)) == 1


async def test_two_snapshots_are_compared(api: Api) -> None:
    """In either direction; with itself there is no difference."""
    await api.do("saveService", name="api")
    await declare(api, metrics=True)
    await declare(api, metrics=False)
    newest, first = await manifests(api)
    document = "query ($from: ID!, $to: ID!) { manifestDiff(from: $from, to: $to) { path before after } }"
    for earlier, later, expected in (
        (first, newest, [{"path": "metrics", "before": True, "after": False}]),
        (newest, first, [{"path": "metrics", "before": False, "after": True}]),
        (first, first, []),
    ):
        data = await api.data(document, **{"from": earlier["id"], "to": later["id"]})
        assert data["manifestDiff"] == expected


@pytest.mark.parametrize("kind", ["ServiceManifest", "Service"])
async def test_a_snapshot_that_is_not_there_has_no_differences(api: Api, kind: str) -> None:
    """Null, as for any id of nothing; what is no id is bad input that names the argument."""
    await api.do("saveService", name="api")
    await declare(api, metrics=True)
    ((wanted),) = await manifests(api)
    document = "query ($from: ID!, $to: ID!) { manifestDiff(from: $from, to: $to) { path } }"
    nothing = global_id(kind, UUID(int=1))
    assert (await api.data(document, **{"from": nothing, "to": wanted["id"]}))["manifestDiff"] is None
    assert (await api.data(document, **{"from": wanted["id"], "to": nothing}))["manifestDiff"] is None
    answer = await api.send(document, {"from": wanted["id"], "to": "nothing"})
    assert answer["errors"][0]["extensions"] == {**BAD_INPUT, "field": ["to"]}


async def test_the_published_schema_has_every_field_that_is_declared(api: Api) -> None:
    """A JSON Schema that takes what `declareManifest` takes."""
    schema = (await api.data("{ manifestSchema }"))["manifestSchema"]
    assert {*EVERYTHING, "custom"} == schema["properties"].keys()
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("literal", ["[1]", '"metrics"', "1", "true", "null"])
async def test_what_is_no_object_is_no_manifest(api: Api, literal: str) -> None:
    """Null is refused before it gets that far."""
    await api.do("saveService", name="api")
    document = (
        f'mutation {{ declareManifest(input: {{service: "api", values: {literal}}}) {{ ... on Problem {{ field }} }} }}'
    )
    async with unchanged(api.core.database):
        answer = await api.send(document)
    if literal == "null":
        assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    else:
        assert answer["data"]["declareManifest"] == {"field": ["input", "values"]}


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"structured_logz": True}, ["structured_logz"]),
        ({"structuredLogs": True}, ["structuredLogs"]),
        ({"structured_logs": 1}, ["structured_logs"]),
        ({"structured_logs": "true"}, ["structured_logs"]),
        ({"slo": {"count": 1}}, ["slo"]),
        ({"runbook_url": "javascript:alert(1)"}, ["runbook_url"]),
        ({"custom": []}, ["custom"]),
    ],
    ids=str,
)
async def test_what_is_no_field_or_of_another_type_is_refused_with_its_place(
    api: Api, values: dict[str, Any], path: list[str]
) -> None:
    """Called as the client called it."""
    await api.do("saveService", name="api")
    async with unchanged(api.core.database):
        refused = await act(api, "declareManifest", service="api", values={"metrics": True, **values})
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "values", *path])
    assert path[0] in refused["message"]


async def test_a_near_miss_is_told_the_field_that_is_meant(api: Api) -> None:
    """In the spelling that is accepted."""
    await api.do("saveService", name="api")
    refused = await act(api, "declareManifest", service="api", values={"structured_logz": True})
    assert "structured_logs" in refused["message"]


@pytest.mark.parametrize("depth", [9, 500])
async def test_a_declaration_that_is_too_deep_is_refused(api: Api, depth: int) -> None:
    """As data, however deep."""
    await api.do("saveService", name="api")
    value: Any = True
    for _ in range(depth):
        value = {"a": value}
    async with unchanged(api.core.database):
        refused = await act(api, "declareManifest", service="api", values={"custom": value})
    assert (refused["code"], refused["field"][:3]) == ("INVALID", ["input", "values", "custom"])


async def test_a_declaration_that_is_too_large_is_refused(api: Api) -> None:
    """Over 64 KiB, or 500 entries."""
    await api.do("saveService", name="api")
    for custom in ({"a": "x" * 66_000}, {f"a{number}": number for number in range(501)}):
        async with unchanged(api.core.database):
            refused = await act(api, "declareManifest", service="api", values={"custom": custom})
        assert refused["code"] == "INVALID"
