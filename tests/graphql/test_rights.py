"""Who may do what: every root field declares it, and every field keeps it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest
import strawberry

from opsgraph.app import build
from opsgraph.graphql.rights import ANYONE, ROLES, mutation, query, subscription
from opsgraph.graphql.schema import Schema, build_schema
from opsgraph.kernel.actor import Actor, Role
from opsgraph.settings import Settings
from tests.support.api import PROBLEM, RESPONSE_JSON, Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.roots import ASKED, CALLS, CHANGES, INPUTS, QUERIES, SENSITIVE
from tests.support.statements import statements

OPEN = {"viewer"}
"""The queries that anyone who reaches the API may ask."""

HOLDERS = {
    Role.RESPONDER: {Role.RESPONDER, Role.EDITOR, Role.ADMIN},
    Role.EDITOR: {Role.EDITOR, Role.ADMIN},
    Role.INGEST: {Role.INGEST, Role.ADMIN},
    Role.VIEWER: set(Role) - {Role.INGEST},
    Role.APPROVER: {Role.APPROVER, Role.ADMIN},
    Role.ADMIN: {Role.ADMIN},
}
"""Which roles hold a role, because it is theirs or comes with them."""

ALLOWED = {name: frozenset[Role]().union(*(HOLDERS[role] for role in asked)) for name, asked in ASKED.items()}
"""Which roles may run which mutation."""

READERS = frozenset(Role) - {Role.INGEST}
NOBODY = Actor("nobody", frozenset())


def fields_of(schema: Schema, operation: str) -> dict[str, Any]:
    """The root fields of an operation, by their names in the schema, as they were declared."""
    root: Any = schema._schema.type_map.get(operation)
    return {name: field.extensions["strawberry-definition"] for name, field in (root.fields if root else {}).items()}


def undeclared(schema: Schema) -> set[str]:
    """The root fields that do not say who may use them, or let anyone change or follow something."""
    found = set()
    for operation in ("Query", "Mutation", "Subscription"):
        for name, field in fields_of(schema, operation).items():
            roles = field.metadata.get(ROLES)
            if roles is None or (not roles and operation != "Query"):
                found.add(f"{operation}.{name}")
    return found


def actor(roles: Iterable[Role]) -> Actor:
    """Somebody with these roles."""
    return Actor("ann", frozenset(roles))


async def run(api: Api, name: str) -> dict[str, Any]:
    """Run one mutation of the tables."""
    if name in CALLS:
        data = await api.data(f"mutation {{ {CALLS[name]} {{ __typename {PROBLEM} }} }}")
    else:
        kind = INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
        document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ __typename {PROBLEM} }} }}"
        data = await api.data(document, input=CHANGES[name])
    result: dict[str, Any] = data[name]
    return result


def test_every_root_field_declares_who_may_use_it() -> None:
    """Nothing is open because somebody forgot; what is open to anyone is listed here."""
    schema = build_schema(Settings())
    assert undeclared(schema) == set()
    opened = {name for name, field in fields_of(schema, "Query").items() if field.metadata[ROLES] == ANYONE}
    assert opened == OPEN


def test_the_check_finds_a_field_that_forgot_its_role() -> None:
    """On a schema that was made for it, in all three operations."""

    @strawberry.type
    class Query:
        @query(description="Asks for viewer.")
        async def kept(self, info: strawberry.Info[Any, Any]) -> int:  # noqa: ARG002 - every root field takes it
            return 1

        @strawberry.field
        async def forgotten(self) -> int:
            return 1

    @strawberry.type
    class Mutation:
        @mutation(Role.EDITOR, description="Asks for editor.")
        async def kept(self, info: strawberry.Info[Any, Any]) -> int:  # noqa: ARG002 - every root field takes it
            return 1

        @strawberry.mutation
        async def forgotten(self) -> int:
            return 1

        opened: int = strawberry.field(metadata={ROLES: ANYONE}, default=1)

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def forgotten(self) -> AsyncIterator[int]:
            yield 1

    schema = Schema(query=Query, mutation=Mutation, subscription=Subscription)
    assert undeclared(schema) == {
        "Query.forgotten",
        "Mutation.forgotten",
        "Mutation.opened",
        "Subscription.forgotten",
    }


def test_a_mutation_or_subscription_without_a_role_cannot_be_declared() -> None:
    """It fails when the module is imported, not when somebody uses it."""
    with pytest.raises(TypeError, match="names the role"):
        mutation(description="For anyone.")
    with pytest.raises(TypeError, match="names the role"):
        subscription(description="For anyone.")


def test_every_mutation_of_the_schema_is_in_the_table() -> None:
    """A mutation that is added comes with a line there."""
    assert fields_of(build_schema(Settings()), "Mutation").keys() == ALLOWED.keys()


@pytest.mark.parametrize("role", [None, *Role])
async def test_each_mutation_is_forbidden_to_whoever_lacks_the_role(api: Api, role: Role | None) -> None:
    """FORBIDDEN as data, before anything that the input names is looked up; nothing is written."""
    api.who.actor = actor([role] if role else [])
    forbidden = [name for name, allowed in ALLOWED.items() if role not in allowed]
    async with unchanged(api.core.database):
        for name in forbidden:
            problem = await run(api, name)
            assert (problem["code"], problem["field"]) == ("FORBIDDEN", None), name
            assert problem["message"].startswith(f"{name} needs the role ")
            assert problem["details"]["action"] == name
            assert set(problem["details"]["anyOf"]) == {str(one) for one in ASKED[name]}
    for name in ALLOWED.keys() - set(forbidden):
        assert (await run(api, name)).get("code") != "FORBIDDEN", name


def test_every_query_of_the_schema_is_tried() -> None:
    """A query that is added comes with a line there."""
    assert QUERIES.keys() | OPEN == fields_of(build_schema(Settings()), "Query").keys()


@pytest.mark.parametrize("roles", [[], [Role.INGEST]], ids=["nothing", "ingest"])
async def test_who_may_not_read_is_told_so_at_the_top(api: Api, roles: list[Role]) -> None:
    """A key that only posts facts reads nothing, not even whether an id is well formed."""
    api.who.actor = actor(roles)
    for name, document in QUERIES.items():
        with statements(api.core.database) as seen:
            (error,) = (await api.send(f"{{ {document} }}"))["errors"]
        assert (error["path"], error["extensions"]["code"]) == ([name], "FORBIDDEN")
        asked = "ADMIN" if name in SENSITIVE else "VIEWER"
        assert error["extensions"]["details"] == {"action": name, "anyOf": [asked]}
        written = [statement.partition(" (")[0] for statement in seen if not statement.startswith("BEGIN")]
        assert written == ["INSERT INTO audit"]


@pytest.mark.parametrize("role", sorted(READERS))
async def test_every_other_role_reads(api: Api, role: Role) -> None:
    """Responder, editor, approver and admin hold viewer as well."""
    api.who.actor = actor([role])
    data = await api.data("{ viewer { name roles } services { totalCount } platformReport { totalServices } }")
    assert data["services"] == {"totalCount": 0}
    assert {role, Role.VIEWER} <= set(data["viewer"]["roles"])


@pytest.mark.parametrize("role", sorted(READERS - {Role.ADMIN}))
async def test_keys_and_the_audit_log_are_for_admins(api: Api, role: Role) -> None:
    """Not for others who read; nor by the ids, which are opaque and not secret."""
    made = await api.do("createApiKey", "key { id }", name="pipeline", roles=["INGEST"])
    (entry,) = (await api.data("{ auditLog { nodes { id } } }"))["auditLog"]["nodes"]
    api.who.actor = actor([role])
    ids = [f'node(id: "{id_}") {{ id }}' for id_ in (made["key"]["id"], entry["id"])]
    for document in (*(QUERIES[name] for name in SENSITIVE), *ids):
        answer = await api.send(f"{{ {document} }}")
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert not any((answer["data"] or {}).values())


async def test_anyone_may_ask_who_they_are(api: Api) -> None:
    """With and without a role."""
    api.who.actor = NOBODY
    assert await api.data("{ viewer { name roles } }") == {"viewer": {"name": "nobody", "roles": []}}
    api.who.actor = actor([Role.ADMIN])
    assert set((await api.data("{ viewer { roles } }"))["viewer"]["roles"]) == set(Role)


async def test_who_only_posts_facts_sees_what_was_posted_and_nothing_that_hangs_on_it(api: Api) -> None:
    """Else a key that may not read could walk from its own service to every other."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="platform")
    fact = {"service": "api", "month": "2024-01", "amount": 1}
    api.who.actor = actor([Role.INGEST])
    assert await api.do("recordCost", "name tier", **fact) == {"__typename": "Service", "name": "api", "tier": 3}
    for relation in (
        "health { status }",
        "tags",
        "team { name }",
        "dependents { nodes { name } }",
        "slos { totalCount }",
    ):
        document = "mutation ($input: RecordCostInput!) {{ recordCost(input: $input) {{ ... on Service {{ {} }} }} }}"
        (error,) = (await api.send(document.format(relation), {"input": fact}))["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert error["extensions"]["details"] == {"action": "reading", "anyOf": ["VIEWER"]}


@pytest.mark.parametrize("accept", [RESPONSE_JSON, "application/json"])
async def test_whoever_is_unknown_gets_401_and_nothing_else(settings: Settings, clock: TestClock, accept: str) -> None:
    """Under both media types, with how to say who one is; nothing of the request is run."""
    app = build(replace(settings, auth="required"), clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://opsgraph.test") as http:
        with statements(app.state.core.database) as seen:
            response = await http.post("/graphql", json={"query": "{ viewer { name } }"}, headers={"accept": accept})
    await app.state.core.close()
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    (error,) = response.json()["errors"]
    assert (error["extensions"], "data" in response.json()) == ({"code": "UNAUTHENTICATED"}, False)
    assert not seen
