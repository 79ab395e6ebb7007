"""Generated operations never make the endpoint answer with an error of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import structlog
from graphql import NameNode, ObjectFieldNode, ValueNode
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis_graphql import Mode, nodes
from hypothesis_graphql import strategies as generated
from schemathesis.checks import CheckContext
from schemathesis.specs.openapi.checks import response_schema_conformance

from opsgraph.graphql.schema import printed_schema
from opsgraph.graphql.service_lists import SERVICES
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.pages import write_cursor
from opsgraph.settings import Settings
from tests.journeys.test_worked_example import CHECKS, enter_worked_example
from tests.support import databases
from tests.support.api import RESPONSE_JSON, Api, running
from tests.support.cli import served
from tests.support.clock import START, TestClock
from tests.support.scale import scaled

Nodes = st.SearchStrategy[ValueNode]
Response = httpx.Response | schemathesis.Response

DIRECTLY = {"http": ""}
"""No proxy, whatever the environment says."""

NAMES = [
    "api-gateway",
    "payments",
    "platform",
    "availability",
    *CHECKS,
    "metrics",
    "2024-02",
    "2024-03",
    "USD",
    "EUR",
    "key",
]
FIELDS = ["metrics", "encryption", "runbook_url", "custom"]
ORDERS = [*(relation.order for relation in SERVICES.values()), "teams", "users", "slos", "slos of a service"]
INSTANTS = [rfc3339(START), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999-12:00", "2024-02-30T00:00:00Z"]
NUMBERS = ["0", "1", "99.95", "-5", "1e99", "-1e-99", "0." + "9" * 40, "9" * 40, "NaN", "1e999999999", ""]
"""Values that get beyond the first check, and values at the edges of what is stored."""

cursor_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.uuids().map(str)
cursors = st.builds(write_cursor, st.sampled_from(ORDERS), st.lists(cursor_values, max_size=3).map(tuple))
texts = st.sampled_from(NAMES) | st.text() | cursors
instants = st.sampled_from(INSTANTS) | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.text()
decimals = st.sampled_from(NUMBERS) | st.decimals(allow_nan=False, allow_infinity=False).map(str)


def objects(values: Nodes) -> Nodes:
    """Objects with names that something is called by, and with others."""
    names = st.sampled_from(FIELDS) | st.from_regex(
        r"[A-Za-z_]\w{0,5}", fullmatch=True, alphabet=st.characters(codec="ascii")
    )
    fields = st.builds(ObjectFieldNode, name=st.builds(NameNode, value=names), value=values)
    return st.lists(fields, max_size=3, unique_by=lambda field: field.name.value).map(nodes.Object)


json_values: Nodes = st.recursive(
    st.integers().map(nodes.Int) | texts.map(nodes.String) | st.booleans().map(nodes.Boolean),
    lambda inner: st.lists(inner, max_size=3).map(nodes.List) | objects(inner),
    max_leaves=5,
)
SCALARS: dict[str, Nodes] = {
    "DateTime": instants.map(nodes.String),
    "Decimal": decimals.map(nodes.String) | st.integers().map(nodes.Int),
    "JSON": json_values | objects(st.booleans().map(nodes.Boolean)),
}
SCHEMA = printed_schema()


Check = Callable[..., None]


def repeated(check: Check, full: int, **drawn: st.SearchStrategy[Any]) -> None:
    """Check as many examples of `full` as the scale asks for, the same ones each time."""
    how = examples(
        max_examples=scaled(full), derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck]
    )
    how(given(**drawn)(check))()


def documents(ids: list[str]) -> st.SearchStrategy[str]:
    """Queries and mutations, valid ones and ones with one fault each, over what is stored and over anything else."""
    strings = texts.map(nodes.String)
    scalars = {
        **SCALARS,
        "String": strings,
        "ID": st.sampled_from(ids).map(nodes.String) | strings,
        "Int": (st.integers(-1, 5) | st.sampled_from([200, 201, 2**31 - 1, -(2**31)])).map(nodes.Int),
        "Float": (st.integers(0, 101) | st.floats(allow_nan=False, allow_infinity=False)).map(nodes.Float),
    }
    makers = (generated.queries, generated.mutations)
    return st.one_of(
        [make(SCHEMA, custom_scalars=scalars, mode=mode) for make in makers for mode in (Mode.POSITIVE, Mode.NEGATIVE)]
    )


def failures(response: Response) -> list[Any]:
    """What an answer says that only the server can be to blame for."""
    if response.status_code >= 500:
        return [response.text]
    return [error for error in response.json().get("errors", []) if error["extensions"]["code"] == "INTERNAL"]


@contextmanager
def worked_example(settings: Settings) -> Iterator[tuple[asyncio.Runner, Api]]:
    """The application with the worked example, and the loop that it runs in."""
    with asyncio.Runner() as runner:
        context = running(settings, TestClock())
        api = runner.run(context.__aenter__())
        try:
            runner.run(enter_worked_example(api))
            yield runner, api
        finally:
            runner.run(context.__aexit__(None, None, None))
            if not api.core.database.is_sqlite:
                runner.run(databases.emptied(settings.database_url))


async def stored_ids(api: Api) -> list[str]:
    """Global ids of things of three kinds."""
    data = await api.data("{ services { nodes { id } } teams { nodes { id } } slos { nodes { id } } }")
    return [node["id"] for listed in data.values() for node in listed["nodes"]]


@pytest.mark.long
def test_no_generated_operation_is_answered_with_an_error_of_the_server(settings: Settings) -> None:
    """Queries and mutations one after another on one database, which the mutations keep changing."""
    with worked_example(settings) as (runner, api):
        ids = runner.run(stored_ids(api))

        def check(document: str) -> None:
            send = api.http.post("/graphql", json={"query": document}, headers={"accept": RESPONSE_JSON})
            assert failures(runner.run(send)) == []

        with structlog.testing.capture_logs() as log:
            repeated(check, 5_000, document=documents(ids))
    assert [line for line in log if line["log_level"] == "error"] == []


def no_server_error(_ctx: CheckContext, response: schemathesis.Response, _case: "schemathesis.Case[Any]") -> None:
    """What `not_a_server_error` is for; that check takes every refusal of a field for the server's own failure."""
    assert failures(response) == []


@pytest.mark.long
def test_schemathesis_finds_no_server_error_on_a_running_server(sqlite_template: Path, tmp_path: Path) -> None:
    """Every field of both roots, on `opsgraph serve`; its log has no error either."""
    url = databases.copied(sqlite_template, tmp_path)
    with worked_example(Settings(database_url=url, workers="off")):
        pass
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    with served(tmp_path, OPSGRAPH_DATABASE_URL=url, OPSGRAPH_LOG_LEVEL="warning") as server:
        schema = schemathesis.graphql.from_url(f"{server.url}/graphql", proxies=DIRECTLY)
        fields = [schema[kind][field] for kind in schema for field in schema[kind]]
        assert {field.label for field in fields} > {"Query.services", "Query.platformReport", "Mutation.recordCost"}

        def check(case: "schemathesis.Case[Any]") -> None:
            case.call_and_validate(checks=[no_server_error, response_schema_conformance], proxies=DIRECTLY)

        for field in fields:
            repeated(check, 100, case=field.as_strategy())
        assert server.stop() == ""
