"""Who is asking: a name and roles, resolved once at the edge and passed down."""

from dataclasses import dataclass
from enum import StrEnum


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
    """

    name: str
    roles: frozenset[Role]


LOCAL = Actor("local", frozenset(Role))
"""Whoever reaches an unauthenticated server on loopback: every role."""

SYSTEM = Actor("system", frozenset(Role))
"""opsgraph itself: workers and migrations."""
