"""Relations are loaded in batches: the number of statements does not follow the number of services."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import structlog
from graphql import GraphQLField, GraphQLObjectType, get_named_type
from sqlalchemy import QueuePool, text
from strawberry.types.field import StrawberryField

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, Link, ServiceInput, TeamInput
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.health import queries as health_queries
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo.model import IndicatorKind, SloEventsInput, SloInput
from opsgraph.graphql.edges import EDGE
from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from tests.support.api import PROBLEM, Api
from tests.support.statements import statements

WHOLE = """
fragment Whole on Service {
  id name tags
  links { title url }
  team { name members(first: 2) { totalCount nodes { name teams { name } } } services(first: 1) { totalCount } }
  health { status points signals { message } }
  cost { latest trend entries { month amount } }
  reliability { score parts { name points } dora { deployments leadTimeSecondsMedian } }
  governance { status checks { name passed } }
  slos(first: 2) { totalCount nodes { name current burnRate hourly: burnRate(windowMinutes: 60) service { tier } } }
  deployments(first: 2) { totalCount pageInfo { hasNextPage } edges { cursor node { version service { tier } } } }
  dependencies(first: 2) { totalCount nodes { name health { status } } }
  dependents(first: 2) { totalCount nodes { name } }
}
"""
ALL = WHOLE + "query ($first: Int!) { services(first: $first) { nodes { ...Whole } } }"
ONE = WHOLE + "query ($name: String!) { service(name: $name) { ...Whole } }"


NODES = (
    *("Alert", "ApiKey", "AuditEntry", "Deployment", "Incident", "IncidentNote", "MaintenanceWindow", "Silence", "Slo"),
    *("ReadinessOverride", "ReadinessVerdict", "Service", "ServiceManifest", "Team", "TimelineEntry", "User"),
)
"""What has a global id."""

RESULTS = {"BulkIncidents.changed", "BulkIncidents.refused", "CreatedApiKey.key", "IngestedAlert.alert"}
"""What a root field has at hand when it answers."""


def name_of(number: int) -> str:
    """The name of a service, in the order of their numbers."""
    return f"service-{number:03}"


async def populate(api: Api, numbers: range) -> None:
    """Services of three teams; two of fifty have something of everything."""
    async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
        for team in range(3):
            saved = await catalog.save_team(tx, TeamInput(f"team-{team}"))
            person = await access.save_user(tx, UserInput(f"person-{team}"))
            await catalog.add_members(tx, saved.value, [person.value])
        for number in numbers:
            await add_service(tx, number)
            if number % 50 < 2:
                await add_facts(tx, number)


async def add_service(tx: Tx, number: int) -> None:
    """A service that depends on the one before it, with a deployment."""
    name, before = name_of(number), [name_of(number - 1)] if number else []
    links = [Link("Code", f"https://example.org/{number}")]
    wanted = ServiceInput(name, team=f"team-{number % 3}", tags=["a", f"t{number}"], depends_on=before, links=links)
    await catalog.save_service(tx, wanted)
    committed = tx.now - timedelta(hours=number + 1)
    await catalog.record_deployment(tx, DeploymentInput(name, f"v{number}", committed_at=committed))


async def add_facts(tx: Tx, number: int) -> None:
    """An SLO with events of half an hour ago and yesterday, another one, a cost, a check and a declaration."""
    name = name_of(number)
    await slo.save_slo(tx, SloInput(name, "orders", target=99.0, indicator=IndicatorKind.EXTERNAL))
    for ago, good in ((timedelta(minutes=30), 950 - number), (timedelta(days=1), 990)):
        await slo.record_slo_events(tx, SloEventsInput(name, "orders", good, 1000, at=tx.now - ago))
    await slo.save_slo(tx, SloInput(name, "pages", target=99.0, current=99.0 + number / 1000))
    await cost.record_cost(tx, CostInput(name, "2024-02", Decimal(number)), "USD")
    await governance.set_check(tx, name, "runbook", number % 2 == 0)
    await reliability.declare(tx, ReliabilityInput(name, uptime_pct=99.0 + number / 1000))


async def test_the_number_of_statements_does_not_follow_the_number_of_services(api: Api) -> None:
    """As many for 5 services as for 50 and for 200, each with everything that hangs on it."""
    counts = []
    for start, stop in ((0, 5), (5, 50), (50, 200)):
        await populate(api, range(start, stop))
        with statements(api.core.database) as seen:
            data = await api.data(ALL, first=stop)
        assert [node["name"] for node in data["services"]["nodes"]] == [name_of(number) for number in range(stop)]
        counts.append(len(seen))
    assert counts == counts[:1] * 3


ROOTS = {"Query", "Mutation", "Subscription"}
AS_OF_NOW = {
    *(f"{kind}.active" for kind in ("MaintenanceWindow", "ReadinessExemption", "ReadinessOverride", "Silence")),
    *(f"ReadinessOverride.{name}" for name in ("state", "endedAt", "endedReason")),
}
"""What depends on the instant of the operation."""
AS_OF_THE_EVENT = {"AlertEvent.alert", "IncidentEvent.incident"}
"""What an event holds as it was right afterwards, out of the log."""


def fields_beneath_the_roots() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of an object type, but for those of the roots and of introspection, as `Type.field`."""
    schema = build_schema(Settings())._schema
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and name not in ROOTS and not name.startswith("__"):
            yield from ((f"{name}.{field}", declared) for field, declared in kind.fields.items())


def declared_as(field: GraphQLField) -> StrawberryField:
    """The declaration behind a field of the schema."""
    found: StrawberryField = field.extensions["strawberry-definition"]
    return found


def is_relation(field: GraphQLField) -> bool:
    """Whether a field is declared as an edge, or as a connection over a relation."""
    return bool({EDGE, "opsgraph.relation"} & declared_as(field).metadata.keys())


def test_beneath_the_roots_only_edges_have_resolvers() -> None:
    """Whatever is not a plain attribute says how it is loaded for many parents, or is computed from what is at hand."""
    resolved = {name for name, field in fields_beneath_the_roots() if declared_as(field).base_resolver}
    relations = {name for name, field in fields_beneath_the_roots() if is_relation(field)}
    computed = {f"{kind}.id" for kind in NODES} | AS_OF_NOW
    assert resolved - relations == computed
    assert {"Service.health", "Service.slos", "Slo.burnRate", "Team.members", "ServiceConnection.nodes"} < relations


def test_what_is_stored_on_its_own_is_reached_by_edges_only() -> None:
    """A plain attribute is a value, never a node or a connection; a Relay edge has the node of its page."""
    plain = {name: field for name, field in fields_beneath_the_roots() if not is_relation(field)}
    kinds = {name: get_named_type(field.type) for name, field in plain.items()}
    objects = {name: kind for name, kind in kinds.items() if isinstance(kind, GraphQLObjectType)}
    stored = {name for name, kind in objects.items() if {"id", "pageInfo"} & kind.fields.keys()}
    pages = {f"{'Timeline' if kind == 'TimelineEntry' else kind}Edge.node" for kind in NODES}
    assert stored == pages | RESULTS | AS_OF_THE_EVENT
    assert "CostProfile.entries" in objects


async def test_nested_results_equal_those_of_asking_one_at_a_time(api: Api) -> None:
    """Whatever is loaded with that of others is as if it were alone."""
    await populate(api, range(5))
    together = (await api.data(ALL, first=5))["services"]["nodes"]
    alone = [(await api.data(ONE, name=node["name"]))["service"] for node in together]
    assert together == alone
    assert [node["slos"]["totalCount"] for node in together] == [2, 2, 0, 0, 0]
    assert len({node["team"]["name"] for node in together}) == 3


async def test_two_aliases_of_one_edge_do_not_mix(api: Api) -> None:
    """Other arguments, other batches: windows of burn rates, sizes and cursors of pages."""
    await populate(api, range(3))
    data = await api.data(
        """{ service(name: "service-001") {
             slos(first: 1) { nodes { own: burnRate hour: burnRate(windowMinutes: 60)
                                      minute: burnRate(windowMinutes: 1) day: burnRate(windowMinutes: 1500) } }
             all: slos { nodes { name } } none: slos(first: 0) { nodes { name } totalCount }
             cursors: slos { edges { cursor } } } }"""
    )
    service = data["service"]
    (rates,) = service["slos"]["nodes"]
    assert rates == {"own": pytest.approx(3.05), "hour": pytest.approx(5.1), "minute": None, "day": rates["own"]}
    assert [node["name"] for node in service["all"]["nodes"]] == ["orders", "pages"]
    assert service["none"] == {"nodes": [], "totalCount": 2}
    pages = await api.data(
        """query ($after: String) { service(name: "service-001") {
             first: slos(first: 1) { nodes { name } } second: slos(first: 1, after: $after) { nodes { name } } } }""",
        after=service["cursors"]["edges"][0]["cursor"],
    )
    assert pages["service"] == {"first": {"nodes": [{"name": "orders"}]}, "second": {"nodes": [{"name": "pages"}]}}


async def test_mutations_of_one_document_see_what_those_before_them_wrote(api: Api) -> None:
    """What the first one loaded is not what the second one shows."""
    await populate(api, range(3))
    fragment = "fragment S on Service { title tags health { status } slos { totalCount nodes { service { title } } } }"
    data = await api.data(
        f"""mutation {{
          a: saveService(input: {{name: "service-002", title: "One", tags: ["x"]}}) {{ ...S {PROBLEM} }}
          b: saveSlo(input: {{service: "service-002", name: "late", target: 99, current: 10}}) {{
               ... on Slo {{ service {{ ...S }} }} {PROBLEM} }}
          c: saveService(input: {{name: "service-002", title: "Two", tags: null}}) {{ ...S {PROBLEM} }}
          d: deleteSlo(service: "service-002", name: "late") {{ __typename }}
          e: saveService(input: {{name: "service-002"}}) {{ ...S {PROBLEM} }}
        }} {fragment}"""
    )
    shown = [data["a"], data["b"]["service"], data["c"], data["e"]]
    assert [service["title"] for service in shown] == ["One", "One", "Two", "Two"]
    assert [service["tags"] for service in shown] == [["x"], ["x"], [], []]
    assert [service["slos"]["totalCount"] for service in shown] == [0, 1, 1, 0]
    assert [service["slos"]["nodes"] for service in shown[1:3]] == [[{"service": {"title": t}}] for t in ("One", "Two")]
    assert [service["health"]["status"] for service in shown] == ["HEALTHY", "DEGRADED", "DEGRADED", "HEALTHY"]


async def test_what_a_mutation_left_loading_does_not_show_in_the_next(api: Api) -> None:
    """The first one's team is null, because its members are refused; its services are loaded none the less."""
    await populate(api, range(1))
    answer = await api.send(
        """mutation {
          a: saveService(input: {name: "service-000", title: "One"}) { ... on Service {
               team { services(first: 1) { nodes { title } } members(first: 201) { totalCount } } } }
          b: saveService(input: {name: "service-000", title: "Two"}) { ... on Service {
               team { services(first: 1) { nodes { title } } } } }
        }"""
    )
    assert places(answer) == [(["a", "team", "members"], "BAD_INPUT")]
    assert answer["data"] == {"a": {"team": None}, "b": {"team": {"services": {"nodes": [{"title": "Two"}]}}}}


Failing = Callable[..., Awaitable[Any]]


async def raising(*_arguments: Any) -> Any:
    """A query with a bug."""
    raise LookupError("a bug")


async def refused_by_the_database(session: Any, *_arguments: Any) -> Any:
    """A query that the database refuses, which on PostgreSQL spoils the transaction it is in."""
    await session.execute(text("SELECT nothing FROM nowhere"))


failing = pytest.mark.parametrize("query", [raising, refused_by_the_database])


def places(answer: dict[str, Any]) -> list[tuple[Sequence[str | int], str]]:
    """Where an answer has errors, with their codes."""
    return sorted((error["path"], error["extensions"]["code"]) for error in answer["errors"])


@failing
async def test_a_failing_batch_fails_its_own_fields_only(
    api: Api, monkeypatch: pytest.MonkeyPatch, query: Failing
) -> None:
    """The teams are null, each with an error; everything else is as it is without the failure."""
    await populate(api, range(4))
    nodes = (await api.data(ALL, first=4))["services"]["nodes"]
    monkeypatch.setattr(catalog_teams, "teams_by_id", query)
    with structlog.testing.capture_logs():
        answer = await api.send(ALL, {"first": 4})
    assert answer["data"]["services"]["nodes"] == [{**node, "team": None} for node in nodes]
    assert places(answer) == [(["services", "nodes", place, "team"], "INTERNAL") for place in range(4)]


@failing
async def test_what_a_failed_sibling_shares_with_others_is_still_loaded(
    api: Api, monkeypatch: pytest.MonkeyPatch, query: Failing
) -> None:
    """One service is null, because its health may not be; the other, of the same team, is whole."""
    await populate(api, range(4))
    monkeypatch.setattr(health_queries, "health_by_service", query)
    with structlog.testing.capture_logs():
        answer = await api.send(
            """{ a: service(name: "service-000") { health { status } cost { latest } team { name } }
                 b: service(name: "service-003") { team { name } tags reliability { dora { deployments } } } }"""
        )
    whole = {"team": {"name": "team-0"}, "tags": ["a", "t3"], "reliability": {"dora": {"deployments": 1}}}
    assert answer["data"] == {"a": None, "b": whole}
    assert places(answer) == [(["a", "health"], "INTERNAL")]


async def test_what_is_superfluous_after_a_refusal_keeps_no_connection(api: Api) -> None:
    """More refused operations than the pool has connections, each with siblings that are loading still."""
    await populate(api, range(2))
    document = "{ services { nodes { team { name } health { status } slos(first: 201) { totalCount } } } }"
    for _ in range(10):
        answer = await api.send(document)
        assert places(answer) == [(["services", "nodes", 0, "slos"], "BAD_INPUT")]
    pool = api.core.database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
