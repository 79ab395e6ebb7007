"""Pages of a list by keyset: what was asked for, what was found, and the opaque cursors between them."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from opsgraph.kernel.refusals import Invalid

DEFAULT_SIZE = 50
LARGEST_SIZE = 200

RowT = TypeVar("RowT")

Key = tuple[str | int | float | None, ...]
"""The values a list is ordered by, for one row; JSON-compatible."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page as asked for, checked.

    Attributes:
        size: rows wanted, 0 to 200.
        after: only rows behind this key, or None.
        before: only rows ahead of this key, or None.
        backwards: the last rows instead of the first.
    """

    size: int = DEFAULT_SIZE
    after: Key | None = None
    before: Key | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """A page as found: rows in list order, each with its key, and whether there is more on either side."""

    rows: Sequence[RowT]
    keys: Sequence[Key]
    has_next: bool
    has_previous: bool


def page_request(
    order: str, first: int | None, after: str | None, last: int | None = None, before: str | None = None
) -> PageRequest:
    """Check the four Relay arguments of a list called ``order``; nothing is clamped.

    Raises:
        Invalid: a size outside 0-200, both sizes at once, or a cursor that is malformed or of another list.
    """
    if first is not None and last is not None:
        raise Invalid("first and last cannot be combined; ask for one of them", "last")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= LARGEST_SIZE:
            raise Invalid(f"{name} is {size}; it takes 0 to {LARGEST_SIZE}", name)
    return PageRequest(
        size=first if first is not None else last if last is not None else DEFAULT_SIZE,
        after=read_cursor(order, after, "after") if after is not None else None,
        before=read_cursor(order, before, "before") if before is not None else None,
        backwards=last is not None,
    )


def write_cursor(order: str, key: Key) -> str:
    """Make the opaque cursor of a row in the list called ``order``."""
    text = json.dumps([order, *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(order: str, cursor: str, field: str) -> Key:
    """Read back a cursor of the list called ``order``.

    Raises:
        Invalid: malformed, or made by a list with another order.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Invalid(f"{field} is not a cursor that opsgraph made", field) from error
    if not isinstance(values, list) or not values or values[0] != order:
        raise Invalid(f"{field} is a cursor of another list", field)
    if not all(v is None or isinstance(v, str | int | float) for v in values[1:]):
        raise Invalid(f"{field} is not a cursor that opsgraph made", field)
    return tuple(values[1:])
