"""What goes into the database comes out as it was, on both: amounts, instants, texts."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.rows import inserted

TEAM, BUDGET, SPENT = (metadata.tables[name] for name in ("team", "cost_budget", "cost_unallocated"))
LARGEST = Decimal("999999999999999999.999999999999999999")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def amounts() -> list[Decimal]:
    """Amounts of every size and fineness, and their opposites."""
    chance = Random(20_240_315)  # noqa: S311 - it has to be repeatable
    some = [Decimal(chance.randrange(10**36)).scaleb(-chance.randrange(19)) for _ in range(200)]
    within = [amount for amount in some if amount <= LARGEST]
    known = [Decimal(each) for each in ("20.52022672899", "0.000000000000000001", "0", "3500", "0.10", "1E+3")]
    return [signed for amount in (*known, LARGEST, *within) for signed in (amount, amount.copy_negate())]


def instants() -> list[datetime]:
    """Instants to the microsecond, from the first that is accepted to the last."""
    chance = Random(20_240_316)  # noqa: S311 - it has to be repeatable
    some = [EPOCH + timedelta(microseconds=chance.randrange(7_000_000_000_000_000)) for _ in range(200)]
    return [EPOCH, EPOCH + timedelta(microseconds=1), START, datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), *some]


async def test_amounts_are_exact(database: Database) -> None:
    """Eleven digits after the point, eighteen of them, thirty-six in all: to the last one, without padding."""
    async with database.transaction(SYSTEM, START) as tx:
        origin = await inserted(tx.connection, metadata.tables["cost_origin"])
        for number, amount in enumerate(amounts()):
            month = f"{1970 + number // 12 % 200}-{number % 12 + 1:02d}"
            code = ("EUR", "USD", "GBP")[number // 2400]
            row = {"origin_id": origin["id"], "month": month, "currency": code, "billed": amount, "effective": amount}
            await inserted(tx.connection, SPENT, **row)
    async with database.reading() as session:
        stored = (await session.execute(select(SPENT.c.billed, SPENT.c.effective).order_by(SPENT.c.month))).all()
    assert [row.billed for row in stored] == amounts()
    assert [row.effective for row in stored] == amounts()
    assert {str(row.billed) for row in stored} >= {"20.52022672899", "3500", "1000", "0.1", str(LARGEST)}


async def test_nothing_is_the_same_from_both_sides(database: Database) -> None:
    """A budget of minus zero is a budget of zero, not a negative one."""
    async with database.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, BUDGET, amount=Decimal("-0.00"))
    async with database.reading() as session:
        assert str((await session.execute(select(BUDGET.c.amount))).scalar_one()) == "0"


async def test_amounts_can_be_found_again(database: Database) -> None:
    """An amount compares equal to what is stored however many zeros it is written with."""
    async with database.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, BUDGET, amount=Decimal("3000.50"))
    async with database.reading() as session:
        found = (await session.execute(select(BUDGET.c.amount))).scalar_one()
    assert (found, str(found)) == (Decimal("3000.5"), "3000.5")


async def test_instants_are_exact_and_sort(database: Database) -> None:
    """To the microsecond, in UTC, in the order of time."""
    async with database.transaction(SYSTEM, START) as tx:
        for instant in instants():
            name = instant.isoformat()
            await inserted(tx.connection, TEAM, name_key=name, origin=name, created_at=instant)
    async with database.reading() as session:
        stored = (await session.execute(select(TEAM.c.created_at).order_by(TEAM.c.created_at))).scalars().all()
    assert list(stored) == sorted(instants())
    assert {instant.tzinfo for instant in stored} == {UTC}


async def test_instants_of_other_zones_are_the_same_instants(database: Database) -> None:
    """They are stored in UTC and compare with what is stored."""
    elsewhere = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    async with database.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, TEAM, created_at=elsewhere)
    async with database.reading() as session:
        query = select(TEAM.c.created_at).where(TEAM.c.created_at == elsewhere, TEAM.c.created_at <= START)
        assert (await session.execute(query)).scalar_one() == START


async def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    """It would silently be read in some zone or other."""
    async with database.reading() as session:
        with pytest.raises(StatementError, match="an instant needs a zone"):
            await session.execute(select(TEAM).where(TEAM.c.created_at == START.replace(tzinfo=None)))


@pytest.mark.parametrize(
    "name",
    ["naïve", "Ελλάδα", "日本語", "עברית", "🚀👩🏽\u200d🚒", "e\u0301", "'; DROP TABLE team", "%_\\", "a\nb"],
)
async def test_texts_come_back_as_they_were(database: Database, name: str) -> None:
    """In every script, with combining marks and with what means something to SQL."""
    async with database.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, TEAM, name=name, name_key=name)
    async with database.reading() as session:
        found = (await session.execute(select(TEAM.c.name).where(TEAM.c.name_key == name))).scalar_one()
    assert found == name


async def test_keys_sort_by_code_point_on_both_databases(database: Database) -> None:
    """Not by the language that a database happens to be set to."""
    keys = ["Z", "a", "a b", "a-b", "aB", "ab", "b", "z", "ä", "ß", "я", "日", "\U0001f680"]
    async with database.transaction(SYSTEM, START) as tx:
        for key in reversed(keys):
            await inserted(tx.connection, TEAM, name_key=key, origin=key)
    async with database.reading() as session:
        found = (await session.execute(select(TEAM.c.name_key).order_by(TEAM.c.name_key))).scalars().all()
    assert list(found) == sorted(keys)


async def test_floats_come_back_to_the_last_bit(database: Database) -> None:
    """Percentages and sums are stored as doubles on both."""
    slo = metadata.tables["slo_minute"]
    chance = Random(7)  # noqa: S311 - it has to be repeatable
    sums = sorted(chance.random() * 10 ** chance.randrange(-300, 300) for _ in range(50))
    async with database.transaction(SYSTEM, START) as tx:
        first = await inserted(tx.connection, slo, minute=0, good=0.0)
        rows = [{"slo_id": first["slo_id"], "minute": n, "good": 0.0, "total": each} for n, each in enumerate(sums, 1)]
        await tx.connection.execute(insert(slo).values(rows))
    async with database.reading() as session:
        found = await session.execute(select(slo.c.total).where(slo.c.minute > 0).order_by(slo.c.minute))
        assert list(found.scalars()) == sums
