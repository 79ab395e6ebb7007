"""Reads of the access domain."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access.model import ApiKey, AuditEntry, User
from opsgraph.domains.access.tables import api_keys, audit, users
from opsgraph.kernel.actor import Role
from opsgraph.kernel.ids import earliest
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.storage.keyset import Sort, page_of
from opsgraph.storage.many import among
from opsgraph.storage.origins import origins_by_name
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.rows import AnyRow, AnySelect

_COLUMNS = (users.c.id, users.c.name, users.c.email, users.c.time_zone, users.c.active)
KEY = tuple(column for column in api_keys.c if column.name not in {"secret_hash", "routing_hash"})
"""The columns that `key_of` reads: whatever else is kept of a secret leaves the database for no reason."""

_BY_SECRET = Prepared(lambda _dialect: select(*KEY).where(api_keys.c.secret_hash == bindparam("hash")))
_BY_ROUTING_KEY = Prepared(lambda _dialect: select(*KEY).where(api_keys.c.routing_hash == bindparam("hash")))
_KEYS_NEWEST_FIRST = (Sort(api_keys.c.id, descending=True),)
_ENTRIES_NEWEST_FIRST = (Sort(audit.c.id, descending=True),)


def user_of(row: AnyRow) -> User:
    """Read a user from a row with the columns of `user_rows`."""
    return User(row.id, row.name, row.email, row.time_zone, row.active)


def user_rows() -> AnySelect:
    """A select of the columns that `user_of` reads, for others to join by `user_id_column`."""
    return select(*_COLUMNS)


def sorted_by_name() -> tuple[Sort, ...]:
    """The order of users everywhere: by name, without case."""
    return (Sort(users.c.name_key),)


def user_id_column() -> Any:
    """The column that memberships refer to."""
    return users.c.id


async def users_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, User]:
    """Users by id; ids of nobody are absent."""
    rows = await session.execute(user_rows().where(users.c.id.in_(ids)))
    return {row.id: user_of(row) for row in rows}


async def user_by_name(session: AsyncConnection, name: str) -> User | None:
    """The user of that name, whatever its case."""
    row = (await session.execute(user_rows().where(users.c.name_key == name_key(name)))).one_or_none()
    return user_of(row) if row else None


def ids_named(names: Collection[str]) -> AnySelect:
    """A select of the ids of the users who have one of these names, without case."""
    return select(users.c.id).where(users.c.name_key.in_([name_key(name) for name in names]))


async def user_origins(
    session: AsyncConnection, names: Collection[str], origins: Collection[str]
) -> dict[str, str | None]:
    """The origin, or None, of each user who has one of the names or one of the origins, by name."""
    return await origins_by_name(session, users, names, origins)


async def users_page(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    """A page of all users by name."""
    return await page_of(session, user_rows(), sorted_by_name(), request)


async def count_users(session: AsyncConnection) -> int:
    """How many users there are."""
    return (await session.execute(select(func.count()).select_from(users))).scalar_one()


def key_of(row: AnyRow) -> ApiKey:
    """Read a key from a row with the columns of `KEY`."""
    return ApiKey(
        id=row.id,
        name=row.name,
        roles=tuple(Role(name) for name in row.roles.split(",")),
        prefix=row.prefix,
        service_id=row.service_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


async def key_by_hash(session: AsyncConnection, secret_hash: str) -> ApiKey | None:
    """The key whose secret has this hash, be it good or not."""
    return _only_key(await _BY_SECRET.run(session, hash=secret_hash))


async def key_by_routing_hash(session: AsyncConnection, routing_hash: str) -> ApiKey | None:
    """The key whose routing key has this hash, be it good or not."""
    return _only_key(await _BY_ROUTING_KEY.run(session, hash=routing_hash))


async def key_by_name(session: AsyncConnection, name: str) -> ApiKey | None:
    """The key of that name, whatever its case."""
    return _only_key((await session.execute(select(*KEY).where(api_keys.c.name_key == name_key(name)))).all())


async def keys_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, ApiKey]:
    """Keys by id; ids of nothing are absent."""
    rows = await session.execute(select(*KEY).where(api_keys.c.id.in_(ids)))
    return {row.id: key_of(row) for row in rows}


async def good_keys(session: AsyncConnection, ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of these keys that are neither revoked nor expired."""
    query = select(api_keys.c.id).where(among(session, api_keys.c.id, ids), *_is_good(now))
    return set((await session.execute(query)).scalars())


async def has_good_key(session: AsyncConnection, now: datetime) -> bool:
    """Whether anybody could present a key."""
    query = select(api_keys.c.id).where(*_is_good(now)).limit(1)
    return (await session.execute(query)).one_or_none() is not None


async def keys_page(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    """A page of all keys, newest first."""
    return await page_of(session, select(*KEY), _KEYS_NEWEST_FIRST, request)


async def count_keys(session: AsyncConnection) -> int:
    """How many keys there are, those that are good no more included."""
    return (await session.execute(select(func.count()).select_from(api_keys))).scalar_one()


def entry_of(row: AnyRow) -> AuditEntry:
    """Read an entry of the audit log from a row that has its columns."""
    detail = json.loads(row.detail)
    return AuditEntry(row.id, row.recorded_at, row.actor, row.action, row.allowed, detail, row.address)


async def entries_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, AuditEntry]:
    """Entries of the audit log by id; ids of nothing are absent."""
    rows = await session.execute(select(*audit.c).where(audit.c.id.in_(ids)))
    return {row.id: entry_of(row) for row in rows}


async def entries_page(
    session: AsyncConnection, actor: str | None, since: datetime | None, request: PageRequest
) -> Page[AnyRow]:
    """A page of the audit log, newest first: of one actor, whatever the case of the name, and of then or later."""
    query = select(*audit.c).where(*_wanted(actor, since))
    return await page_of(session, query, _ENTRIES_NEWEST_FIRST, request)


async def count_entries(session: AsyncConnection, actor: str | None, since: datetime | None) -> int:
    """How many entries there are in all pages."""
    query = select(func.count()).select_from(audit).where(*_wanted(actor, since))
    return (await session.execute(query)).scalar_one()


def _only_key(rows: Sequence[Any]) -> ApiKey | None:
    return key_of(rows[0]) if rows else None


def _is_good(now: datetime) -> tuple[ColumnElement[bool], ...]:
    expires_at = api_keys.c.expires_at
    return api_keys.c.revoked_at.is_(None), or_(expires_at.is_(None), expires_at > now)


def _wanted(actor: str | None, since: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if actor is not None:
        conditions.append(audit.c.actor_key == name_key(actor))
    if since is not None:
        conditions.append(audit.c.id >= earliest(since))  # ids sort by their instants, and lists are read by them
    return conditions
