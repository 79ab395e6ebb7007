"""What goes wrong on our side: masked for the client, logged once and whole, and only as far as it reaches."""

import gc
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import strawberry
import structlog
from graphql import GraphQLError
from sqlalchemy import text, update
from starlette.requests import Request

from opsgraph.cli.logs import log_as
from opsgraph.domains.health.tables import stored
from opsgraph.graphql.context import Context
from opsgraph.graphql.endpoint import GraphQLEndpoint
from opsgraph.graphql.errors import presented
from opsgraph.graphql.live import Live
from opsgraph.graphql.scalars import JSON
from opsgraph.graphql.schema import Schema
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.kernel.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from opsgraph.settings import Settings
from tests.support.api import RESPONSE_JSON, Api
from tests.support.contents import unchanged

SECRET = "{ hunter2"
MASKED = "an unexpected error happened; it was logged with the request's id"
HEALTH = "{ services { nodes { health { status } } } }"


@pytest.fixture
async def broken(api: Api, server_log: io.StringIO) -> Api:
    """Three services whose stored health nobody can read: it is not JSON."""
    for name in ("a", "b", "c"):
        await api.do("saveService", name=name)
    async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
        await tx.connection.execute(update(stored).values(signals=SECRET))
    return api


@pytest.fixture
def server_log() -> Iterator[io.StringIO]:
    """What the server writes to its log, set up as `opsgraph serve` does."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    log_as(Settings(log_format="json", log_level="info"))
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def post(api: Api, document: str) -> httpx.Response:
    """Post a document."""
    return await api.http.post("/graphql", json={"query": document}, headers={"accept": RESPONSE_JSON})


async def test_an_unexpected_error_tells_the_client_nothing_but_where(broken: Api) -> None:
    """A code, the place, and the id under which it was logged."""
    response = await post(broken, '{ viewer { name } service(name: "a") {\n health { status } } }')
    (error,) = response.json()["errors"]
    assert error == {
        "message": MASKED,
        "locations": [{"line": 2, "column": 2}],
        "path": ["service", "health"],
        "extensions": {"code": "INTERNAL", "requestId": response.headers["x-request-id"]},
    }


async def test_it_is_a_500_only_if_there_is_no_data(broken: Api) -> None:
    """What else was asked for is answered."""
    partial = await post(broken, '{ viewer { name } service(name: "a") { health { status } } }')
    assert (partial.status_code, partial.json()["data"]) == (200, {"viewer": {"name": "local"}, "service": None})
    nothing = await post(broken, HEALTH)
    assert (nothing.status_code, nothing.json()["data"]) == (500, None)


async def test_it_fails_its_own_fields_only(broken: Api) -> None:
    """Other relations of the same services are loaded, and the next request is served."""

    def document(relation: str) -> str:
        others = "name governance { status } cost { trend }"
        return f'{{ a: service(name: "a") {{ {relation} }} b: service(name: "b") {{ {others} }} }}'

    data = (await post(broken, document("health { status }"))).json()["data"]
    whole = {"name": "b", "governance": {"status": "NEEDS_REVIEW"}, "cost": {"trend": "STABLE"}}
    assert data == {"a": None, "b": whole}
    assert await broken.data(document("tags")) == {"a": {"tags": []}, "b": whole}


def logged_errors(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines of a log that tell of errors."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["level"] == "error"]


async def test_the_log_has_the_traceback_without_the_values_in_it(broken: Api, server_log: io.StringIO) -> None:
    """Under the request's id; local variables may hold what nobody should read."""
    response = await post(broken, HEALTH)
    (logged,) = logged_errors(server_log)
    assert (logged["event"], logged["request_id"]) == ("unexpected_error", response.headers["x-request-id"])
    assert "health_by_service" in [frame["name"] for frame in logged["exception"][0]["frames"]]
    assert SECRET not in server_log.getvalue()


@asynccontextmanager
async def without_table(api: Api, table: str) -> AsyncIterator[None]:
    """The database while a table of it has another name."""
    for old, new in ((table, "elsewhere"), ("elsewhere", table)):
        async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
            await tx.connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
        if old == table:
            yield


async def test_a_batch_that_fails_is_logged_once_however_many_fields_it_failed(
    api: Api, server_log: io.StringIO
) -> None:
    """Each field has its error, all of them one cause."""
    await api.do("saveTeam", name="platform")
    for number in range(5):
        await api.do("saveService", name=f"service-{number}", team="platform")
    async with without_table(api, "team"):
        response = await post(api, "{ services { nodes { name team { name } } } }")
    assert [node["team"] for node in response.json()["data"]["services"]["nodes"]] == [None] * 5
    assert {error["message"] for error in response.json()["errors"]} == {MASKED}
    assert len(response.json()["errors"]) == 5
    assert len(logged_errors(server_log)) == 1


async def test_what_clients_do_wrong_is_not_logged_as_an_error(api: Api, server_log: io.StringIO) -> None:
    """Neither bad requests nor refusals: the log of errors is for bugs."""
    await post(api, "{ nothing }")
    await post(api, "{")
    await post(api, "{ services(first: -1) { totalCount } }")
    await post(api, 'mutation { archiveService(name: "nobody") { __typename } }')
    assert {json.loads(line)["level"] for line in server_log.getvalue().splitlines()} == {"info"}


async def test_a_mutation_that_fails_leaves_nothing_behind(api: Api, server_log: io.StringIO) -> None:
    """Saving a service goes well until its health is stored; then the service is gone as well."""
    async with unchanged(api.core.database), without_table(api, "service_health"):
        response = await post(api, 'mutation { saveService(input: {name: "api"}) { __typename } }')
    assert (response.status_code, response.json()["data"]) == (500, None)
    assert response.json()["errors"][0]["message"] == MASKED
    assert len(logged_errors(server_log)) == 1
    assert (await api.do("saveService", name="api"))["__typename"] == "Service"


async def test_what_an_error_made_superfluous_is_not_logged_either(api: Api, server_log: io.StringIO) -> None:
    """Siblings of a refused field are loading still when the answer is ready; their end is no news."""
    for name in ("a", "b"):
        await api.do("saveService", name=name)
    document = "{ services { nodes { tags } totalCount } teams(first: 201) { totalCount } }"
    for _ in range(5):
        answer = await post(api, document)
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_INPUT"]
    await api.data("{ services { nodes { tags } } }")
    gc.collect()
    assert logged_errors(server_log) == []


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (NotFound("gone", "name"), "BAD_INPUT"),
        (Invalid("wrong", ("filter", "is_met")), "BAD_INPUT"),
        (Conflict("busy", details={"from": "OPEN"}), "BAD_INPUT"),
        (Forbidden("no"), "FORBIDDEN"),
        (Unauthenticated("who?"), "UNAUTHENTICATED"),
    ],
)
def test_a_refusal_outside_a_mutation_has_a_code_its_place_and_details(refusal: Refusal, code: str) -> None:
    """As an error of the response, under its own message."""
    (shown,) = presented([GraphQLError(str(refusal), original_error=refusal)], "r1")
    assert (shown["message"], shown["extensions"]["code"]) == (refusal.message, code)
    assert shown["extensions"].get("details") == refusal.details
    spelled = {"gone": ["name"], "wrong": ["filter", "isMet"]}
    assert shown["extensions"].get("field") == spelled.get(refusal.message)


def test_a_message_that_quotes_a_huge_value_is_cut() -> None:
    """An answer is not as long as the worst request."""
    (shown,) = presented([GraphQLError("x" * 100_000)], None)
    assert len(shown["message"]) == 1_000


@strawberry.type
class Numbers:
    """Numbers that clients may find too large."""

    @strawberry.field
    def large(self) -> JSON:
        """More than 64 bits."""
        return JSON({"count": 2**64, "text": "ü"})


async def test_whole_numbers_of_more_than_64_bits_are_written_whole(api: Api) -> None:
    """The fast encoder cannot write them; the answer still is JSON."""

    async def context_of(_request: Request) -> Context:
        core = api.core
        return Context(core.database, LOCAL, core.clock, core.settings, readiness=core.readiness)

    schema = Schema(query=Numbers)
    transport = httpx.ASGITransport(GraphQLEndpoint(schema, context_of, Live(1)))
    async with httpx.AsyncClient(transport=transport, base_url="http://opsgraph.test") as http:
        response = await http.post("/graphql", json={"query": "{ large }"})
    large: dict[str, Any] = json.loads(response.content)["data"]["large"]
    assert large == {"count": 2**64, "text": "ü"}
