"""Values as text columns hold them: JSON."""

import json
from datetime import datetime
from typing import Any

from opsgraph.kernel.clock import rfc3339


def written(value: Any) -> str:
    """A value of JSON, instants and enums included, as text; equal values give equal texts, whatever their order.

    The standard library, because whole numbers of any length are values of JSON.
    """
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read(text: str) -> Any:
    """What `written` made a text of."""
    return json.loads(text)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} is no value of JSON")
