"""Values of the access domain."""

from dataclasses import dataclass
from uuid import UUID

from opsgraph.kernel.changes import UNSET, Maybe


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
