"""Reads of the SLO domain, batched by default."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Integer, Uuid, and_, case, column, func, select, values
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.slo.model import (
    BudgetingMethod,
    IndicatorKind,
    MinuteSums,
    Slo,
    SloDates,
    SloExport,
    SloFilter,
    SloState,
    SloSummary,
    TargetSince,
    Totals,
)
from opsgraph.domains.slo.rules import evaluation
from opsgraph.domains.slo.tables import slo_hours, slo_minutes, slo_states, slo_targets, slos
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.kernel.windows import CalendarWindow, instant_of
from opsgraph.storage.keyset import Sort, page_of, ranked_pages_by_parent
from opsgraph.storage.rows import AnyRow, AnySelect
from opsgraph.storage.writing import in_chunks

_DEFINITION = (
    slos.c.id,
    slos.c.service_id,
    slos.c.name,
    slos.c.description,
    slos.c.target,
    slos.c.indicator,
    slos.c.declared,
    slos.c.latency_threshold_ms,
    slos.c.window_days,
    slos.c.calendar,
    slos.c.time_zone,
    slos.c.budgeting_method,
    slos.c.slice_target,
    slos.c.slice_seconds,
    slos.c.good_query,
    slos.c.total_query,
)
_STATE = tuple(slo_states.c[field.name] for field in fields(SloState))
BY_NAME = (Sort(slos.c.name_key), Sort(slos.c.id))
_STRETCHES_A_STATEMENT = 5_000


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Hours or minutes of one SLO, from the first up to the last, excluded, summed in groups of so many."""

    slo_id: UUID
    first: int
    stop: int
    together: int = 1


def definition_rows() -> AnySelect:
    """A select of the columns that `defined` reads."""
    return select(*_DEFINITION)


def defined(row: AnyRow) -> Slo:
    """Read an SLO from a row that has the columns of its definition; its state is left unknown."""
    return _read(row, SloState())


def slo_of(row: AnyRow) -> Slo:
    """Read an SLO with its state from a row of any of the pages here."""
    return _read(row, SloState(*(getattr(row, column.name) for column in _STATE)))


async def slos_page(session: AsyncConnection, wanted: SloFilter, request: PageRequest) -> Page[AnyRow]:
    """A page of the SLOs of all services that are not archived, by name."""
    return await page_of(session, _judged().where(*_conditions(wanted)), BY_NAME, request)


async def count_slos(session: AsyncConnection, wanted: SloFilter) -> int:
    """How many SLOs a filter finds."""
    query = select(func.count()).select_from(slos.join(slo_states)).where(*_conditions(wanted))
    return (await session.execute(query)).scalar_one()


async def slos_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Slo]:
    """SLOs by id; ids of nothing are absent."""
    return {row.id: slo_of(row) for row in await session.execute(_judged().where(slos.c.id.in_(ids)))}


async def slo_by_name(session: AsyncConnection, service_id: UUID, name: str) -> Slo | None:
    """The SLO of that name, whatever its case, of a service."""
    query = _judged().where(slos.c.service_id == service_id, slos.c.name_key == name_key(name))
    row = (await session.execute(query)).one_or_none()
    return slo_of(row) if row else None


async def slos_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's SLOs by name."""
    query = _judged().where(slos.c.service_id.in_(ids))
    return await ranked_pages_by_parent(session, query, slos.c.service_id, BY_NAME, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many SLOs each service has; services without any are absent."""
    query = select(slos.c.service_id, func.count()).where(slos.c.service_id.in_(ids)).group_by(slos.c.service_id)
    return {row[0]: row[1] for row in await session.execute(query)}


async def states_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Slo]]:
    """Every SLO of each service that has any, by name, each with its state as stored."""
    found: dict[UUID, list[Slo]] = {}
    for row in await session.execute(_judged().where(slos.c.service_id.in_(ids)).order_by(slos.c.name_key)):
        found.setdefault(row.service_id, []).append(slo_of(row))
    return found


async def summary_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, SloSummary]:
    """How many SLOs each service has that are met, breached, and in all; services without any are absent."""
    met, breached = (func.count(case((slo_states.c.is_met.is_(answer), 1))) for answer in (True, False))
    query = select(slos.c.service_id, met, breached, func.count()).join(slo_states)
    rows = await session.execute(query.where(slos.c.service_id.in_(ids)).group_by(slos.c.service_id))
    return {row[0]: SloSummary(*row[1:]) for row in rows}


async def dates_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, SloDates]:
    """How old what is known about the SLOs of each service is; services without any are absent. One statement."""
    newest = select(func.max(slo_minutes.c.minute)).where(slo_minutes.c.slo_id == slos.c.id).scalar_subquery()
    counted = func.min(case((slos.c.indicator == IndicatorKind.EXTERNAL.value, newest)))
    declared = func.min(case((slos.c.declared.is_not(None), slos.c.updated_at)))
    query = select(slos.c.service_id, counted, declared).where(slos.c.service_id.in_(ids)).group_by(slos.c.service_id)
    rows = await session.execute(query)
    return {row[0]: SloDates(None if row[1] is None else instant_of(row[1]), row[2]) for row in rows}


async def targets_by_slo(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[TargetSince]]:
    """The history of each SLO's target, oldest first; ids of nothing are absent."""
    query = select(slo_targets).where(slo_targets.c.slo_id.in_(ids)).order_by(slo_targets.c.since)
    found: dict[UUID, list[TargetSince]] = {}
    for row in await session.execute(query):
        found.setdefault(row.slo_id, []).append(TargetSince(row.since, row.target))
    return found


async def exportable_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[SloExport]]:
    """Every SLO of each service that has any, archived or not, by name, with all that a document about it needs."""
    services = await catalog_services.services_by_id(session, ids)
    query = _judged().add_columns(slos.c.source).where(slos.c.service_id.in_(ids)).order_by(slos.c.name_key)
    found: dict[UUID, list[SloExport]] = {}
    for row in await session.execute(query):
        source = None if row.source is None else json.loads(row.source)
        found.setdefault(row.service_id, []).append(SloExport(services[row.service_id], slo_of(row), source))
    return found


async def window_totals(session: AsyncConnection, wanted: Collection[Slo], now: datetime) -> dict[UUID, Totals]:
    """What happened in the window of each SLO so far: two statements, whatever the number of SLOs and windows."""
    return await _totals(session, [(slo, evaluation.measured_minutes(slo, now)) for slo in wanted])


async def burn_rates(
    session: AsyncConnection, wanted: Collection[Slo], window_minutes: int, now: datetime
) -> dict[UUID, float | None]:
    """How fast the budget of each SLO was spent in the last minutes; None where nothing happened in them.

    A declared indicator is taken to be the same over any window.

    Raises:
        Invalid: no minutes, or more than 90 days.
    """
    minutes = evaluation.burn_minutes(window_minutes, now)
    totals = await _totals(session, [(slo, minutes) for slo in wanted])
    return {slo.id: evaluation.burn_rate(slo, totals[slo.id]) for slo in wanted}


async def minutes_between(session: AsyncConnection, slo_id: UUID, minutes: range) -> list[MinuteSums]:
    """The events of an SLO by minute, oldest first; minutes without events are absent."""
    own = (slo_minutes.c.slo_id == slo_id, slo_minutes.c.minute >= minutes.start, slo_minutes.c.minute < minutes.stop)
    query = select(slo_minutes.c.minute, slo_minutes.c.good, slo_minutes.c.total).where(*own)
    rows = await session.execute(query.order_by(slo_minutes.c.minute))
    return [MinuteSums(row.minute, row.good, row.total) for row in rows]


async def _totals(session: AsyncConnection, wanted: Sequence[tuple[Slo, range]]) -> dict[UUID, Totals]:
    """Add up stretches of minutes: their whole hours from the rows of hours, the rest slice by slice from minutes."""
    found = {slo.id: Totals() for slo, _ in wanted}
    measured = {slo.id: (slo, evaluation.pieces(minutes)) for slo, minutes in wanted if _has_events(slo)}
    for row in await _rows(session, _hour_sums, _hours(measured.values())):
        found[row.slo_id] += Totals(*row[1:])
    for row in await _rows(session, _slice_sums, _rests(measured.values())):
        slo, _ = measured[row.slo_id]
        found[row.slo_id] += evaluation.slice_totals(slo, row.good, row.total, row.minutes)
    return found


def _hours(measured: Iterable[tuple[Slo, evaluation.Pieces]]) -> list[_Stretch]:
    return [_Stretch(slo.id, cut.hours.start, cut.hours.stop) for slo, cut in measured if cut.hours]


def _rests(measured: Iterable[tuple[Slo, evaluation.Pieces]]) -> list[_Stretch]:
    return [_Stretch(slo.id, rest.start, rest.stop, _group_minutes(slo)) for slo, cut in measured for rest in cut.rests]


async def _rows(
    session: AsyncConnection, sums: Callable[[Sequence[_Stretch]], AnySelect], stretches: Sequence[_Stretch]
) -> list[AnyRow]:
    """Run a statement over stretches; none where there are none."""
    found: list[AnyRow] = []
    for chunk in in_chunks(stretches, _STRETCHES_A_STATEMENT):
        found += (await session.execute(sums(chunk))).all()
    return found


def _hour_sums(stretches: Sequence[_Stretch]) -> AnySelect:
    """The sums of each SLO's hours, in the order of `Totals`."""
    hours, wanted = slo_hours.c, _table(stretches)
    sums = (func.sum(hours[name]) for name in ("good", "total", "minutes", "good_slices", "slices", "ratio_sum"))
    return select(hours.slo_id, *sums).join(wanted, _within(hours.slo_id, hours.hour, wanted)).group_by(hours.slo_id)


def _slice_sums(stretches: Sequence[_Stretch]) -> AnySelect:
    """The sums of each SLO's minutes, slice by slice."""
    minutes, wanted = slo_minutes.c, _table(stretches)
    slice_number = (minutes.minute // wanted.c.together).label("slice_number")
    sums = (
        func.sum(minutes.good).label("good"),
        func.sum(minutes.total).label("total"),
        func.count().label("minutes"),
    )
    query = select(minutes.slo_id, slice_number, *sums).join(wanted, _within(minutes.slo_id, minutes.minute, wanted))
    return query.group_by(minutes.slo_id, "slice_number")


def _table(stretches: Sequence[_Stretch]) -> CTE:
    # Joined to a list of ranges, one statement serves windows that differ; each range is entered by primary key.
    columns = (column("slo_id", Uuid), *(column(name, Integer) for name in ("first", "stop", "together")))
    return values(*columns, name="stretch").data([astuple(stretch) for stretch in stretches]).cte("stretch")


def _within(slo_id: ColumnElement[UUID], number: ColumnElement[int], wanted: CTE) -> ColumnElement[bool]:
    return and_(slo_id == wanted.c.slo_id, number >= wanted.c.first, number < wanted.c.stop)


def _judged() -> AnySelect:
    return select(*_DEFINITION, *_STATE).join(slo_states, slo_states.c.slo_id == slos.c.id)


def _conditions(wanted: SloFilter) -> list[ColumnElement[bool]]:
    named = catalog_services.named_services().subquery()
    services = select(named.c.service_id)
    if wanted.services is not None:
        services = services.where(named.c.name_key.in_([name_key(name) for name in wanted.services]))
    conditions: list[ColumnElement[bool]] = [slos.c.service_id.in_(services)]
    if wanted.is_met is not None:
        conditions.append(slo_states.c.is_met.is_(wanted.is_met))
    return conditions


def _read(row: AnyRow, state: SloState) -> Slo:
    return Slo(
        id=row.id,
        service_id=row.service_id,
        name=row.name,
        description=row.description,
        target=row.target,
        indicator=IndicatorKind(row.indicator),
        declared=row.declared,
        latency_threshold_ms=row.latency_threshold_ms,
        window_days=row.window_days,
        calendar=None if row.calendar is None else CalendarWindow(row.calendar),
        time_zone=row.time_zone,
        budgeting_method=BudgetingMethod(row.budgeting_method),
        slice_target=row.slice_target,
        slice_seconds=row.slice_seconds,
        good_query=row.good_query,
        total_query=row.total_query,
        state=state,
    )


def _has_events(slo: Slo) -> bool:
    return slo.indicator is IndicatorKind.EXTERNAL


def _group_minutes(slo: Slo) -> int:
    """How many minutes may be summed before judging: those of a slice, or an hour's where slices do not matter."""
    return 60 if slo.budgeting_method is BudgetingMethod.OCCURRENCES else slo.slice_minutes
