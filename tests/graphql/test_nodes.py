"""Global ids: opaque, found again by `node`, and checked."""

import base64
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLInterfaceType

from opsgraph.graphql.nodes import global_id
from opsgraph.graphql.schema import build_schema
from opsgraph.settings import Settings
from tests.support.api import BAD_INPUT, Api
from tests.support.connections import fill

SCHEMA = build_schema(Settings())._schema
HUB = '{ incidents(first: 1, filter: {search: "incident 0"}) { nodes { %s(first: 1) { nodes { id } } } } }'
PLACES = {
    "Service": ('{ service(name: "hub") { id } }', "name tier"),
    "Team": ('{ team(name: "platform") { id } }', "name services { totalCount }"),
    "User": ("{ users(first: 1) { nodes { id } } }", "name teams { name }"),
    "Slo": ('{ service(name: "hub") { slos(first: 1) { nodes { id } } } }', "name service { name }"),
    "Deployment": ('{ service(name: "hub") { deployments(first: 1) { nodes { id } } } }', "version service { name }"),
    "Incident": ("{ incidents(first: 1) { nodes { id } } }", "number title serviceName"),
    "IncidentNote": (HUB % "notes", "author content"),
    "TimelineEntry": (HUB % "timeline", "type actor createdAt"),
    "Alert": ("{ alerts(first: 1) { nodes { id } } }", "fingerprint message"),
    "Silence": ("{ silences(first: 1) { nodes { id } } }", "reason createdBy"),
    "ReadinessVerdict": ('{ service(name: "hub") { readiness { id } } }', "decision service { name }"),
    "ReadinessOverride": ('{ service(name: "hub") { readinessOverrides(first: 1) { nodes { id } } } }', "reason state"),
    "ServiceManifest": ('{ service(name: "hub") { manifest { id } } }', "values declaredBy service { name }"),
    "ApiKey": ("{ apiKeys(first: 1) { nodes { id } } }", "name roles prefix createdBy"),
    "AuditEntry": ("{ auditLog(first: 1) { nodes { id } } }", "action actor detail"),
    "MaintenanceWindow": ("{ maintenanceWindows(first: 1) { nodes { id } } }", "reason services"),
}
NOTHING = UUID(int=7)


def only_id(found: Any) -> str:
    """The one id that an answer holds."""
    while not isinstance(found, str):
        (found,) = found.values() if isinstance(found, dict) else found
    return found


def kinds() -> set[str]:
    """The types of the schema that are nodes."""
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {kind.name for kind in SCHEMA.get_possible_types(node)}


async def test_every_kind_of_node_is_found_again_by_its_id(api: Api) -> None:
    """With its own fields and the same id, under the same type; a kind that is added comes with a place here."""
    assert kinds() == PLACES.keys()
    await fill(api)
    for kind, (document, fields) in PLACES.items():
        wanted = only_id(await api.data(document))
        query = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on {kind} {{ {fields} }} }} }}"
        node = (await api.data(query, id=wanted))["node"]
        assert (node["__typename"], node["id"]) == (kind, wanted)
        assert all(node[field] for field in fields.split() if field in node)


async def test_a_well_formed_id_of_nothing_is_null(api: Api) -> None:
    """For every kind of node, without an error; also where the id is a number, and no number goes that far."""
    for kind in kinds():
        for nothing in (NOTHING, UUID(int=2**63 - 1), UUID(int=2**63), UUID(int=2**128 - 1)):
            data = await api.data("query ($id: ID!) { node(id: $id) { id } }", id=global_id(kind, nothing))
            assert data == {"node": None}


def encoded(text: str) -> str:
    """As an id is, of any text."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x",
        "ä",
        "1",
        "\u202e",
        str(NOTHING),
        "Service:1",
        encoded("Service:"),
        encoded("Service:1"),
        encoded(f"Service:{NOTHING}"),
        encoded(f"Service:{{{NOTHING.hex}}}"),
        encoded(f"Service:{NOTHING.hex.upper().replace('0', 'A')}"),
        encoded(f"service:{NOTHING.hex}"),
        encoded(f"Viewer:{NOTHING.hex}"),
        encoded(f"Nothing:{NOTHING.hex}"),
        encoded(f"Service:{NOTHING.hex}:1"),
        f"{encoded(f'Service:{NOTHING.hex}')}==",
        f" {encoded(f'Service:{NOTHING.hex}')}",
        "A" * 10_000,
    ],
)
async def test_a_malformed_id_is_bad_input(api: Api, wrong: str) -> None:
    """Not null: it was never an id, and no other spelling of one is taken."""
    answer = await api.send("query ($id: ID!) { node(id: $id) { id } }", {"id": wrong})
    (error,) = answer["errors"]
    assert error["message"] == "id is not an id that opsgraph made"
    assert error["extensions"] == {**BAD_INPUT, "field": ["id"]}
    assert answer["data"] == {"node": None}


async def test_an_id_outlives_a_rename_and_archiving(api: Api) -> None:
    """It stays the same for as long as the thing exists."""
    saved = await api.do("saveService", "id", name="old")
    renamed = await api.do("renameService", "id name", name="old", newName="new")
    assert (renamed["id"], renamed["name"]) == (saved["id"], "new")
    await api.data('mutation { archiveService(name: "new") { __typename } }')
    query = "query ($id: ID!) { node(id: $id) { ... on Service { name archivedAt } } }"
    node = (await api.data(query, id=saved["id"]))["node"]
    assert node["name"] == "new"
    assert node["archivedAt"]
