"""Refusals: what rules and commands raise when they will not do what was asked.

    Refusal
    ├── NotFound         what was named does not exist
    ├── Invalid          the input breaks a rule of its own
    ├── Conflict         the input is fine, the present state does not allow it
    │   └── CursorExpired    what came after a place in a log is no longer known
    ├── Forbidden        the actor lacks the role
    └── Unauthenticated  nobody known is asking

A refusal is an expected answer, not a bug: GraphQL turns it into a `Problem`, HTTP into a status. Anything else that
is raised is a bug, is logged with its request id and is masked to the client.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar


class RefusalCode(StrEnum):
    """Why something was refused, for programs."""

    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """An expected refusal with a code, a message for people and details for programs.

    Args:
        message: one sentence that names what was refused and why.
        field: path of the offending input, such as ``("input", "target")``.
        details: JSON-compatible facts that a program needs to react.
    """

    code: ClassVar[RefusalCode] = RefusalCode.INVALID

    def __init__(
        self, message: str, field: Sequence[str] | str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field: tuple[str, ...] | None = (field,) if isinstance(field, str) else tuple(field) if field else None
        self.details = dict(details) if details is not None else None


class NotFound(Refusal):
    """What was named does not exist."""

    code = RefusalCode.NOT_FOUND


class Invalid(Refusal):
    """The input breaks a rule of its own, whatever the state."""

    code = RefusalCode.INVALID


class Conflict(Refusal):
    """The present state does not allow it; the same input may succeed later."""

    code = RefusalCode.CONFLICT


class CursorExpired(Conflict):
    """What came after a place in a log is no longer known: whoever followed from there has to read again."""


class Forbidden(Refusal):
    """The actor is known and lacks the role."""

    code = RefusalCode.FORBIDDEN


class Unauthenticated(Refusal):
    """Nobody known is asking."""

    code = RefusalCode.UNAUTHENTICATED
