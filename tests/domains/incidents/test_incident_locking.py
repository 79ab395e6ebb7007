"""Slots, locks, numbers and timeline entries: what every change of incidents stands on."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.commands import locking, numbers, slots, timeline
from opsgraph.domains.incidents.model import NewEntry, Slot, TimelineEntryType
from opsgraph.domains.incidents.queries.incidents import incident_from, incidents_by_id
from opsgraph.domains.incidents.tables import incidents
from opsgraph.domains.incidents.tables import timeline as timeline_table
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.events import as_logged
from tests.support.incidents import make_incident
from tests.support.statements import statements

pytestmark = pytest.mark.usefixtures("no_deadlock")

_SLOTS = [Slot(f"service-{number}", severity) for number in range(5) for severity in Severity]


async def test_slots_taken_in_any_order_by_many_at_once_never_deadlock(database: Database) -> None:
    """Twelve transactions lock the same slots, each in an order of its own, and all commit."""

    async def lock(turn: int) -> None:
        async with database.transaction(LOCAL, START + timedelta(seconds=turn)) as tx:
            await slots.lock(tx, _SLOTS[turn:] + _SLOTS[:turn] if turn % 2 else _SLOTS[::-1])

    done = await asyncio.wait_for(asyncio.gather(*(lock(turn) for turn in range(12))), timeout=30)
    assert len(done) == 12


async def test_a_slot_that_another_holds_is_waited_for(database: Database) -> None:
    """The second transaction gets the slot only after the first has committed."""
    order: list[str] = []
    held = asyncio.Event()

    async def first() -> None:
        async with database.transaction(LOCAL, START) as tx:
            await slots.lock(tx, _SLOTS[:3])
            held.set()
            await asyncio.sleep(0)
            order.append("first")

    async def second() -> None:
        await held.wait()
        async with database.transaction(LOCAL, START) as tx:
            await slots.lock(tx, _SLOTS[2:4])
            order.append("second")

    await asyncio.gather(second(), first())
    assert order == ["first", "second"]


async def test_locking_slots_is_one_statement_whatever_their_number(database: Database) -> None:
    """One statement on PostgreSQL, none on SQLite, whose write transactions exclude one another."""
    async with database.transaction(LOCAL, START) as tx:
        with statements(database) as seen:
            await slots.lock(tx, _SLOTS)
            await slots.lock(tx, [])
    assert len(seen) == (0 if database.is_sqlite else 1)


async def test_locked_incidents_come_as_they_are_without_ids_of_nothing(database: Database) -> None:
    """Each id that names an incident gives it; others are left out."""
    async with database.transaction(LOCAL, START) as tx:
        made = await make_incident(tx)
    async with database.transaction(LOCAL, START) as tx:
        assert await locking.lock_incidents(tx, [UUID(int=5), made.id, made.id]) == {made.id: made}
        assert await locking.lock_incidents(tx, []) == {}


async def test_numbers_count_up_and_are_never_given_twice(database: Database) -> None:
    """Numbers are taken for many at once; those that were used are not given again."""
    async with database.transaction(LOCAL, START) as tx:
        assert await numbers.take(tx, 0) == []
        taken = await numbers.take(tx, 3)
        await make_incident(tx, number=taken[-1])
        later = await numbers.take(tx, 2)
    assert taken == list(range(taken[0], taken[0] + 3))
    assert later == [taken[-1] + 1, taken[-1] + 2]


async def test_entries_count_up_in_the_order_given_in_one_statement(database: Database) -> None:
    """The timeline reads in the order in which entries were written, with the transaction's instant."""
    async with database.transaction(LOCAL, START) as tx:
        made = await make_incident(tx)
        entries = [NewEntry(made.id, TimelineEntryType.NOTED, f"user-{n}", {"place": n}) for n in range(20)]
        with statements(database) as seen:
            await timeline.append(tx, entries)
            await timeline.append(tx, [])
    assert len(seen) == 1
    query = select(timeline_table).where(timeline_table.c.incident_id == made.id).order_by(timeline_table.c.id)
    async with database.reading() as session:
        rows = (await session.execute(query)).all()
    assert [row.actor for row in rows] == [f"user-{n}" for n in range(20)]
    assert {row.created_at for row in rows} == {START}


async def test_an_incident_is_read_back_from_its_facts_as_from_its_row(database: Database) -> None:
    """What the event log keeps of an incident is the whole of it."""
    async with database.transaction(LOCAL, START) as tx:
        made = await make_incident(tx, acknowledged_at=START, mtta_seconds=0.25, newest_alert_at=START)
    async with database.reading() as session:
        found = await incidents_by_id(session, [made.id, UUID(int=5)])
        stored = (await session.execute(select(incidents.c.id))).scalars().all()
    assert found == {made.id: made}
    assert stored == [made.id]
    assert incident_from(as_logged(made)) == made
