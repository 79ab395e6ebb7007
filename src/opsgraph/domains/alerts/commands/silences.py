"""Writes of silences and maintenance windows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select, update

from opsgraph.domains.alerts.model import (
    Alert,
    AlertChanged,
    AlertEventKind,
    MaintenanceWindow,
    MaintenanceWindowInput,
    Severity,
    Silence,
    SilenceInput,
)
from opsgraph.domains.alerts.queries import silences as queries
from opsgraph.domains.alerts.queries.alerts import ALERT, alert_of
from opsgraph.domains.alerts.rules import acceptance
from opsgraph.domains.alerts.rules.silencing import CompiledSilences, Silencer, in_force
from opsgraph.domains.alerts.tables import FIRING, alerts, maintenance_windows, silences
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.changes import given
from opsgraph.kernel.refusals import NotFound
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.rows import AnyRow
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, lock_sorted

MOST_MUTED = 10_000
"""How many alerts without an incident are held against a silence when it is made: the newest."""

_AT_ONCE = 5_000
_SEEN = (alerts.c.id, alerts.c.labels, alerts.c.service_name, alerts.c.severity)


async def create_silence(tx: Tx, wanted: SilenceInput, created_by: str | None = None) -> Silence:
    """Make a silence, and mute what it concerns; with an idempotency key, once.

    Args:
        tx: the transaction.
        wanted: what it is.
        created_by: who made it, if it is not who asks: what senders of Alertmanager's format say.

    Raises:
        Invalid: a value breaks a rule.
        Conflict: the key was used with another silence.
    """
    made = acceptance.silence(wanted, tx.now, tx.new_id(), created_by or tx.actor.name)
    earlier = await first_result(tx, "createSilence", wanted.idempotency_key, given(wanted), made.id)
    if earlier is not None:
        return (await queries.silences_by_id(tx.connection, [earlier]))[earlier]
    await tx.connection.execute(insert(silences).values(**_silence_row(made), created_at=tx.now, updated_at=tx.now))
    await mute(tx, made)
    return made


async def replace_silence(tx: Tx, id_: UUID, wanted: SilenceInput, created_by: str | None = None) -> Silence:
    """Change a silence as Alertmanager does: in place, or by ending it and making another with a new id.

    Raises:
        NotFound: there is no such silence.
        Invalid: a value breaks a rule.
        Conflict: see `create_silence`.
    """
    kept = await _require(tx, id_)
    changed = acceptance.change(kept, wanted, tx.now, created_by or tx.actor.name)
    if changed is None:
        await _expire(tx, kept)
        return await create_silence(tx, wanted, created_by)
    await tx.connection.execute(
        update(silences).where(silences.c.id == id_).values(**_silence_row(changed), updated_at=tx.now)
    )
    await mute(tx, changed)
    return changed


async def expire_silence(tx: Tx, id_: UUID) -> Silence:
    """End a silence now; one that has ended stays as it was. What it kept quiet and still fires is settled afterwards.

    Raises:
        NotFound: there is no such silence.
    """
    return await _expire(tx, await _require(tx, id_))


async def save_maintenance_window(tx: Tx, wanted: MaintenanceWindowInput) -> MaintenanceWindow:
    """Make a maintenance window, or change the one with the id; what was left out stays as it is.

    Raises:
        NotFound: there is no window with that id, or no service of one of the names.
        Invalid: a value breaks a rule, or one is missing.
    """
    kept = None if wanted.id is None else await _require_window(tx, wanted.id)
    saved = acceptance.window(wanted, kept, tx.now, tx.new_id(), tx.actor.name)
    ids = await _service_ids(tx, saved.services)
    saved = replace(saved, services=tuple(ids))
    row = {**_window_row(saved, ids.values()), "updated_at": tx.now}
    table = maintenance_windows
    if kept is None:
        await tx.connection.execute(insert(table).values(**row, created_at=tx.now))
    else:
        await tx.connection.execute(update(table).where(table.c.id == kept.id).values(**row))
    await mute(tx, saved)
    return saved


async def mute(tx: Tx, silencer: Silencer) -> list[Alert]:
    """Mark what fires, has no incident and is meant by a silence that is in force; gives those alerts.

    An alert that has an incident keeps it: people work on that, and a silence takes no work away.
    """
    if not in_force(silencer, tx.now):
        return []
    compiled = CompiledSilences(*(([silencer], []) if isinstance(silencer, Silence) else ([], [silencer])))
    query = select(*_SEEN).where(FIRING, alerts.c.incident_id.is_(None), alerts.c.silenced.is_(False))
    rows = (await tx.connection.execute(query.order_by(alerts.c.id.desc()).limit(MOST_MUTED))).all()
    return await _silence(tx, [row.id for row in rows if _means(compiled, row, tx.now)])


def _means(compiled: CompiledSilences, row: AnyRow, now: datetime) -> bool:
    labels = orjson.loads(row.labels)
    return compiled.silencer(labels, row.service_name, Severity(row.severity), now) is not None


async def _silence(tx: Tx, ids: list[UUID]) -> list[Alert]:
    await lock_sorted(tx, alerts.c.id, ids)
    silenced: list[Alert] = []
    for chunk in in_chunks(sorted(ids), _AT_ONCE):
        # Asked once more, of the locked rows: another transaction may have ended one, or found it an incident.
        statement = update(alerts).where(alerts.c.id.in_(chunk), FIRING, alerts.c.incident_id.is_(None))
        rows = await tx.connection.execute(statement.values(silenced=True).returning(*ALERT))
        silenced += [alert_of(row) for row in rows]
    silenced.sort(key=lambda alert: alert.id)
    for alert in silenced:
        tx.record(AlertChanged(AlertEventKind.SILENCED, alert))
    return silenced


async def _expire(tx: Tx, kept: Silence) -> Silence:
    if kept.ends_at <= tx.now:
        return kept
    ended = replace(kept, starts_at=min(kept.starts_at, tx.now), ends_at=tx.now)
    times = {"starts_at": ended.starts_at, "ends_at": ended.ends_at, "updated_at": tx.now}
    await tx.connection.execute(update(silences).where(silences.c.id == kept.id).values(**times))
    return ended


async def _require(tx: Tx, id_: UUID) -> Silence:
    query = queries.silence_rows().where(silences.c.id == id_).with_for_update()
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no silence with this id", "id")
    return queries.silence_of(row)


async def _require_window(tx: Tx, id_: UUID) -> MaintenanceWindow:
    table = maintenance_windows
    await tx.connection.execute(select(table.c.id).where(table.c.id == id_).with_for_update())
    found = (await queries.windows_by_id(tx.connection, [id_])).get(id_)
    if found is None:
        raise NotFound("there is no maintenance window with this id", "id")
    return found


async def _service_ids(tx: Tx, names: Iterable[str]) -> Mapping[str, UUID]:
    """The services of these names, by the names that they have; each once, in the order given."""
    found = await catalog_services.services_by_name(tx.connection, list(names))
    ids: dict[str, UUID] = {}
    for name in names:
        service = found.get(name_key(name))
        if service is None:
            raise NotFound(f"there is no service called {shown(name)}", "services")
        ids[service.name] = service.id
    return ids


def _silence_row(silence: Silence) -> dict[str, Any]:
    return {**given(silence), "matchers": queries.matchers_text(silence.matchers)}


def _window_row(window: MaintenanceWindow, service_ids: Iterable[UUID]) -> dict[str, Any]:
    services = orjson.dumps([str(id_) for id_ in service_ids]).decode()
    return {**given(window), "matchers": queries.matchers_text(window.matchers), "services": services}
