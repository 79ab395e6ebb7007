"""Writes of the SLO domain."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.slo import queries
from opsgraph.domains.slo.model import Definition, MinuteSums, Slo, SloChanged, SloEventsInput, SloInput
from opsgraph.domains.slo.rules import acceptance, evaluation
from opsgraph.domains.slo.tables import slo_hours, slo_minutes, slo_states, slo_targets, slos
from opsgraph.kernel.changes import UNSET, given
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.kernel.text import free_name, name_key, shown
from opsgraph.kernel.windows import minute_of
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.rows import AnySelect
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, upsert

_IDS_A_STATEMENT = 5_000


async def save_slo(tx: Tx, wanted: SloInput) -> Saved[Slo]:
    """Create or update an SLO by service and name, and judge it; what was left out stays as it is.

    Raises:
        NotFound: there is no such service.
        Conflict: the service is archived.
        Invalid: a value breaks a rule, or one is missing.
    """
    service = await _active_service(tx, wanted.service)
    query = _by_name(service.id, free_name(wanted.name))
    kept = await _locked(tx, query)
    values = _row_values(service, wanted, kept)
    saved = await save_row(tx, slos, query, values)
    slo = queries.defined(saved.value)
    if saved.outcome is not Outcome.UNCHANGED:
        await _follow(tx, kept, slo)
    return Saved(await _stored(tx, slo.id), saved.outcome)


async def record_slo_events(tx: Tx, wanted: SloEventsInput) -> Slo:
    """Add reported events to an EXTERNAL SLO and judge it; with an idempotency key, once.

    Raises:
        NotFound: there is no such service or SLO.
        Conflict: the service is archived, the indicator is another, or the key was used with other events.
        Invalid: the counts or the time break a rule.
    """
    service = await _active_service(tx, wanted.service)
    slo = await _require(tx, service, wanted.slo, "slo")
    good, total, at = acceptance.events(wanted, tx.now)
    earlier = await first_result(tx, "recordSloEvents", wanted.idempotency_key, given(wanted), slo.id)
    if earlier is None:
        acceptance.takes_events(slo)
        await _add(tx, slo, MinuteSums(minute_of(at), good, total))
    return await _stored(tx, slo.id)


async def delete_slo(tx: Tx, service: str, name: str) -> UUID:
    """Remove an SLO with its history and events; gives the id it had.

    Raises:
        NotFound: there is no such service or SLO.
        Conflict: the service is archived, and its history stays readable.
    """
    slo = await _require(tx, await _active_service(tx, service), name, "name")
    for table in (slo_states, slo_targets, slo_minutes, slo_hours):
        await tx.connection.execute(delete(table).where(table.c.slo_id == slo.id))
    await tx.connection.execute(delete(slos).where(slos.c.id == slo.id))
    tx.record(SloChanged(slo.service_id))
    return slo.id


async def refresh_states(tx: Tx, service_ids: Collection[UUID]) -> None:
    """Judge the SLOs of services again, because time has passed; no events are recorded.

    An SLO whose row someone else holds is passed over: whoever holds it is judging it.
    """
    query = queries.definition_rows().where(slos.c.service_id.in_(service_ids)).order_by(slos.c.id)
    rows = await tx.connection.execute(query.with_for_update(skip_locked=True))
    await _judge(tx, [queries.defined(row) for row in rows])


async def prune_events(tx: Tx) -> int:
    """Remove minutes older than 93 days and hours older than 400; gives how many rows that were."""
    oldest_minute = minute_of(tx.now - evaluation.KEEP_MINUTES)
    oldest_hour = minute_of(tx.now - evaluation.KEEP_HOURS) // evaluation.MINUTES_AN_HOUR
    removed = 0
    for ids in in_chunks((await tx.connection.execute(select(slos.c.id))).scalars().all(), _IDS_A_STATEMENT):
        # By id first, which is how the primary keys begin.
        for number, oldest in ((slo_minutes.c.minute, oldest_minute), (slo_hours.c.hour, oldest_hour)):
            old = delete(number.table).where(number.table.c.slo_id.in_(ids), number < oldest)
            removed += (await tx.connection.execute(old)).rowcount
    return removed


async def _active_service(tx: Tx, name: str) -> Service:
    service = await catalog_services.require_service(tx.connection, name)
    if service.archived_at is not None:
        raise Conflict(f"service {shown(service.name)} is archived; restore it before changing its SLOs", "service")
    return service


async def _require(tx: Tx, service: Service, name: str, field: str) -> Slo:
    slo = await _locked(tx, _by_name(service.id, name))
    if slo is None:
        raise NotFound(f"service {shown(service.name)} has no SLO called {shown(name)}", field)
    return slo


async def _locked(tx: Tx, query: AnySelect) -> Slo | None:
    """The SLO that a query finds, held until the transaction ends, so that its sums and its state have one writer."""
    row = (await tx.connection.execute(query.with_for_update())).one_or_none()
    return queries.defined(row) if row else None


def _by_name(service_id: UUID, name: str) -> AnySelect:
    return select(slos).where(slos.c.service_id == service_id, slos.c.name_key == name_key(name))


def _row_values(service: Service, wanted: SloInput, kept: Slo | None) -> dict[str, Any]:
    definition = acceptance.define(wanted, kept)
    values = given(definition, *(field.name for field in fields(Definition)))
    values = {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}
    if wanted.source is not UNSET:
        values["source"] = acceptance.source_text(wanted.source)
    return {**values, "service_id": service.id, "name_key": name_key(definition.name)}


async def _follow(tx: Tx, kept: Slo | None, slo: Slo) -> None:
    """Bring everything that hangs on a definition up to date with it."""
    if kept is None or kept.target != slo.target:
        target = {"slo_id": slo.id, "since": tx.now, "target": slo.target}
        await upsert(tx, slo_targets, [target], key=("slo_id", "since"))
    if kept is not None and (kept.slice_minutes, kept.slice_target) != (slo.slice_minutes, slo.slice_target):
        every = range(minute_of(tx.now) + 1)
        await _save_hours(tx, slo, await queries.minutes_between(tx.connection, slo.id, every))
    await _judge(tx, [slo])
    tx.record(SloChanged(slo.service_id))


async def _add(tx: Tx, slo: Slo, events: MinuteSums) -> None:
    hour = events.minute - events.minute % evaluation.MINUTES_AN_HOUR
    whole_hour = range(hour, hour + evaluation.MINUTES_AN_HOUR)
    minutes = evaluation.added(await queries.minutes_between(tx.connection, slo.id, whole_hour), events)
    changed = [{"slo_id": slo.id, **given(each)} for each in minutes if each.minute == events.minute]
    await upsert(tx, slo_minutes, changed, key=("slo_id", "minute"))
    await _save_hours(tx, slo, minutes)
    await _judge(tx, [slo])
    tx.record(SloChanged(slo.service_id))


async def _save_hours(tx: Tx, slo: Slo, minutes: Sequence[MinuteSums]) -> None:
    """Write what minutes, in order and of whole hours, add up to."""
    hours = groupby(minutes, key=lambda each: each.minute // evaluation.MINUTES_AN_HOUR)
    rows = [{"slo_id": slo.id, "hour": hour, **given(evaluation.roll_up(slo, members))} for hour, members in hours]
    await upsert(tx, slo_hours, rows, key=("slo_id", "hour"))


async def _judge(tx: Tx, held: Sequence[Slo]) -> None:
    """Store the state of SLOs whose rows this transaction holds."""
    totals = await queries.window_totals(tx.connection, held, tx.now)
    states = [{"slo_id": slo.id, **given(evaluation.judge(slo, totals[slo.id], tx.now))} for slo in held]
    await upsert(tx, slo_states, states, key=("slo_id",))


async def _stored(tx: Tx, slo_id: UUID) -> Slo:
    return (await queries.slos_by_id(tx.connection, [slo_id]))[slo_id]
