"""What a declaration says about duties that are recorded elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]

IMPLIES: Mapping[str, Callable[[Values], bool]] = {
    "runbook": lambda values: bool(values.get("runbook_url")),
    "monitoring": lambda values: values.get("dashboards") is True and values.get("alerting") is True,
}
"""By the key of a governance check, when a declaration implies that it passes. A new one is one entry here."""


def implied_by(values: Values) -> frozenset[str]:
    """The keys of the governance checks that a declaration with these values implies to pass."""
    return frozenset(key for key, says_so in IMPLIES.items() if says_so(values))
