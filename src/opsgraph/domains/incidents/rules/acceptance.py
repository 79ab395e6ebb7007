"""What people may say about incidents: titles, notes, versions, numbers and periods."""

from collections.abc import Sequence
from datetime import datetime

from opsgraph.domains.alerts.model import WORST_FIRST, Severity
from opsgraph.domains.incidents.model import Incident
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.kernel.text import TEXT_LENGTH, free_text

TITLE_LENGTH = 1_024
MOST_AT_ONCE = 200
"""How many incidents people change at once."""


def badness(severity: Severity) -> int:
    """A number by which severities are sorted: the greater, the worse."""
    return len(WORST_FIRST) - WORST_FIRST.index(severity)


def title(value: str) -> str:
    """Accept a title: one line of 1 to 1,024 characters; surrounding spaces are dropped.

    Raises:
        Invalid: empty, too long, several lines, or with a control character.
    """
    line = free_text(value.strip(), "title", TITLE_LENGTH)
    if not line:
        raise Invalid(f"title is empty; it takes 1 to {TITLE_LENGTH:,} characters", "title")
    if len(line.splitlines()) > 1:
        raise Invalid("title has several lines; it takes one", "title")
    return line


def note(value: str, field: str) -> str:
    """Accept a note: 1 to 10,000 characters that are not all blank.

    Raises:
        Invalid: anything else; names the field.
    """
    content = free_text(value, field)
    if not content.strip():
        raise Invalid(f"{field} is empty; it takes 1 to {TEXT_LENGTH:,} characters", field)
    return content


def expect_version(incident: Incident, expected: int | None) -> None:
    """Let pass who knows the incident as it is, or does not say what they know.

    Raises:
        Invalid: no incident has such a version.
        Conflict: the incident was changed meanwhile; tells which version was expected and which there is.
    """
    if expected is None or expected == incident.version:
        return
    if expected < 1:
        raise Invalid(f"expected_version is {expected}; versions count from 1", "expected_version")
    raise Conflict(
        f"incident {incident.number} has version {incident.version}, not {expected}: it was changed meanwhile",
        "expected_version",
        {"expected": expected, "actual": incident.version},
    )


def numbers(values: Sequence[int]) -> list[int]:
    """Accept the numbers of incidents that are to be changed at once; one that comes twice counts once.

    Raises:
        Invalid: more than 200.
    """
    distinct = list(dict.fromkeys(values))
    if len(distinct) > MOST_AT_ONCE:
        raise Invalid(f"numbers has {len(distinct)} incidents; at most {MOST_AT_ONCE} are changed at once", "numbers")
    return distinct


def period(since: datetime | None, until: datetime | None) -> None:
    """Let a period pass that does not end before it begins.

    Raises:
        Invalid: it does.
    """
    if since is not None and until is not None and until < since:
        raise Invalid("until is before since", "until")
