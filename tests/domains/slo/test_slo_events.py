"""Reporting events to SLOs, on both databases."""

import asyncio
import math
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.slo import commands, queries
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind, MinuteSums, SloChanged
from opsgraph.domains.slo.tables import slo_hours
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound, Refusal
from opsgraph.kernel.windows import minute_of
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.slo import make_slo, record, row_counts, stored

EXTERNAL = IndicatorKind.EXTERNAL


async def test_reported_events_add_up(database: Database, clock: TestClock) -> None:
    """Within a minute, within an hour and over hours; the answer is judged already."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        empty = await make_slo(tx, indicator=EXTERNAL, window_days=1)
        assert (empty.state.current, empty.state.is_met, empty.state.coverage_pct) == (None, None, 0.0)
        await record(tx, 400, 400)
        await record(tx, 99, 100)
        await record(tx, 100, 100, at=clock.now() - timedelta(minutes=1))
        slo = await record(tx, 400, 400, at=clock.now() - timedelta(hours=5))
        assert tx.recorded[-1] == SloChanged(service.id)
    assert (slo.state.current, slo.state.is_met) == (99.9, True)
    assert slo.state.coverage_pct == pytest.approx(3 / 1440 * 100)
    assert await stored(database, slo) == slo
    assert (await row_counts(database))["slo_minute"] == 3


async def test_events_older_than_the_window_do_not_count_but_are_kept(database: Database, clock: TestClock) -> None:
    """A longer window takes them in."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL, window_days=7)
        slo = await record(tx, 1, 2, at=clock.now() - timedelta(days=89))
        assert slo.state.current is None
        assert (await make_slo(tx, window_days=90)).state.current == 50.0


async def test_a_replay_is_counted_once(database: Database, clock: TestClock) -> None:
    """The same key gives the SLO and adds nothing; with other events it conflicts."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL)
        first = await record(tx, 1, 2, idempotency_key="batch-7")
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        assert await record(tx, 1, 2, idempotency_key="batch-7") == first
        assert tx.recorded == []
        with pytest.raises(Conflict):
            await record(tx, 2, 2, idempotency_key="batch-7")
        assert (await record(tx, 1, 2, idempotency_key="batch-8")).state.current == 50.0
    assert (await row_counts(database))["slo_minute"] == 2


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"service": "nothing"}, NotFound, "service"),
        ({"service": "archived"}, Conflict, "service"),
        ({"name": "nothing"}, NotFound, "slo"),
        ({"name": "declared"}, Conflict, "slo"),
        ({"good": math.nan}, Invalid, "good"),
        ({"good": 3}, Invalid, "good"),
        ({"total": math.inf}, Invalid, "total"),
        ({"total": -2}, Invalid, "total"),
        ({"idempotency_key": "nul\0"}, Invalid, "idempotencyKey"),
    ],
)
async def test_bad_events_are_refused_whole(
    database: Database, clock: TestClock, values: dict[str, Any], refusal: type[Refusal], field: str
) -> None:
    """A refusal names the field, and nothing is counted."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        for name in ("api", "archived"):
            await make_service(tx, name)
            await make_slo(tx, service=name, indicator=EXTERNAL)
        await make_slo(tx, "declared")
        await catalog.archive_service(tx, "archived")
    with pytest.raises(refusal) as caught:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await record(tx, **{"good": 1, "total": 2, "idempotency_key": "x", **values})
    assert caught.value.field == (field,)
    assert (await row_counts(database))["slo_minute"] == 0


async def test_no_events_are_no_news(database: Database, clock: TestClock) -> None:
    """A report of nothing is accepted, and the SLO stays unknown."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL)
        slo = await record(tx, 0, 0)
    assert (slo.state.current, slo.state.coverage_pct) == (None, 0.0)
    assert (await row_counts(database))["slo_minute"] == 0


async def test_reports_at_the_same_time_lose_nothing(database: Database, clock: TestClock) -> None:
    """Several writers of one minute, each in a transaction of its own: every event is counted."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        slo = await make_slo(tx, indicator=EXTERNAL)

    async def report() -> None:
        for _ in range(5):
            async with database.transaction(SYSTEM, clock.now()) as tx:
                await record(tx, 1, 2)

    await asyncio.gather(*(report() for _ in range(4)))
    async with database.reading() as session:
        totals = (await queries.window_totals(session, [slo], clock.now()))[slo.id]
        hour = (await session.execute(select(slo_hours.c.good, slo_hours.c.total))).one()
    assert (totals.good, totals.total, tuple(hour)) == (20.0, 40.0, (20.0, 40.0))


async def test_slices_are_cut_again_when_they_change(database: Database, clock: TestClock) -> None:
    """Hours already rolled up are judged by the new slices, the method alone changes nothing stored."""
    hour = clock.now().replace(minute=0) - timedelta(hours=3)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL)
        for minute, good in enumerate((10, 10, 10, 5)):
            slo = await record(tx, good, 10, at=hour + timedelta(minutes=minute))
        assert slo.state.current == 87.5
        sliced = await make_slo(tx, budgeting_method=BudgetingMethod.TIMESLICES, slice_target=90.0)
        assert sliced.state.current == 75.0
        assert (await make_slo(tx, slice_seconds=120)).state.current == 50.0
        assert (await make_slo(tx, slice_target=75.0)).state.current == 100.0
        assert (await make_slo(tx, budgeting_method=BudgetingMethod.RATIO_TIMESLICES)).state.current == 87.5


async def test_another_indicator_does_not_count_reported_events(database: Database, clock: TestClock) -> None:
    """They are counted again when the indicator is EXTERNAL again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL)
        await record(tx, 1, 2)
        assert (await make_slo(tx, indicator=IndicatorKind.REQUEST_SUCCESS)).state.current is None
        assert (await make_slo(tx, indicator=IndicatorKind.DECLARED, current=99.0)).state.current == 99.0
        assert (await make_slo(tx, indicator=EXTERNAL)).state.current == 50.0


async def test_pruning_removes_what_no_window_reaches(database: Database, clock: TestClock) -> None:
    """Minutes after 93 days, hours after 400; then nothing is left to remove."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL)
        await record(tx, 1, 2, at=clock.now() - timedelta(days=89))
        await record(tx, 1, 2)
    async with database.transaction(SYSTEM, clock.move(days=5)) as tx:
        assert [await commands.prune_events(tx), await commands.prune_events(tx)] == [1, 0]
    kept = await row_counts(database)
    assert (kept["slo_minute"], kept["slo_hour"]) == (1, 2)
    async with database.transaction(SYSTEM, clock.move(days=396)) as tx:
        assert [await commands.prune_events(tx), await commands.prune_events(tx)] == [3, 0]


async def test_events_of_a_minute_are_one_row(database: Database, clock: TestClock) -> None:
    """Seconds do not matter."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        slo = await make_slo(tx, indicator=EXTERNAL)
        for seconds in (0, 1, 59):
            await record(tx, 1, 2, at=clock.now() - timedelta(minutes=2, seconds=-seconds))
        minutes = await queries.minutes_between(tx.connection, slo.id, range(minute_of(clock.now())))
    assert minutes == [MinuteSums(minute_of(clock.now()) - 2, 3.0, 6.0)]
