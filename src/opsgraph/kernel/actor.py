"""Who is asking: a name and roles, resolved once at the edge and passed down."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What someone may do; see docs for the table of who holds what."""

    VIEWER = "VIEWER"
    RESPONDER = "RESPONDER"
    EDITOR = "EDITOR"
    APPROVER = "APPROVER"
    ADMIN = "ADMIN"
    INGEST = "INGEST"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who acts: a person, a key or a part of opsgraph itself.

    Attributes:
        name: what timelines and the audit log show.
        roles: the roles granted directly; what they imply is decided by the access domain.
        key: the API key by which they are known, if it is one.
        service: the name of the one service about which they may post facts, if they are bound to one.
    """

    name: str
    roles: frozenset[Role]
    key: UUID | None = None
    service: str | None = None


LOCAL = Actor("local", frozenset(Role))
"""Whoever reaches an unauthenticated server on loopback: every role."""

SYSTEM = Actor("system", frozenset(Role))
"""opsgraph itself: workers and migrations."""
