"""Reading silences and maintenance windows, on both databases."""

from datetime import timedelta

from opsgraph.domains.alerts.queries import silences as queries
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.alerts import HOUR, make_silence, make_window
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.statements import statements

MINUTE = timedelta(minutes=1)


async def test_silences_are_paged_newest_first_and_by_whether_they_are_in_force(
    database: Database, clock: TestClock
) -> None:
    """One that has not begun is not in force, and neither is one that has ended."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        over = await make_silence(tx, ends_at=START + MINUTE)
        first = await make_silence(tx)
        coming = await make_silence(tx, starts_at=START + HOUR, ends_at=START + 2 * HOUR)
        second = await make_silence(tx)
    now = clock.move(minutes=1)
    async with database.reading() as session:
        pages = [await queries.silences_page(session, active, now, PageRequest()) for active in (True, False, None)]
        counts = [await queries.count_silences(session, active, now) for active in (True, False, None)]
        assert await queries.active_silences(session, now) == [first, second]
    assert [list(page.rows) for page in pages] == [[second, first], [coming, over], [second, coming, first, over]]
    assert counts == [2, 2, 4]


async def test_windows_are_paged_likewise_in_two_statements(database: Database, clock: TestClock) -> None:
    """However many windows and services there are."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        for number in range(3):
            await make_service(tx, f"s{number}")
        made = [await make_window(tx, f"s{number}", "s0") for number in range(3)]
    async with database.reading() as session:
        with statements(database) as seen:
            page = await queries.windows_page(session, None, clock.now(), PageRequest(size=2))
        assert (list(page.rows), page.has_next) == (made[:0:-1], True)
        assert len([s for s in seen if s.startswith("SELECT")]) == 2
        assert await queries.active_windows(session, clock.now()) == made
        assert await queries.count_windows(session, active=False, now=clock.now()) == 0


async def test_where_there_is_no_window_nobody_asks_for_services(database: Database, clock: TestClock) -> None:
    """Taking in alerts asks twice, each time in one statement."""
    async with database.reading() as session:
        with statements(database) as seen:
            assert await queries.active_windows(session, clock.now()) == []
            assert await queries.active_silences(session, clock.now()) == []
    assert len([s for s in seen if s.startswith("SELECT")]) == 2
