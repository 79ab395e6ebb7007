"""Keys and the services that they may be bound to: making them, recognising them, and noting that they are used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import commands, queries
from opsgraph.domains.access.model import ApiKey, CreatedKey, KeyInput
from opsgraph.domains.access.rules import hash_of
from opsgraph.domains.catalog.queries.services import require_service, services_by_id
from opsgraph.kernel.actor import SYSTEM, Actor, Role
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was issued once, be it good or not, and who acts by it."""

    key: ApiKey
    actor: Actor


async def issue(
    tx: Tx, name: str, roles: Collection[Role], expires_at: datetime | None = None, service: str | None = None
) -> CreatedKey:
    """Make a key, bound to a service if one is named.

    Raises:
        NotFound: there is no such service.
        Refusal: see `create_key`.
    """
    bound_to = None if service is None else (await require_service(tx.connection, service)).id
    return await commands.create_key(tx, KeyInput(name, roles, expires_at, bound_to))


async def known_by_secret(session: AsyncConnection, secret: str) -> Known | None:
    """The key that has this secret, and its holder: its name, its roles."""
    key = await queries.key_by_hash(session, hash_of(secret))
    return None if key is None else await _known(session, key, key.roles)


async def known_by_routing_key(session: AsyncConnection, routing_key: str) -> Known | None:
    """The key that has this routing key, and its holder, who by a part of the secret may do no more than send."""
    key = await queries.key_by_routing_hash(session, hash_of(routing_key))
    return None if key is None else await _known(session, key, (Role.INGEST,))


async def look_after(
    database: Database, now: datetime, used: Mapping[UUID, datetime], held_open: Collection[UUID]
) -> set[UUID]:
    """Note which keys were used; gives those keys of connections that stay open which are good no more."""
    if used:
        async with database.transaction(SYSTEM, now) as tx:
            await commands.note_use(tx, used)
    if not held_open:
        return set()
    async with database.reading() as session:
        return set(held_open) - await queries.good_keys(session, held_open, now)


async def _known(session: AsyncConnection, key: ApiKey, roles: Collection[Role]) -> Known:
    service = None
    if key.service_id is not None:
        service = (await services_by_id(session, [key.service_id]))[key.service_id].name
    return Known(key, Actor(key.name, frozenset(roles), key.id, service))
