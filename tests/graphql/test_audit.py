"""What the audit log says of acts: done, refused and denied."""

from typing import Any

import pytest
import strawberry
from sqlalchemy import insert

from opsgraph.domains.access.tables import users
from opsgraph.graphql.context import Context
from opsgraph.graphql.rights import mutation, query
from opsgraph.graphql.schema import Schema
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.refusals import Conflict
from tests.support.api import Api
from tests.support.clock import START, TestClock
from tests.support.keys import on_record

VIEWER = Actor("ana", frozenset({Role.VIEWER}))
LOG = """query ($actor: String, $since: DateTime) {
  auditLog(actor: $actor, since: $since) {
    totalCount nodes { at actor action allowed detail address }
  }
}"""
INPUT: dict[str, Any] = {"name": "pipeline", "roles": ["INGEST"], "expiresAt": "2030-01-01T01:00:00+01:00"}
ASKED = {**INPUT, "expiresAt": "2030-01-01T00:00:00Z"}


async def log(api: Api, **arguments: Any) -> list[dict[str, Any]]:
    """The audit log as an admin sees it, newest first."""
    asking, api.who.actor = api.who.actor, LOCAL
    found = (await api.data(LOG, **arguments))["auditLog"]
    api.who.actor = asking
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


async def test_what_was_done_is_on_record(api: Api, clock: TestClock) -> None:
    """Who, what, from where, when, with what was asked for; the secret that came of it is not."""
    made = await api.do("createApiKey", "secret key { id name roles service expiresAt createdBy }", **INPUT)
    assert made["key"]["createdBy"] == "local"
    clock.move(minutes=1)
    revoke = f'mutation {{ revokeApiKey(id: "{made["key"]["id"]}") {{ ... on ApiKey {{ revokedAt }} }} }}'
    assert (await api.data(revoke))["revokeApiKey"] == {"revokedAt": "2024-03-15T12:01:00Z"}
    common = {"actor": "local", "allowed": True, "address": "127.0.0.1"}
    assert await log(api) == [
        {"at": "2024-03-15T12:01:00Z", "action": "revokeApiKey", "detail": {"id": made["key"]["id"]}, **common},
        {"at": "2024-03-15T12:00:00Z", "action": "createApiKey", "detail": {"input": ASKED}, **common},
    ]
    assert made["secret"] not in repr(await on_record(api.core.database))


async def test_what_was_refused_is_on_record(api: Api, clock: TestClock) -> None:
    """With the reason that the client got, and nothing else of what the transaction did."""
    await api.do("createApiKey", **INPUT)
    clock.move(seconds=1)
    problem = await api.do("createApiKey", **{**INPUT, "name": "Pipeline"})
    assert (problem["code"], problem["field"]) == ("CONFLICT", ["input", "name"])
    newest, _ = await log(api)
    assert (newest["action"], newest["allowed"]) == ("createApiKey", False)
    reason = {"code": problem["code"], "message": problem["message"]}
    assert newest["detail"] == {"input": {**ASKED, "name": "Pipeline"}, **reason}


@pytest.mark.parametrize(
    ("document", "action", "asked"),
    [
        ("{ apiKeys { totalCount } }", "apiKeys", {"first": None, "after": None}),
        ('{ auditLog(actor: "x") { totalCount } }', "auditLog", {"actor": "x"}),
        ('mutation { saveTeam(input: {name: "t"}) { __typename } }', "saveTeam", {"input": {"name": "t"}}),
        ('mutation { revokeApiKey(id: "x") { __typename } }', "revokeApiKey", {"id": "x"}),
    ],
)
async def test_whatever_was_denied_is_on_record(api: Api, document: str, action: str, asked: dict[str, Any]) -> None:
    """Queries as well as mutations, declared as audited or not."""
    api.who.actor = VIEWER
    await api.send(document)
    (entry,) = await log(api)
    assert (entry["actor"], entry["action"], entry["allowed"]) == ("ana", action, False)
    assert entry["detail"]["code"] == "FORBIDDEN"
    assert 'which "ana" does not have' in entry["detail"]["message"]
    assert {name: entry["detail"][name] for name in asked} == asked


async def test_a_denial_beneath_a_field_is_on_record(api: Api, clock: TestClock) -> None:
    """Such as of a node that only admins may find."""
    made = await api.do("createApiKey", "key { id }", **INPUT)
    clock.move(seconds=1)
    api.who.actor = VIEWER
    await api.send(f'{{ node(id: "{made["key"]["id"]}") {{ id }} }}')
    newest, _ = await log(api)
    assert (newest["action"], newest["allowed"], newest["detail"]["id"]) == ("node", False, made["key"]["id"])


async def test_what_is_neither_denied_nor_audited_is_not_there(api: Api) -> None:
    """Reading, an everyday change, and a refusal of one."""
    await api.do("saveTeam", name="platform")
    await api.do("saveService", name="api", team="nobody")
    await api.data("{ services { totalCount } }")
    assert await log(api) == []


async def test_it_is_read_by_actor_and_time(api: Api, clock: TestClock) -> None:
    """Newest first, whatever the case of the name."""
    for name in ("Ana", "ben"):
        api.who.actor = Actor(name, frozenset({Role.VIEWER}))
        await api.send("{ apiKeys { totalCount } }")
        clock.move(minutes=1)
    assert [entry["actor"] for entry in await log(api)] == ["ben", "Ana"]
    assert [entry["actor"] for entry in await log(api, actor="aNA")] == ["Ana"]
    assert [entry["actor"] for entry in await log(api, since="2024-03-15T12:01:00Z")] == ["ben"]


async def test_keys_are_shown_without_anything_secret(api: Api, clock: TestClock) -> None:
    """With the service that each is bound to, by the name that it has now."""
    await api.do("saveService", name="api")
    made = await api.do("createApiKey", "secret", name="pipeline", roles=["INGEST"], service="API")
    clock.move(seconds=1)
    await api.do("createApiKey", name="ana", roles=["ADMIN", "VIEWER"])
    await api.do("renameService", name="api", newName="gateway")
    fields = "name roles service prefix lastUsedAt expiresAt revokedAt"
    keys = (await api.data(f"{{ apiKeys {{ totalCount nodes {{ {fields} }} }} }}"))["apiKeys"]
    nothing = {"lastUsedAt": None, "expiresAt": None, "revokedAt": None}
    assert keys["totalCount"] == 2
    assert [key["prefix"] for key in keys["nodes"]][1] == made["secret"][:10]
    assert [{**key, "prefix": ""} for key in keys["nodes"]] == [
        {"name": "ana", "roles": ["VIEWER", "ADMIN"], "service": None, "prefix": "", **nothing},
        {"name": "pipeline", "roles": ["INGEST"], "service": "gateway", "prefix": "", **nothing},
    ]


async def test_who_is_bound_to_a_service_posts_facts_about_that_alone(api: Api) -> None:
    """Denied for another, before anything is looked up; that is on record."""
    await api.do("saveService", name="api")
    api.who.actor = Actor("pipeline", frozenset({Role.INGEST}), service="api")
    fact: dict[str, Any] = {"month": "2024-01", "amount": 1}
    assert (await api.do("recordCost", service="API", **fact))["__typename"] == "Service"
    problem = await api.do("recordCost", service="web", **fact)
    assert (problem["code"], problem["details"]) == ("FORBIDDEN", {"action": "recordCost", "service": "api"})
    (entry,) = await log(api)
    assert (entry["actor"], entry["detail"]["message"]) == ("pipeline", problem["message"])


@strawberry.type
class Acts:
    """Mutations that are audited, each of another kind."""

    @mutation(Role.EDITOR, description="Two transactions.", audited=True)
    async def twice(self, info: strawberry.Info[Context, None]) -> int:
        """Change nothing, twice."""
        for _ in range(2):
            async with info.context.writing():
                pass
        return 1

    @mutation(Role.EDITOR, description="No transaction.", audited=True)
    async def nothing(self, info: strawberry.Info[Context, None]) -> int:  # noqa: ARG002 - every root field takes it
        """There was nothing to change."""
        return 1

    @mutation(Role.EDITOR, description="Written, then refused.", audited=True)
    async def refused(self, info: strawberry.Info[Context, None], name: str) -> int:
        """Write somebody, and think better of it."""
        async with info.context.writing() as tx:
            row = {"id": tx.new_id(), "name": name, "name_key": name, "active": True}
            await tx.connection.execute(insert(users).values(**row, created_at=START, updated_at=START))
            raise Conflict("it is too late")

    @mutation(Role.EDITOR, description="A bug.", audited=True)
    async def broken(self, info: strawberry.Info[Context, None]) -> int:
        """Fail after writing."""
        async with info.context.writing():
            raise LookupError("a bug")

    @mutation(Role.EDITOR, description="Not audited.")
    async def plain(self, info: strawberry.Info[Context, None]) -> int:
        """An everyday change."""
        async with info.context.writing():
            return 1


@strawberry.type
class Nothing:
    """A schema has queries."""

    @query(description="Nothing.")
    async def nothing(self, info: strawberry.Info[Context, None]) -> int:  # noqa: ARG002 - every root field takes it
        """Nothing."""
        return 0


async def test_each_use_of_an_audited_mutation_is_one_entry(api: Api) -> None:
    """Whatever its transactions are; what is rolled back takes its entry along, and a bug is for the log alone."""
    schema = Schema(query=Nothing, mutation=Acts)
    core, address = api.core, "192.0.2.1"
    context = Context(core.database, LOCAL, core.clock, core.settings, address=address, readiness=core.readiness)
    document = 'mutation { twice plain nothing refused(name: "x") }'
    assert (await schema.execute(document, context_value=context)).errors is not None
    await schema.execute("mutation { broken }", context_value=context)
    entries = {entry.action: entry for entry in await on_record(api.core.database)}
    assert {name: entry.allowed for name, entry in entries.items()} == {
        "twice": True,
        "nothing": True,
        "refused": False,
    }
    assert len(await on_record(api.core.database)) == len(entries)
    assert entries["refused"].detail == {"name": "x", "code": "CONFLICT", "message": "it is too late"}
    assert {entry.address for entry in entries.values()} == {"192.0.2.1"}
    assert (await api.data("{ users { totalCount } }"))["users"] == {"totalCount": 0}
