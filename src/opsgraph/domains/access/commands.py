"""Writes of the access domain."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from opsgraph.domains.access import rules
from opsgraph.domains.access.model import USE_NOTED_EVERY, ApiKey, CreatedKey, KeyInput, User, UserInput
from opsgraph.domains.access.queries import KEY, key_by_name, key_of, user_of
from opsgraph.domains.access.tables import api_keys, audit, users
from opsgraph.kernel.actor import Role
from opsgraph.kernel.changes import given
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.ids import earliest
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.kernel.text import free_name, name_key, shown
from opsgraph.storage.failures import violates
from opsgraph.storage.pruning import pruning
from opsgraph.storage.saving import Saved, save_row
from opsgraph.storage.transactions import Tx

ENTRIES_AT_ONCE = 10_000
"""How many entries of the audit log one transaction removes at most."""


async def save_user(tx: Tx, wanted: UserInput) -> Saved[User]:
    """Create or update a user by name (or, for an imported one, by origin).

    Raises:
        Invalid: the name, mail address or time zone is not one.
    """
    name = free_name(wanted.name)
    named = {"name": name, "name_key": name_key(name)}
    values: dict[str, Any] = given(wanted, "email", "time_zone", "origin")
    if values.get("email") is not None:
        values["email"] = rules.email(values["email"])
    if values.get("time_zone") is not None:
        values["time_zone"] = rules.time_zone(values["time_zone"])
    query = select(users).where(users.c.name_key == named["name_key"])
    saved = await save_row(tx, users, query, values, created_with=named)
    return Saved(user_of(saved.value), saved.outcome)


async def create_key(tx: Tx, wanted: KeyInput) -> CreatedKey:
    """Make a key; its secret is in the result and nowhere else.

    Raises:
        Invalid: the name is none or reserved, there are no roles, it has expired already, or it is bound to a service
            and would do more than post facts.
        Conflict: a key of that name exists, or existed.
    """
    secret = rules.secret_of(secrets.randbits(rules.SECRET_BITS))
    name = rules.key_name(wanted.name)
    roles = rules.key_roles(wanted.roles, bound=wanted.service_id is not None)
    sends = Role.INGEST in roles
    row = {
        "id": tx.new_id(),
        "name": name,
        "name_key": name_key(name),
        "roles": ",".join(roles),
        "prefix": rules.prefix_of(secret),
        "secret_hash": rules.hash_of(secret),
        "routing_hash": rules.hash_of(rules.routing_key_of(secret)) if sends else None,
        "service_id": wanted.service_id,
        "created_by": tx.actor.name,
        "expires_at": rules.key_expiry(wanted.expires_at, tx.now),
    }
    return CreatedKey(await _insert_key(tx, row), secret)


async def revoke_key(tx: Tx, key_id: UUID) -> ApiKey:
    """Have a key refused from now on, for good; one that was revoked already stays as it is.

    Raises:
        NotFound: there is no such key.
    """
    found = select(*KEY).where(api_keys.c.id == key_id).with_for_update()
    row = (await tx.connection.execute(found)).one_or_none()
    if row is None:
        raise NotFound("there is no such key", "id")
    if row.revoked_at is None:
        change = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=tx.now, updated_at=tx.now)
        row = (await tx.connection.execute(change.returning(*KEY))).one()
    return key_of(row)


async def note_use(tx: Tx, used: Mapping[UUID, datetime]) -> None:
    """Note when keys were used last, unless that is known to the minute already."""
    noted = api_keys.c.last_used_at
    is_news = or_(noted.is_(None), noted <= bindparam("before"))
    statement = update(api_keys).where(api_keys.c.id == bindparam("key"), is_news).values(last_used_at=bindparam("use"))
    # In one order for everyone, so that no two processes wait for each other.
    rows = [{"key": id_, "use": at, "before": at - USE_NOTED_EVERY} for id_, at in sorted(used.items())]
    await tx.connection.execute(statement, rows)


async def record_act(tx: Tx, action: str, *, allowed: bool, detail: Mapping[str, Any], address: str | None) -> None:
    """Add to the audit log what the transaction's actor did, or was refused.

    Args:
        tx: the transaction.
        action: what, as the API calls it.
        allowed: whether it was done.
        detail: JSON-compatible facts; never a secret.
        address: the network address it came from, if it came from one.
    """
    row = {
        "id": tx.new_id(),
        "actor": tx.actor.name,
        "actor_key": name_key(tx.actor.name),
        "action": action,
        "allowed": allowed,
        "detail": json.dumps(detail),
        "address": address,
        "recorded_at": tx.now,
    }
    await tx.connection.execute(insert(audit).values(row))


async def prune_audit(tx: Tx, before: datetime) -> int:
    """Remove entries of the audit log of before an instant, oldest first, at most 10,000; gives how many it were."""
    old = select(audit.c.id).where(audit.c.id < earliest(before)).order_by(audit.c.id).limit(ENTRIES_AT_ONCE)
    async with pruning(tx):
        return (await tx.connection.execute(delete(audit).where(audit.c.id.in_(old)))).rowcount


async def _insert_key(tx: Tx, row: Mapping[str, Any]) -> ApiKey:
    statement = insert(api_keys).values(**row, created_at=tx.now, updated_at=tx.now)
    try:
        async with tx.savepoint():
            return key_of((await tx.connection.execute(statement.returning(*KEY))).one())
    except IntegrityError as error:
        if not violates(error, "uq_api_key_name_key", "api_key.name_key"):
            raise
        raise await _taken(tx, row["name"]) from error


async def _taken(tx: Tx, name: str) -> Conflict:
    key = await key_by_name(tx.connection, name)
    if key is None or key.revoked_at is None:
        return Conflict(f"there is a key {shown(name)} already", "name")
    return Conflict(
        f"there was a key {shown(name)}, revoked {rfc3339(key.revoked_at)}; no name is given twice: history uses it",
        "name",
    )
