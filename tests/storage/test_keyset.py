"""Keyset pages against a list sorted in memory: every order, direction and size, with ties, on both databases."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Float, Integer, MetaData, Table, Uuid, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.pages import Key, Page, PageRequest, read_cursor, write_cursor
from opsgraph.kernel.refusals import Invalid
from opsgraph.storage.columns import Instant, KeyText
from opsgraph.storage.database import Database
from opsgraph.storage.keyset import Sort, empty_page, page_of, pages_by_parent, ranked_pages_by_parent
from opsgraph.storage.rows import AnyRow
from tests.support.scale import scaled

LISTED = Table(
    "listed",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("owner", Integer, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("name", KeyText, nullable=False),
    Column("cost", Float, nullable=False),
    Column("at", Instant, nullable=False),
)
COLUMNS = [column.name for column in LISTED.c]
START = datetime(2024, 3, 15, 12, tzinfo=UTC)
BY_ID = Sort(LISTED.c.id)


def made(number: int, chance: Random) -> dict[str, Any]:
    """A row with few values in each column, so that there are many ties."""
    return {
        "id": UUID(int=chance.randrange(2**128)),
        "owner": chance.randrange(4),
        "tier": chance.randrange(3),
        "name": chance.choice(["", "a", "B", "ä", "日本", "a,b", "\U0001f680"]),
        "cost": chance.choice([-1.5, 0.0, 1.1, 1e300, float(number)]),
        "at": START + chance.choice([timedelta(0), timedelta(microseconds=1), timedelta(days=-400)]),
    }


@dataclass(slots=True)
class Listed:
    """A connection to a table with these rows."""

    session: AsyncConnection
    rows: list[dict[str, Any]]

    async def page(self, sorts: Sequence[Sort], request: PageRequest) -> Page[AnyRow]:
        """A page of all rows."""
        return await page_of(self.session, select(LISTED), sorts, request)


@pytest.fixture
async def listed(database: Database) -> AsyncIterator[Listed]:
    """Forty rows in a table that is gone afterwards."""
    chance = Random(7)  # noqa: S311 - it has to be repeatable
    rows = [made(number, chance) for number in range(40)]
    async with database.engine.connect() as session, session.begin() as transaction:
        await session.run_sync(LISTED.create)
        await session.execute(insert(LISTED), rows)
        yield Listed(session, rows)
        await transaction.rollback()


def ordered(rows: Sequence[dict[str, Any]], sorts: Sequence[Sort]) -> list[dict[str, Any]]:
    """The rows sorted in memory: by the last column first, as stable sorts compose."""
    found = list(rows)
    for sort in reversed(sorts):
        name = str(sort.column.key)
        found.sort(key=lambda row: row[name].encode() if name == "name" else row[name], reverse=sort.descending)
    return found


def expected(rows: Sequence[Any], request: PageRequest, keys: dict[Key, int]) -> tuple[list[Any], bool]:
    """What a page has to hold, and whether there is more in the direction in which it was asked for."""
    first = keys[request.after] + 1 if request.after is not None else 0
    last = keys[request.before] if request.before is not None else len(rows)
    between = rows[first : max(first, last)]
    kept = between[max(0, len(between) - request.size) :] if request.backwards else between[: request.size]
    return list(kept), len(between) > len(kept)


directions = st.booleans()
orders = st.builds(
    lambda others, last: [*others, ("id", last)],
    st.lists(st.tuples(st.sampled_from(COLUMNS[1:]), directions), max_size=3, unique_by=lambda order: order[0]),
    directions,
)
places = st.none() | st.integers(0, 39)


@settings(
    max_examples=scaled(5_000, least=60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example only reads
)
@given(order=orders, size=st.integers(0, 45), after=places, before=places, backwards=st.booleans())
@pytest.mark.long
async def test_a_page_is_what_lies_between_two_cursors(
    listed: Listed, order: Any, size: int, after: int | None, before: int | None, backwards: bool
) -> None:
    """The first or the last rows between two others, in the list's order, and whether there are more."""
    sorts = [Sort(LISTED.c[name], descending) for name, descending in order]
    whole = await listed.page(sorts, PageRequest(100))
    rows = ordered(listed.rows, sorts)
    assert [row.id for row in whole.rows] == [row["id"] for row in rows]
    assert (whole.has_next, whole.has_previous, len(set(whole.keys))) == (False, False, 40)
    keys = [read_cursor("list", write_cursor("list", key), "after") for key in whole.keys]
    request = PageRequest(
        size, None if after is None else keys[after], None if before is None else keys[before], backwards
    )
    page = await listed.page(sorts, request)
    kept, more = expected(rows, request, {key: place for place, key in enumerate(keys)})
    assert [row.id for row in page.rows] == [row["id"] for row in kept]
    assert (page.has_previous if backwards else page.has_next) == more
    assert list(page.keys) == [whole.keys[rows.index(row)] for row in kept]


@pytest.mark.parametrize(("size", "backwards"), list(product([1, 3, 20, 39, 40, 41], [False, True])))
async def test_walking_from_page_to_page_meets_every_row_once(listed: Listed, size: int, backwards: bool) -> None:
    """In both directions, with every size of page; the last page says that it is the last."""
    sorts = (Sort(LISTED.c.tier, descending=True), Sort(LISTED.c.name), Sort(LISTED.c.cost, descending=True), BY_ID)
    met: list[UUID] = []
    request = PageRequest(size, backwards=backwards)
    for _ in range(-(-40 // size)):
        page = await listed.page(sorts, request)
        ids = [row.id for row in page.rows]
        met = ids + met if backwards else met + ids
        request = (
            PageRequest(size, before=page.keys[0], backwards=True) if backwards else PageRequest(size, page.keys[-1])
        )
    assert met == [row["id"] for row in ordered(listed.rows, sorts)]
    assert not (page.has_previous if backwards else page.has_next)
    assert (await listed.page(sorts, request)).rows == []


@pytest.mark.parametrize(("size", "backwards"), list(product([0, 1, 4, 50], [False, True])))
async def test_the_same_page_of_each_parent(listed: Listed, size: int, backwards: bool) -> None:
    """One statement gives each owner's rows as a list of its own would; whoever is named twice, or has none, too."""
    sorts = (Sort(LISTED.c.cost, descending=True), Sort(LISTED.c.at), BY_ID)
    owners = [0, 1, 2, 3, 3, 99]
    keys = (await listed.page(sorts, PageRequest(100))).keys
    requests = [PageRequest(size, before=key, backwards=backwards) for key in (None, *keys[1::9])]
    requests += [PageRequest(size, after=key, backwards=backwards) for key in keys[::9]]
    for request in requests:
        limited = await pages_by_parent(listed.session, select(LISTED), LISTED.c.owner, owners, sorts, request)
        ranked = await ranked_pages_by_parent(listed.session, select(LISTED), LISTED.c.owner, sorts, request)
        for pages, owner in product((limited, ranked), owners):
            alone = select(LISTED).where(LISTED.c.owner == owner)
            wanted = await page_of(listed.session, alone, sorts, request)
            page = pages.get(owner, empty_page(request))
            assert [row.id for row in page.rows] == [row.id for row in wanted.rows]
            assert (page.keys, page.has_next) == (wanted.keys, wanted.has_next)
            assert page.has_previous == wanted.has_previous


@pytest.mark.parametrize(
    "key",
    [
        (),
        (1,),
        (1, "x", "y"),
        (1, 7),
        (1, "no uuid"),
        ("1", str(UUID(int=1))),
        (None, str(UUID(int=1))),
        (1.5, str(UUID(int=1))),
        (True, str(UUID(int=1))),
        (2**70, str(UUID(int=1))),
        (-(2**70), str(UUID(int=1))),
    ],
)
async def test_a_cursor_with_other_values_is_refused(listed: Listed, key: Key) -> None:
    """Too few, too many, of another type or size: a refusal that names the argument, whatever the database."""
    for field, request in (("after", PageRequest(5, after=key)), ("before", PageRequest(5, before=key))):
        with pytest.raises(Invalid) as caught:
            await listed.page((Sort(LISTED.c.tier), BY_ID), request)
        assert caught.value.field == (field,)


@pytest.mark.parametrize("value", ["2024-03-15T12:00:00", "tomorrow", "0001-01-01T00:00:00+14:00", 5, None])
async def test_a_cursor_of_an_instant_needs_an_instant(listed: Listed, value: Any) -> None:
    """One without a zone or beyond what can be told in UTC is refused."""
    with pytest.raises(Invalid, match="after is not a cursor"):
        await listed.page((Sort(LISTED.c.at), BY_ID), PageRequest(5, after=(value, str(UUID(int=1)))))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "\x00"),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("cost", float("nan")),
        ("cost", float("inf")),
        ("cost", 10**400),
    ],
)
async def test_a_cursor_with_what_no_database_takes_is_refused(listed: Listed, column: str, value: Any) -> None:
    """NUL, half a character, no number, and numbers without bounds, all of which JSON can carry."""
    with pytest.raises(Invalid, match="after is not a cursor"):
        await listed.page((Sort(LISTED.c[column]), BY_ID), PageRequest(5, after=(value, str(UUID(int=1)))))


@pytest.mark.parametrize("value", ["", "x" * 5_000, "'; DROP TABLE listed", "\U0010ffff"])
async def test_a_cursor_of_a_row_that_is_gone_is_a_place_still(listed: Listed, value: str) -> None:
    """What comes after it in the order comes after it."""
    page = await listed.page((Sort(LISTED.c.name), BY_ID), PageRequest(50, after=(value, str(UUID(int=2**128 - 1)))))
    assert len(page.rows) == sum(row["name"].encode() > value.encode() for row in listed.rows)
