"""Instants as monitoring tools write them: RFC 3339, often to the nanosecond."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""What is said to have happened earlier did not: a clock was not set."""

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,12})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_ZERO = "0001-01-01T00:00:00"


def stated(text: str | None, field: str) -> datetime | None:
    """An instant as programs in Go write it, where the zero time means that there is none; see `instant`.

    Raises:
        Invalid: as `instant` does.
    """
    return None if not text or text.startswith(_ZERO) else instant(text, field)


def instant(text: str, field: str) -> datetime:
    """Read an RFC 3339 instant with a zone into UTC; finer than a microsecond is cut.

    Raises:
        Invalid: another form, an instant that does not exist, or one before 1970; names the field.
    """
    read = _read(text) if len(text) <= 50 else None
    if read is None:
        raise Invalid(
            f"{field} {shown(text)} is not an RFC 3339 instant with a zone, such as 2024-05-01T12:00:00Z", field
        )
    if read < EARLIEST:
        raise Invalid(f"{field} {shown(text)} is before 1970", field)
    return read


def guessed(text: str) -> datetime | None:
    """Read an instant in any form of ISO 8601, in UTC if it names no zone; None if it is none, or before 1970."""
    try:
        read = datetime.fromisoformat(text)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read >= EARLIEST else None


# The alerts of a batch end at the same time, and each is sent again with the start that it had before.
@lru_cache(maxsize=4_096)
def _read(text: str) -> datetime | None:
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
