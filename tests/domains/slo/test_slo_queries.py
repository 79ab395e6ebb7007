"""Reading SLOs, on both databases: in batches, and the same as when everything is counted one by one."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.slo import queries
from opsgraph.domains.slo.model import (
    BudgetingMethod,
    IndicatorKind,
    MinuteSums,
    SloFilter,
    SloSummary,
    Totals,
)
from opsgraph.domains.slo.rules import evaluation
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.pages import PageRequest
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.windows import CalendarWindow, instant_of, minute_of
from opsgraph.storage.database import Database
from opsgraph.storage.rows import AnyRow
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.slo import added_up, make_slo, record
from tests.support.statements import statements

EXTERNAL = IndicatorKind.EXTERNAL
_numbers = count()


def names(found: Sequence[AnyRow]) -> list[str]:
    """The names of SLOs on a page."""
    return [row.name for row in found]


def selects(seen: Sequence[str]) -> int:
    """How many statements read something."""
    return sum(statement.startswith(("SELECT", "WITH")) for statement in seen)


async def make_platform(database: Database, clock: TestClock) -> dict[str, Any]:
    """Three services, one of them archived, with SLOs that are met, breached and unknown; gives their ids by name."""
    ids = {}
    async with database.transaction(SYSTEM, clock.now()) as tx:
        for service in ("web", "api", "old", "bare"):
            ids[service] = (await make_service(tx, service)).id
        ids["b"] = (await make_slo(tx, "b", service="api", current=99.95)).id
        ids["a"] = (await make_slo(tx, "A", service="web", current=99.0)).id
        ids["c"] = (await make_slo(tx, "c", service="api", indicator=EXTERNAL)).id
        ids["d"] = (await make_slo(tx, "b", service="web", current=100.0)).id
        await make_slo(tx, "z", service="old", current=1.0)
        await catalog.archive_service(tx, "old")
    return ids


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (SloFilter(), ["A", "b", "b", "c"]),
        (SloFilter(services=("API",)), ["b", "c"]),
        (SloFilter(services=("api", "web", "nothing")), ["A", "b", "b", "c"]),
        (SloFilter(services=("old",)), []),
        (SloFilter(services=()), []),
        (SloFilter(is_met=True), ["b", "b"]),
        (SloFilter(is_met=False), ["A"]),
        (SloFilter(services=("api",), is_met=False), []),
    ],
)
async def test_filters_find_what_they_say(
    database: Database, clock: TestClock, wanted: SloFilter, found: list[str]
) -> None:
    """By name without case; archived services are left out; unknown SLOs are neither met nor not met."""
    await make_platform(database, clock)
    async with database.reading() as session:
        assert names((await queries.slos_page(session, wanted, PageRequest())).rows) == found
        assert await queries.count_slos(session, wanted) == len(found)


async def test_pages_follow_each_other(database: Database, clock: TestClock) -> None:
    """The next page begins behind the last key, also between equal names."""
    await make_platform(database, clock)
    async with database.reading() as session:
        first = await queries.slos_page(session, SloFilter(), PageRequest(2))
        second = await queries.slos_page(session, SloFilter(), PageRequest(2, after=first.keys[-1]))
    assert names([*first.rows, *second.rows]) == ["A", "b", "b", "c"]
    assert len({row.id for row in (*first.rows, *second.rows)}) == 4
    assert (first.has_next, second.has_next) == (True, False)


async def test_reads_by_service_are_batched(database: Database, clock: TestClock) -> None:
    """One statement each, whatever the number of services; services without SLOs are absent."""
    ids = await make_platform(database, clock)
    services = [ids["api"], ids["web"], ids["bare"]]
    async with database.reading() as session:
        with statements(database) as seen:
            pages = await queries.slos_by_service(session, services, PageRequest(1))
            counts = await queries.count_by_service(session, services)
            summaries = await queries.summary_by_service(session, services)
            states = await queries.states_by_service(session, services)
        by_id = await queries.slos_by_id(session, [ids["b"], ids["api"]])
    assert selects(seen) == 4
    assert {service: names(page.rows) for service, page in pages.items()} == {ids["api"]: ["b"], ids["web"]: ["A"]}
    assert pages[ids["api"]].has_next
    assert counts == {ids["api"]: 2, ids["web"]: 2}
    assert summaries[ids["api"]] == SloSummary(met=1, breached=0, total=2)
    assert summaries[ids["web"]] == SloSummary(met=1, breached=1, total=2)
    assert [slo.state.is_met for slo in states[ids["api"]]] == [True, None]
    assert (set(by_id), by_id[ids["b"]]) == ({ids["b"]}, states[ids["api"]][0])
    assert queries.slo_of(pages[ids["api"]].rows[0]) == by_id[ids["b"]]


async def test_an_slo_is_found_by_its_name_in_any_case(database: Database, clock: TestClock) -> None:
    """Within its service only."""
    ids = await make_platform(database, clock)
    async with database.reading() as session:
        found = await queries.slo_by_name(session, ids["web"], "a")
        assert found is not None
        assert found.id == ids["a"]
        assert await queries.slo_by_name(session, ids["api"], "a") is None


async def test_what_can_be_exported_has_everything(database: Database, clock: TestClock) -> None:
    """Each service's SLOs by name, with what was kept for the export; services without any are absent."""
    ids = await make_platform(database, clock)
    source = {"z": [1, None, "ü\0"], "a": {"b": 0.1}}
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, "c", service="api", source=source, good_query="good")
        await make_slo(tx, "c", service="api", description="x")
    async with database.reading() as session:
        found = await queries.exportable_by_service(session, [ids["web"], ids["api"], ids["bare"]])
    assert {id_: [each.slo.name for each in every] for id_, every in found.items()} == {
        ids["api"]: ["b", "c"],
        ids["web"]: ["A", "b"],
    }
    assert {each.service.name for each in found[ids["web"]]} == {"web"}
    assert [each.source for each in found[ids["api"]]] == [None, source]
    exported = found[ids["api"]][1]
    assert list(exported.source or {}) == ["z", "a"]
    assert (exported.slo.good_query, exported.slo.description) == ("good", "x")


async def test_window_sums_cost_two_statements(database: Database, clock: TestClock) -> None:
    """Whatever the number of SLOs and however much their windows differ."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        rolling = [await make_slo(tx, f"{days} d", indicator=EXTERNAL, window_days=days) for days in range(1, 31)]
        zone = {"calendar": CalendarWindow.MONTH, "time_zone": "Asia/Kathmandu"}
        slos = [*rolling, await make_slo(tx, "month", indicator=EXTERNAL, **zone)]
        await record(tx, 1, 2, name="30 d", at=clock.now() - timedelta(days=20))
        await record(tx, 1, 2, name="30 d")
    async with database.reading() as session:
        for wanted in (slos[-2:], slos):
            with statements(database) as seen:
                totals = await queries.window_totals(session, wanted, clock.now())
            assert selects(seen) == 2
            assert set(totals) == {slo.id for slo in wanted}
        with statements(database) as seen:
            rates = await queries.burn_rates(session, slos, 150, clock.now())
    assert selects(seen) == 2
    assert (totals[slos[29].id].total, totals[slos[28].id]) == (4.0, Totals())
    assert rates[slos[29].id] == pytest.approx(500.0)
    assert {rate for slo, rate in rates.items() if slo != slos[29].id} == {None}


async def test_burn_rates_are_of_the_last_minutes(database: Database, clock: TestClock) -> None:
    """A short window sees the recent failures only; what is declared burns the same over any."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, indicator=EXTERNAL, target=99.0)
        await record(tx, 100, 100, at=clock.now() - timedelta(minutes=90))
        reported = await record(tx, 99, 100, at=clock.now() - timedelta(minutes=10))
        declared = await make_slo(tx, "declared", target=99.0, current=98.0)
    async with database.reading() as session:
        found = {
            minutes: await queries.burn_rates(session, [reported, declared], minutes, clock.now())
            for minutes in (10, 11, 90, 91, 129_600)
        }
        for minutes in (0, 129_601):
            with pytest.raises(Invalid):
                await queries.burn_rates(session, [reported], minutes, clock.now())
    assert [rates[reported.id] for rates in found.values()] == [None, 1.0, 1.0, 0.5, 0.5]
    assert {rates[declared.id] for rates in found.values()} == {2.0}


events = st.lists(st.tuples(st.integers(0, 3 * 1440), st.integers(1, 20), st.integers(0, 20)), min_size=1, max_size=15)
slicings = st.fixed_dictionaries(
    {
        "budgeting_method": st.sampled_from(BudgetingMethod),
        "slice_target": st.sampled_from([50.0, 90.0]),
        "slice_seconds": st.sampled_from([60, 300, 1200, 3600]),
    }
)
windows = st.sampled_from(
    [
        {"window_days": 1},
        {"window_days": 2},
        {"calendar": CalendarWindow.WEEK, "time_zone": "Asia/Kathmandu"},
        {"calendar": CalendarWindow.MONTH, "time_zone": "America/St_Johns"},
    ]
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a service of its own
)
@given(
    happened=events,
    slicing=slicings,
    window=windows,
    stretches=st.lists(st.integers(1, 3 * 1440), min_size=1, max_size=3),
    minute=st.integers(0, 59),
)
async def test_hours_and_minutes_sum_up_as_when_counted_one_by_one(
    database: Database,
    clock: TestClock,
    happened: list[tuple[int, int, int]],
    slicing: dict[str, Any],
    window: dict[str, Any],
    stretches: list[int],
    minute: int,
) -> None:
    """Over the SLO's own window and over stretches of any length that end at any minute of an hour."""
    now = clock.now().replace(minute=minute)
    name = f"service-{next(_numbers)}"
    reported = [MinuteSums(minute_of(now) - ago, float(min(g, total)), float(total)) for ago, total, g in happened]
    async with database.transaction(SYSTEM, now) as tx:
        await make_service(tx, name)
        await make_slo(tx, service=name, indicator=EXTERNAL, target=90.0, **window, **slicing)
        for each in reported:
            slo = await record(tx, each.good, each.total, service=name, at=instant_of(each.minute))
        totals = (await queries.window_totals(tx.connection, [slo], now))[slo.id]
        rates = [(await queries.burn_rates(tx.connection, [slo], minutes, now))[slo.id] for minutes in stretches]
    expected = added_up(slo, reported, evaluation.measured_minutes(slo, now))
    assert totals.good == expected.good
    if slo.budgeting_method is not BudgetingMethod.OCCURRENCES:
        assert astuple(totals) == pytest.approx(astuple(expected))
    for minutes, rate in zip(stretches, rates, strict=True):
        brute = added_up(slo, reported, range(minute_of(now) + 1 - minutes, minute_of(now) + 1))
        assert rate == pytest.approx(evaluation.burn_rate(slo, brute))
    assert slo.state == evaluation.judge(slo, totals, now)
