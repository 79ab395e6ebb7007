"""Idempotency keys: a replayed request returns the first result and does nothing again."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import CheckConstraint, delete, select
from sqlmodel import Field, SQLModel

from opsgraph.kernel.refusals import Conflict
from opsgraph.kernel.text import free_name
from opsgraph.storage.columns import Instant, KeyText, table_of
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_new


class IdempotencyKey(SQLModel, table=True):
    """A key that a client sent with a creating request, and what the request created."""

    __tablename__ = "idempotency_key"
    __table_args__ = (CheckConstraint("length(key) <= 200", name="key"),)

    operation: str = Field(primary_key=True, sa_type=KeyText)
    key: str = Field(primary_key=True, sa_type=KeyText)
    request_hash: str
    result_id: UUID
    created_at: datetime = Field(sa_type=Instant, index=True)


_keys = table_of(IdempotencyKey)


async def first_result(
    tx: Tx, operation: str, key: str | None, request: Mapping[str, Any], result_id: UUID
) -> UUID | None:
    """Claim a key for this request; None when it is new (or absent), else the id that the first request made.

    Two requests with one key at the same time: the second waits for the first to commit.

    Args:
        tx: the transaction that does the work; a rollback gives the key back.
        operation: the mutation's name; keys of different operations do not meet.
        key: the client's key, or None where it sent none.
        request: what the request asks, JSON-compatible but for dates and decimals.
        result_id: the id of what this request is about to create.

    Raises:
        Conflict: the key was used with another request.
    """
    if key is None:
        return None
    checked = free_name(key, "idempotencyKey")
    fingerprint = hashlib.sha256(orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
    row = {
        "operation": operation,
        "key": checked,
        "request_hash": fingerprint,
        "result_id": result_id,
        "created_at": tx.now,
    }
    if await insert_new(tx, _keys, row, key=("operation", "key")):
        return None
    return await _earlier(tx, operation, checked, fingerprint)


async def _earlier(tx: Tx, operation: str, key: str, fingerprint: str) -> UUID:
    query = select(_keys.c.request_hash, _keys.c.result_id).where(_keys.c.operation == operation, _keys.c.key == key)
    earlier = (await tx.connection.execute(query)).one()
    if earlier.request_hash != fingerprint:
        raise Conflict("this idempotencyKey was used with a different request", "idempotencyKey")
    found: UUID = earlier.result_id
    return found


async def forget_keys(tx: Tx, before: datetime) -> int:
    """Remove the keys that were first used before an instant; gives how many."""
    return (await tx.connection.execute(delete(_keys).where(_keys.c.created_at < before))).rowcount
