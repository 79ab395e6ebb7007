"""Where the present comes from: one clock at the edge, an argument everywhere below it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present as an aware UTC instant."""

    def now(self) -> datetime:
        """The present, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present, in UTC, to the microsecond."""
        return datetime.now(UTC)


def rfc3339(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with ``Z``; fractions of a second only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
