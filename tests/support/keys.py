"""Keys, and an application that asks for them by its own authenticator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from opsgraph.app import Core, build
from opsgraph.domains.access import commands
from opsgraph.domains.access.model import ApiKey, AuditEntry, CreatedKey
from opsgraph.domains.access.queries import entry_of, key_by_name
from opsgraph.domains.access.tables import audit
from opsgraph.kernel.actor import SYSTEM, Role
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workflows import keys
from tests.support.api import RESPONSE_JSON
from tests.support.clock import TestClock


async def make_key(
    database: Database,
    now: datetime,
    name: str,
    *roles: Role,
    expires_at: datetime | None = None,
    service: str | None = None,
) -> CreatedKey:
    """A key with these roles, VIEWER if none is named."""
    async with database.transaction(SYSTEM, now) as tx:
        return await keys.issue(tx, name, roles or (Role.VIEWER,), expires_at, service)


async def find_key(database: Database, name: str) -> ApiKey:
    """The key of that name, as it is now."""
    async with database.reading() as session:
        found = await key_by_name(session, name)
    assert found is not None
    return found


async def revoke(database: Database, now: datetime, name: str) -> None:
    """Revoke the key of that name."""
    key = await find_key(database, name)
    async with database.transaction(SYSTEM, now) as tx:
        await commands.revoke_key(tx, key.id)


async def on_record(database: Database) -> list[AuditEntry]:
    """The whole audit log, oldest first."""
    async with database.reading() as session:
        return [entry_of(row) for row in await session.execute(select(audit).order_by(audit.c.id))]


@dataclass(frozen=True, slots=True)
class Keyed:
    """An application that asks for keys, and a client.

    Attributes:
        http: the client.
        core: the application's database and clock.
        app: the application, for connections that stay open.
    """

    http: httpx.AsyncClient
    core: Core
    app: Starlette

    async def key(self, name: str, *roles: Role, **more: Any) -> str:
        """The secret of a new key."""
        return (await make_key(self.core.database, self.core.clock.now(), name, *roles, **more)).secret

    async def revoke(self, name: str) -> None:
        """Revoke a key."""
        await revoke(self.core.database, self.core.clock.now(), name)

    async def ask(self, secret: str | None, document: str, **variables: Any) -> httpx.Response:
        """The answer to an operation of whoever has this secret."""
        headers = {"accept": RESPONSE_JSON, **bearing(secret)}
        return await self.http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)

    async def data(self, secret: str, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must not have errors."""
        answer = (await self.ask(secret, document, **variables)).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


def bearing(secret: str | None) -> dict[str, str]:
    """The headers of a request with this secret."""
    return {} if secret is None else {"authorization": f"Bearer {secret}"}


@asynccontextmanager
async def keyed(settings: Settings, clock: TestClock) -> AsyncIterator[Keyed]:
    """The application, started, where nobody is let in without a key."""
    app = build(replace(settings, auth="required"), clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://opsgraph.test") as http,
    ):
        yield Keyed(http, app.state.core, app)
