"""Values of the access domain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from opsgraph.kernel.actor import Role
from opsgraph.kernel.changes import UNSET, Maybe

USE_NOTED_EVERY = timedelta(minutes=1)
"""How exactly is known when a key was used last: more would be a write for each request."""


@dataclass(frozen=True, slots=True)
class User:
    """A person; `time_zone` is an IANA name."""

    id: UUID
    name: str
    email: str | None
    time_zone: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class UserInput:
    """What `save_user` takes: the natural key, and what is to change.

    `origin` is the identity of the user in the catalog that they were imported from.
    """

    name: str
    email: Maybe[str | None] = UNSET
    time_zone: Maybe[str | None] = UNSET
    origin: Maybe[str | None] = UNSET


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key. Whoever presents its secret acts under its name, with its roles.

    Attributes:
        roles: those that were granted, in the order in which roles are declared.
        prefix: the beginning of the secret, by which people find the key that they have in hand.
        service_id: the one service about which it may post facts; None for any.
        created_by: who made it.
        expires_at: from when on it is refused, if it expires.
        last_used_at: when it was presented last, to the minute.
        revoked_at: from when on it is refused, once it was revoked.
    """

    id: UUID
    name: str
    roles: tuple[Role, ...]
    prefix: str
    service_id: UUID | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyInput:
    """What `create_key` takes."""

    name: str
    roles: Collection[Role]
    expires_at: datetime | None = None
    service_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key that was just made, with the secret that nobody can find out again."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An act that needs a right: done, refused or denied.

    Attributes:
        actor: who, by name.
        action: what, as the API calls it.
        allowed: whether it was done.
        detail: what was asked for; `code` and `message` say why not, where it was not done.
        address: the network address that it came from; None for a command on the database.
    """

    id: UUID
    at: datetime
    actor: str
    action: str
    allowed: bool
    detail: Mapping[str, Any]
    address: str | None
