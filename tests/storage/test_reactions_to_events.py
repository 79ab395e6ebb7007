"""What recorded events ask of others: in the same transaction, before its commit, and gone with it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Event
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.databases import emptied
from tests.support.rows import inserted

TEAM = metadata.tables["team"]


@dataclass(frozen=True, slots=True)
class Happened(Event):
    """Something happened; `follows` says how many more events it leads to, one after the other."""

    name: str
    follows: int = 0


async def write_down(tx: Tx, events: Sequence[Event]) -> None:
    """Make a team of each event, and record the next event where one follows; refuse what is called "never"."""
    for event in events:
        assert isinstance(event, Happened)
        if event.name == "never":
            raise LookupError("refused")
        await inserted(tx.connection, TEAM, name=event.name, name_key=event.name, origin=event.name)
        if event.follows:
            tx.record(Happened(f"{event.name}+", event.follows - 1))


@pytest.fixture
async def reacting(settings: Settings, database_kind: str) -> AsyncIterator[Database]:
    """A database that writes down what happened."""
    opened = Database(settings, write_down)
    yield opened
    await opened.close()
    if database_kind == "postgresql":
        await emptied(settings.database_url)


async def happen(database: Database, *events: Happened, then: Exception | None = None) -> None:
    """Record events in a transaction whose block ends as wanted."""
    async with database.transaction(SYSTEM, START) as tx:
        for event in events:
            tx.record(event)
        if then is not None:
            raise then


async def written(database: Database) -> list[str]:
    """What was written down."""
    async with database.reading() as session:
        return list((await session.execute(select(TEAM.c.name).order_by(TEAM.c.name))).scalars())


async def test_reactions_run_before_the_commit(reacting: Database) -> None:
    """Once for all events of a transaction, when the block has ended."""
    async with reacting.transaction(SYSTEM, START) as tx:
        tx.record(Happened("a"))
        tx.record(Happened("b"))
        assert (await tx.connection.execute(select(TEAM.c.name))).scalars().all() == []
    assert await written(reacting) == ["a", "b"]


async def test_reactions_may_lead_to_more(reacting: Database) -> None:
    """What they record is reacted to in turn."""
    await happen(reacting, Happened("a", follows=3))
    assert await written(reacting) == ["a", "a+", "a++", "a+++"]


async def test_reactions_without_end_are_refused(reacting: Database) -> None:
    """Nothing of the transaction is kept then."""
    with pytest.raises(RuntimeError, match="keep recording"):
        await happen(reacting, Happened("a", follows=100))
    assert await written(reacting) == []


async def test_a_block_that_raises_is_not_reacted_to(reacting: Database) -> None:
    """Events die with the rollback."""
    with pytest.raises(ZeroDivisionError):
        await happen(reacting, Happened("a"), then=ZeroDivisionError())
    async with reacting.transaction(SYSTEM, START) as tx:
        assert tx.recorded == []
    assert await written(reacting) == []


async def test_a_reaction_that_raises_undoes_everything(reacting: Database) -> None:
    """What the block wrote included."""
    with pytest.raises(LookupError, match="refused"):
        await happen(reacting, Happened("a"), Happened("never"))
    assert await written(reacting) == []


async def test_a_dry_run_reacts_and_keeps_nothing(reacting: Database) -> None:
    """A reaction's refusal is met in it as well."""
    async with reacting.transaction(SYSTEM, START, dry_run=True) as tx:
        tx.record(Happened("a"))
    with pytest.raises(LookupError):
        async with reacting.transaction(SYSTEM, START, dry_run=True) as tx:
            tx.record(Happened("never"))
    assert await written(reacting) == []
