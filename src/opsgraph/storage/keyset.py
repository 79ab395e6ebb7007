"""Keyset pages in SQL: page 1,000 costs what page 1 costs, and one statement serves the pages of many parents."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    and_,
    any_,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.pages import Key, Page, PageRequest
from opsgraph.kernel.refusals import Invalid
from opsgraph.storage.rows import AnyRow, AnySelect


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of a list's order. The columns of an order are unique together and never null."""

    column: ColumnElement[Any]
    descending: bool = False


async def page_of(
    session: AsyncConnection, query: AnySelect, sorts: Sequence[Sort], request: PageRequest
) -> Page[AnyRow]:
    """Fetch one page of a query in the order of ``sorts``: a single statement."""
    ordered = query.add_columns(*_sort_columns(sorts)).where(*_beyond(sorts, request)).order_by(*_order(sorts, request))
    rows = (await session.execute(ordered.limit(request.size + 1))).all()
    return _page(rows, sorts, request)


async def pages_by_parent(
    session: AsyncConnection,
    query: AnySelect,
    parent: Column[Any],
    ids: Collection[Any],
    sorts: Sequence[Sort],
    request: PageRequest,
) -> dict[Any, Page[AnyRow]]:
    """Fetch the same page for each parent that has rows: a single statement, whatever the number of parents.

    For what grows without end: with an index over the parent and then the order, a page reads the rows that it has,
    however many there are.

    Args:
        session: the connection.
        query: rows of the table that ``parent`` stands in, of any parent.
        parent: the column that tells whose a row is.
        ids: the parents.
        sorts: the order within a parent.
        request: the page, the same for each parent.
    """
    limited = _limited if session.dialect.name == "sqlite" else _limited_laterally
    return await _pages(session, limited(query, parent, list(dict.fromkeys(ids)), sorts, request), sorts, request)


async def ranked_pages_by_parent(
    session: AsyncConnection,
    query: AnySelect,
    parent: ColumnElement[Any],
    sorts: Sequence[Sort],
    request: PageRequest,
) -> dict[Any, Page[AnyRow]]:
    """Fetch the same page for each parent, where all their rows are read: joined or computed ones, in no index's order.

    Args:
        session: the connection.
        query: the rows of all parents, already narrowed to those wanted.
        parent: the column that tells whose a row is.
        sorts: the order within a parent.
        request: the page, the same for each parent.
    """
    rank = func.row_number().over(partition_by=parent, order_by=_order(sorts, request)).label("rank_")
    ranked = _with_keys(query, parent, sorts).add_columns(rank).where(*_beyond(sorts, request)).subquery()
    kept = select(ranked).where(ranked.c.rank_ <= request.size + 1).order_by(ranked.c.parent_, ranked.c.rank_)
    return await _pages(session, kept, sorts, request)


def empty_page(request: PageRequest) -> Page[Any]:
    """The page of a parent that has no rows there."""
    return _page([], (), request)


async def _pages(
    session: AsyncConnection, statement: AnySelect, sorts: Sequence[Sort], request: PageRequest
) -> dict[Any, Page[AnyRow]]:
    found: dict[Any, list[AnyRow]] = {}
    for row in (await session.execute(statement)).all():
        found.setdefault(row.parent_, []).append(row)
    return {parent_id: _page(rows, sorts, request) for parent_id, rows in found.items()}


def _limited(
    query: AnySelect, parent: Column[Any], ids: Sequence[Any], sorts: Sequence[Sort], request: PageRequest
) -> AnySelect:
    """SQLite has no lateral joins: what is limited for each parent are the keys by which the rows are then found."""
    values = func.json_each(json.dumps([value.hex if isinstance(value, UUID) else value for value in ids]))
    given = values.table_valued(column("value", parent.type), name="given", joins_implicitly=True)
    (key,) = parent.table.primary_key
    beyond = query.with_only_columns(key).where(parent == given.c.value, *_beyond(sorts, request))
    limited = beyond.order_by(*_order(sorts, request)).limit(request.size + 1).correlate(given)
    # Without the conditions of the query, which the keys fulfil, so that the rows are found by key whatever they are.
    rows = _with_keys(select(*query.selected_columns), parent, sorts).select_from(given).where(key.in_(limited))
    return rows.order_by(parent, *_order(sorts, request))


def _limited_laterally(
    query: AnySelect, parent: Column[Any], ids: Sequence[Any], sorts: Sequence[Sort], request: PageRequest
) -> AnySelect:
    values = func.unnest(literal(ids, ARRAY(parent.type)))
    given = values.table_valued(column("id", parent.type), name="given").render_derived()
    # Ordered by the parent too, and not by `parent = id`, which would make PostgreSQL forget it: else it may walk
    # through everybody's rows in the order of another index, until it has met enough of this parent's.
    its = parent == any_(array([given.c.id]))
    beyond = _with_keys(query, parent, sorts).where(its, *_beyond(sorts, request))
    ordered = beyond.order_by(*_order([Sort(parent, sorts[0].descending), *sorts], request))
    limited = ordered.limit(request.size + 1).lateral("limited")
    again = [Sort(limited.c[f"sort_{place}_"], sort.descending) for place, sort in enumerate(sorts)]
    rows = select(limited).select_from(given.join(limited, true()))
    return rows.order_by(limited.c.parent_, *_order(again, request))


def _with_keys(query: AnySelect, parent: ColumnElement[Any], sorts: Sequence[Sort]) -> AnySelect:
    return query.add_columns(*_sort_columns(sorts), parent.label("parent_"))


def _sort_columns(sorts: Sequence[Sort]) -> list[ColumnElement[Any]]:
    return [sort.column.label(f"sort_{index}_") for index, sort in enumerate(sorts)]


def _order(sorts: Sequence[Sort], request: PageRequest) -> list[ColumnElement[Any]]:
    return [s.column.desc() if s.descending != request.backwards else s.column.asc() for s in sorts]


def _beyond(sorts: Sequence[Sort], request: PageRequest) -> list[ColumnElement[bool]]:
    conditions = []
    if request.after is not None:
        conditions.append(_past(sorts, _bound(sorts, request.after, "after"), forwards=True))
    if request.before is not None:
        conditions.append(_past(sorts, _bound(sorts, request.before, "before"), forwards=False))
    return conditions


def _past(sorts: Sequence[Sort], values: Sequence[Any], *, forwards: bool) -> ColumnElement[bool]:
    """Rows past a key: (a, b) past (x, y) is a past x, or a = x and b past y; each column in its own direction."""
    bounds = [literal(value, sort.column.type) for sort, value in zip(sorts, values, strict=True)]
    rising = [sort.descending != forwards for sort in sorts]
    if all(rising) or not any(rising):
        # One comparison of rows, at which an index over the columns is entered.
        columns, bound = tuple_(*(sort.column for sort in sorts)), tuple_(*bounds)
        return columns > bound if rising[0] else columns < bound
    condition: ColumnElement[bool] = false()
    for sort, bound_, up in reversed(list(zip(sorts, bounds, rising, strict=True))):
        past = sort.column > bound_ if up else sort.column < bound_
        condition = or_(past, and_(sort.column == bound_, condition))
    # Said once more for the first column alone, this is the range that an index can be entered at.
    first = sorts[0].column
    return and_(first >= bounds[0] if rising[0] else first <= bounds[0], condition)


def _bound(sorts: Sequence[Sort], key: Key, field: str) -> list[Any]:
    if len(key) != len(sorts):
        raise Invalid(f"{field} is not a cursor that opsgraph made", field)
    return [_from_cursor(sort.column, value, field) for sort, value in zip(sorts, key, strict=True)]


def _from_cursor(column: ColumnElement[Any], value: str | float | None, field: str) -> Any:
    """Read what `_to_cursor` wrote; whatever else a client made up is refused before a database chokes on it."""
    try:
        if isinstance(column.type, BigInteger):
            return _whole_number(value, bits=64)
        return _READERS[column.type.python_type](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"{field} is not a cursor that opsgraph made", field) from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("not a text")
    value.encode()  # which a lone surrogate cannot be
    return value


def _whole_number(value: Any, bits: int = 32) -> int:
    bound = 1 << (bits - 1)
    if type(value) is not int or not -bound <= value < bound:
        raise TypeError(f"not a whole number of {bits} bits")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("not an instant")
    return instant.astimezone(UTC)


def _uuid(value: Any) -> UUID:
    return UUID(_text(value))


_READERS: dict[type[Any], Callable[[Any], Any]] = {
    str: _text,
    int: _whole_number,
    float: _number,
    datetime: _instant,
    UUID: _uuid,
}


def _page(rows: Sequence[AnyRow], sorts: Sequence[Sort], request: PageRequest) -> Page[AnyRow]:
    kept = list(rows[: request.size])
    more = len(rows) > request.size
    if request.backwards:
        kept.reverse()
    return Page(
        kept,
        [_key(row, len(sorts)) for row in kept],
        has_next=more if not request.backwards else request.before is not None,
        has_previous=more if request.backwards else request.after is not None,
    )


def _key(row: AnyRow, width: int) -> Key:
    return tuple(_to_cursor(row._mapping[f"sort_{index}_"]) for index in range(width))  # noqa: SLF001 - public name


def _to_cursor(value: Any) -> str | int | float | None:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, UUID) else value
