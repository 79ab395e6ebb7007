"""The API as a client has it: GraphQL over the whole ASGI application, on a real database."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from opsgraph.app import Core, build
from opsgraph.http.authentication import Authenticator
from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.settings import Settings
from tests.support.clock import TestClock

PROBLEM = "... on Problem { code message field details }"
BAD_INPUT = {"code": "BAD_INPUT", "classification": "ValidationError"}
RESPONSE_JSON = "application/graphql-response+json"


class AnyActor(Authenticator):
    """Lets a test say who is asking."""

    def __init__(self, actor: Actor = LOCAL) -> None:
        self.actor = actor

    async def __call__(self, request: HTTPConnection) -> Actor:  # noqa: ARG002 - the signature it stands in for
        """Whoever the test said."""
        return self.actor

    async def sender(self, request: HTTPConnection, routing_key: str) -> Actor:  # noqa: ARG002 - as above
        """The same."""
        return self.actor


@dataclass(slots=True)
class Api:
    """A client of a running application.

    Attributes:
        http: for requests that are not GraphQL, or not well-formed.
        core: the application's database, clock and policy.
        who: whose `actor` a test may replace.
        app: the application itself, for connections that stay open.
    """

    http: httpx.AsyncClient
    core: Core
    who: AnyActor
    app: Starlette

    async def send(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer to an operation: data, errors and extensions."""
        body = {"query": document, "variables": dict(variables or {})}
        response = await self.http.post("/graphql", json=body, headers={"accept": RESPONSE_JSON})
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must not have errors."""
        answer = await self.send(document, variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def do(self, mutation: str, selection: str = "__typename", **values: Any) -> dict[str, Any]:
        """The result of a mutation that takes an `input`; a refusal comes with its code, message, field and details."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) "
            f"{{ __typename ... on {_RESULTS.get(mutation, 'Service')} {{ {selection} }} {PROBLEM} }} }}"
        )
        data = await self.data(document, input=values)
        result: dict[str, Any] = data[mutation]
        return result


_RESULTS = {
    "saveTeam": "Team",
    "saveSlo": "Slo",
    "recordSloEvents": "Slo",
    "recordDeployment": "Deployment",
    "ingestAlert": "IngestedAlert",
    "createSilence": "Silence",
    "saveMaintenanceWindow": "MaintenanceWindow",
    "saveGovernanceDuty": "GovernanceDuty",
    "createApiKey": "CreatedApiKey",  # pragma: allowlist secret
}


@asynccontextmanager
async def running(settings: Settings, clock: TestClock) -> AsyncIterator[Api]:
    """The application, started, with a client; stopped when the block ends."""
    who = AnyActor()
    app = build(settings, clock, who)
    async with _started(app), _client(app) as http:
        yield Api(http, app.state.core, who, app)


def _client(app: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://opsgraph.test")


@asynccontextmanager
async def _started(app: Starlette) -> AsyncIterator[None]:
    async with app.router.lifespan_context(app):
        yield
