"""Replacing whole origins, as imports do, on both databases."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.domains.cost import commands, queries
from opsgraph.domains.cost.model import Contribution, CostChanged, CostInput, Replaced
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.money import Money
from opsgraph.kernel.refusals import Invalid
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.cost import LONG_AFTER, cost, profile, replaced
from tests.support.statements import statements


async def test_a_repeated_import_touches_nothing(database: Database, clock: TestClock) -> None:
    """The second time everything is unchanged: no row is written and nothing is told."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await make_service(tx)).id
    parts = [cost("2024-01", 5, origin="file", service=service, effective=4), cost("2024-01", "0.5", origin="file")]
    assert await replaced(database, clock, {"file"}, parts) == Replaced(2, 0, 0, 0)
    async with database.transaction(SYSTEM, clock.move(days=1)) as tx:
        with statements(database) as seen:
            assert await commands.replace_origins(tx, {"file"}, parts) == Replaced(0, 0, 2, 0)
        assert tx.recorded == []
    written = [text for text in seen if text.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all(text.startswith("INSERT INTO cost_origin") and "DO NOTHING" in text for text in written)


async def test_an_import_replaces_the_origins_it_contains(database: Database, clock: TestClock) -> None:
    """What is gone from a file goes, what is new comes, other origins and the hand-made entry stay."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api, web = (await make_service(tx)).id, (await make_service(tx, "web")).id
        await commands.record_cost(tx, CostInput("api", "2024-01", Decimal(1)), "USD")
    first = [
        cost("2024-01", 10, origin="a", service=api),
        cost("2024-01", 20, origin="a", service=web),
        cost("2024-01", 30, origin="a"),
        cost("2024-01", 40, origin="b", service=api),
    ]
    second = [
        cost("2024-01", 11, origin="a", service=api),
        cost("2024-02", 12, origin="a", service=api),
        cost("2024-02", 30, origin="a"),
    ]
    await replaced(database, clock, {"a", "b"}, first)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        assert await commands.replace_origins(tx, {"a"}, second) == Replaced(
            created=2, changed=1, unchanged=0, removed=2
        )
        assert tx.recorded == [CostChanged(id_) for id_ in sorted((api, web))]
    assert [entry.amount for entry in (await profile(database)).entries] == [52, 12]
    assert (await profile(database, "web")).entries == ()
    async with database.reading() as session:
        assert await queries.unallocated_latest(session) == (Money(Decimal(30), "USD"),)


async def test_an_origin_without_contributions_is_emptied(database: Database, clock: TestClock) -> None:
    """A corrected file that charges nothing takes back what it charged."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await make_service(tx)).id
    parts = [cost("2024-01", 5, origin="a", service=service), cost("2024-01", 6, origin="a")]
    await replaced(database, clock, {"a"}, parts)
    assert await replaced(database, clock, {"a"}, []) == Replaced(0, 0, 0, removed=2)
    assert await replaced(database, clock, set(), []) == Replaced(0, 0, 0, 0)
    assert (await profile(database)).entries == ()


async def test_a_file_with_one_bad_line_changes_nothing(database: Database, clock: TestClock) -> None:
    """A refusal leaves the origin as it was."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await make_service(tx)).id
    await replaced(database, clock, {"a"}, [cost("2024-01", 5, origin="a", service=service)])
    bad = [cost("2024-01", 6, origin="a", service=service), cost("2024-13", 6, origin="a", service=service)]
    with pytest.raises(Invalid):
        await replaced(database, clock, {"a"}, bad)
    with pytest.raises(Invalid):
        await replaced(database, clock, {"a", "nul\0"}, [])
    assert (await profile(database)).latest == 5


async def test_thousands_of_contributions_take_few_statements(database: Database, clock: TestClock) -> None:
    """The number of statements does not follow the number of contributions."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = [(await make_service(tx, f"service-{number}")).id for number in range(20)]
    months = [f"{year}-{month:02d}" for year in range(2000, 2010) for month in range(1, 13)]
    parts = [cost(month, number, origin="a", service=id_) for month in months for number, id_ in enumerate(ids)]
    with statements(database) as seen:
        assert (await replaced(database, clock, {"a"}, parts)).created == 2400
    assert len(seen) <= 10
    assert (await replaced(database, clock, {"a"}, parts)).unchanged == 2400


imports = st.lists(
    st.builds(
        lambda month, amount, currency, origin, whose: (month, amount, currency, origin, whose),
        st.sampled_from(["2024-01", "2024-02"]),
        st.integers(-(10**6), 10**6),
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, 0, 1]),
    ),
    max_size=10,
)


@given(imports, imports)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_replacing_is_idempotent_and_forgets_what_was(
    database: Database, clock: TestClock, before: list[Any], after: list[Any]
) -> None:
    """Whatever was imported before, the sums are the new file's, and importing it again changes nothing."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = [(await make_service(tx, name)).id for name in ("one", "two")]
    old, new = [_parts(ids, drawn) for drawn in (before, after)]
    await replaced(database, clock, {"a", "b"}, old)
    done = await replaced(database, clock, {"a", "b"}, new)
    again = await replaced(database, clock, {"a", "b"}, new)
    assert again == Replaced(0, 0, done.created + done.changed + done.unchanged, 0)
    async with database.reading() as session:
        profiles = await queries.profiles_by_service(session, ids, "USD", LONG_AFTER)
        entries = [*profiles[ids[0]].entries, *profiles[ids[1]].entries, *await queries.unallocated_by_month(session)]
    for currency in ("USD", "EUR"):
        stored = sum(entry.amount for entry in entries if entry.currency == currency)
        assert stored == sum(part.billed for part in new if part.currency == currency)


def _parts(ids: Sequence[UUID], drawn: Sequence[Any]) -> list[Contribution]:
    return [
        cost(month, amount, currency, origin=origin, service=None if whose is None else ids[whose])
        for month, amount, currency, origin, whose in drawn
    ]


async def test_two_imports_at_once_do_not_add_up(database: Database, clock: TestClock) -> None:
    """The second waits for the first and replaces it: one file's sums remain, never both."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await make_service(tx)).id
    files = [
        [cost(f"2024-{month:02d}", 100, origin="a", service=service) for month in months]
        for months in (range(1, 7), range(4, 10))
    ]
    await replaced(database, clock, {"a"}, [])
    await asyncio.gather(*(replaced(database, clock, {"a"}, parts) for parts in files))
    found = [entry.month for entry in (await profile(database)).entries]
    assert found in [[part.month for part in parts] for parts in files]
