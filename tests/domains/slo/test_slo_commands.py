"""Writing SLOs and their events, on both databases."""

import asyncio
import math
from datetime import timedelta
from typing import Any

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.slo import commands, queries
from opsgraph.domains.slo.model import (
    IndicatorKind,
    Slo,
    SloChanged,
    SloInput,
    TargetSince,
)
from opsgraph.domains.slo.rules import evaluation
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound, Refusal
from opsgraph.kernel.windows import CalendarWindow
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome, Saved
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.slo import make_slo, record, row_counts, stored

EXTERNAL = IndicatorKind.EXTERNAL


async def test_a_declared_slo_is_judged_when_it_is_saved(database: Database, clock: TestClock) -> None:
    """What someone declares is the current value; the state says when it was judged."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        saved = await commands.save_slo(tx, SloInput("API", "Availability", target=99.9, current=99.95))
        assert tx.recorded[-1] == SloChanged(service.id)
    assert (saved.outcome, saved.value.name, saved.value.service_id) == (Outcome.CREATED, "Availability", service.id)
    state = (await stored(database, saved.value)).state
    assert (state.current, state.is_met, state.budget_remaining_pct) == (99.95, True, 50.0)
    assert (state.burn_rate, state.exhausts_at) == (0.5, clock.now() + timedelta(days=28))
    assert state.evaluated_at == clock.now()


async def test_what_is_left_out_stays_and_null_clears(database: Database, clock: TestClock) -> None:
    """A second save changes only what it names, keeps the id and the first spelling, and judges again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        first = await make_slo(tx, "Availability", current=99.95, description="x", window_days=7)
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        wanted = SloInput("api", "AVAILABILITY", target=99.99, description=None)
        saved = await commands.save_slo(tx, wanted)
    assert (saved.outcome, saved.value.id, saved.value.name) == (Outcome.CHANGED, first.id, "Availability")
    assert (saved.value.description, saved.value.window_days, saved.value.declared) == (None, 7, 99.95)
    assert (saved.value.state.is_met, saved.value.state.evaluated_at) == (False, clock.now())


async def test_saving_the_same_again_changes_nothing(database: Database, clock: TestClock) -> None:
    """Nothing is recorded and the state stays as judged."""
    wanted = SloInput("api", "latency", target=99.0, calendar=CalendarWindow.MONTH, source={"b": 1, "a": [None]})
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        first = await commands.save_slo(tx, wanted)
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        second = await commands.save_slo(tx, wanted)
        assert tx.recorded == []
    assert (second.outcome, second.value) == (Outcome.UNCHANGED, first.value)


async def test_two_who_create_the_same_slo_make_one(database: Database, clock: TestClock) -> None:
    """The second waits for the first and then saves the same SLO."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)

    async def create() -> Saved[Slo]:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            return await commands.save_slo(tx, SloInput("api", "availability", target=99.0))

    one, other = await asyncio.gather(create(), create())
    assert {one.outcome, other.outcome} == {Outcome.CREATED, Outcome.UNCHANGED}
    assert one.value == other.value


async def test_names_are_unique_within_a_service_only(database: Database, clock: TestClock) -> None:
    """Two services may each have an SLO of the same name."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx, "api")
        await make_service(tx, "web")
        one = await make_slo(tx, "uptime", service="api")
        assert (await make_slo(tx, "uptime", service="web")).id != one.id
        assert (await make_slo(tx, "UPTIME", service="api")).id == one.id


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"service": "nothing"}, NotFound, "service"),
        ({"service": "archived"}, Conflict, "service"),
        ({"name": "x" * 10_000}, Invalid, "name"),
        ({"name": "nul\0"}, Invalid, "name"),
        ({"target": 100}, Invalid, "target"),
        ({"target": math.nan}, Invalid, "target"),
        ({"target": math.inf}, Invalid, "target"),
        ({"current": -1}, Invalid, "current"),
        ({"indicator": EXTERNAL, "current": 99.0}, Invalid, "current"),
        ({"window_days": 7, "calendar": CalendarWindow.WEEK}, Invalid, "calendar"),
        ({"good_query": "nul\0"}, Invalid, "good_query"),
        ({"source": {"x": math.inf}}, Invalid, "source"),
    ],
)
async def test_bad_slos_are_refused_whole(
    database: Database, clock: TestClock, values: dict[str, Any], refusal: type[Refusal], field: str
) -> None:
    """A refusal names the field and leaves nothing behind."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_service(tx, "archived")
        await catalog.archive_service(tx, "archived")
    with pytest.raises(refusal) as caught:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await commands.save_slo(tx, SloInput(**{"service": "api", "name": "x", "target": 99.0, **values}))
    assert caught.value.field == (field,)
    assert set((await row_counts(database)).values()) == {0}


async def test_a_refused_change_leaves_the_slo_as_it_was(database: Database, clock: TestClock) -> None:
    """Nothing of a bad save is kept."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        slo = await make_slo(tx)
    with pytest.raises(Invalid):
        async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
            await commands.save_slo(tx, SloInput("api", slo.name, target=99.0, current=101.0))
    assert await stored(database, slo) == slo


async def test_the_history_of_a_target_has_each_change_once(database: Database, clock: TestClock) -> None:
    """From creation on; a save that leaves the target alone adds nothing."""
    created = clock.now()
    async with database.transaction(SYSTEM, created) as tx:
        await make_service(tx)
        slo = await make_slo(tx, target=99.0)
    for target in (99.0, 99.5, 99.5):
        async with database.transaction(SYSTEM, clock.move(days=1)) as tx:
            await make_slo(tx, target=target, description=str(clock.now()))
    async with database.reading() as session:
        history = (await queries.targets_by_slo(session, [slo.id]))[slo.id]
    changed = created + timedelta(days=2)
    assert history == [TargetSince(created, 99.0), TargetSince(changed, 99.5)]
    assert evaluation.target_at(history, changed - timedelta(seconds=1)) == 99.0


async def test_deleting_leaves_nothing(database: Database, clock: TestClock) -> None:
    """History and events go too; deleting again finds nothing, and a new SLO of that name starts anew."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        slo = await make_slo(tx, indicator=EXTERNAL)
        await record(tx, 1, 2, idempotency_key="batch-7")
        assert await commands.delete_slo(tx, "API", "Availability") == slo.id
        assert tx.recorded[-1] == SloChanged(service.id)
    assert set((await row_counts(database)).values()) == {0}
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with pytest.raises(NotFound) as caught:
            await commands.delete_slo(tx, "api", "availability")
        assert caught.value.field == ("name",)
        with pytest.raises(NotFound):
            await commands.delete_slo(tx, "nothing", "availability")
        again = await make_slo(tx, indicator=EXTERNAL)
        assert again.state.current is None
        assert (await record(tx, 1, 2, idempotency_key="batch-7")).id == again.id


async def test_time_alone_changes_a_state_when_it_is_refreshed(database: Database, clock: TestClock) -> None:
    """Events leave the window; what is stored stays until someone refreshes it."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL, window_days=1)
        slo = await record(tx, 1, 2)
    clock.move(days=1)
    assert (await stored(database, slo)).state.current == 50.0
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await commands.refresh_states(tx, [service.id])
        assert tx.recorded == []
    state = (await stored(database, slo)).state
    assert (state.current, state.is_met, state.evaluated_at) == (None, None, clock.now())


async def test_a_refresh_neither_waits_for_a_writer_nor_overwrites_it(
    database: Database, clock: TestClock, database_kind: str
) -> None:
    """An SLO that another transaction holds is passed over, the others are judged."""
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer at a time: nothing can be held by another")
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        held = await make_slo(tx, indicator=EXTERNAL)
        other = await make_slo(tx, "other", current=99.0)
    now = clock.move(minutes=1)
    async with asyncio.timeout(20), database.transaction(SYSTEM, now) as writer:
        await record(writer, 1, 2)
        async with database.transaction(SYSTEM, now) as tx:
            await commands.refresh_states(tx, [service.id])
        assert (await stored(database, other)).state.evaluated_at == now
        await commands.refresh_states(writer, [service.id])
    assert (await stored(database, held)).state.current == 50.0
