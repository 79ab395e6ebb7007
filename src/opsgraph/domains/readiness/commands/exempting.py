"""Exemptions of services from checks."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.commands import locking
from opsgraph.domains.readiness.commands.marking import mark
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import Check
from opsgraph.domains.readiness.queries.exemptions import exemption_of, exemption_rows
from opsgraph.domains.readiness.queries.policies import policy_now
from opsgraph.domains.readiness.rules import deciding, permitting
from opsgraph.domains.readiness.tables import exemptions
from opsgraph.kernel.changes import given
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.transactions import Tx


async def exempt(tx: Tx, service: str, check: str, reason: str, ends_at: datetime, *, approving: bool) -> Exemption:
    """Ask that a check is not asked of a service until an instant; who approves grants what another one asked for.

    What was asked for is granted with the reason that it was asked for with, and ends no later than either of the two
    said. What nobody asked for, who approves grants alone, but for hard blockers: there it is a request as well.

    Args:
        tx: the transaction.
        service: whose name.
        check: whose name.
        reason: why.
        ends_at: when the check is asked again.
        approving: whether who acts may grant it.

    Raises:
        NotFound: there is no such service or check.
        Conflict: it is archived, it is exempt already, or that is asked for already.
        Forbidden: who asked for it is who grants it.
        Invalid: there is no reason, or it would end in the past or too late.
    """
    found = await locking.active_service(tx, service)
    known = await _known(tx, check)
    accepted = permitting.accept_exemption(reason, ends_at, tx.now)
    await locking.standing_of_service(tx, found)
    kept = await _standing(tx, found, known.name)
    if kept is None:
        alone = approving and not deciding.blocks(known)
        exemption = await _ask(tx, found, known.name, accepted, ends_at, approving=alone)
    else:
        exemption = await _grant(tx, kept, ends_at, approving=approving)
    if exemption.approved_by is not None:
        await mark(tx, [found.id])
    return exemption


async def revoke(tx: Tx, service: str, check: str) -> Exemption:
    """End an exemption, or take back the request for one.

    Raises:
        NotFound: there is no such service, or it is neither exempt from that check nor asked to be.
    """
    found = await catalog_services.require_service(tx.connection, service)
    await locking.standing_of_service(tx, found)
    kept = await _standing(tx, found, check)
    if kept is None:
        raise NotFound(f"service {shown(found.name)} has no exemption from {shown(check)}", "check")
    ended = await _end(tx, kept, tx.actor.name)
    await mark(tx, [found.id])
    return ended


async def _known(tx: Tx, check: str) -> Check:
    key = name_key(check)
    for known in (await policy_now(tx.connection)).checks:
        if name_key(known.name) == key:
            return known
    raise NotFound(f"there is no check called {shown(check)}", "check")


async def _standing(tx: Tx, service: Service, check: str) -> Exemption | None:
    """The exemption that is in force or asked for; one whose time is over makes room."""
    query = exemption_rows().where(
        exemptions.c.service_id == service.id,
        exemptions.c.check_key == name_key(check),
        exemptions.c.ended_at.is_(None),
    )
    row = (await tx.connection.execute(query)).one_or_none()
    kept = exemption_of(row) if row else None
    if kept is not None and kept.ends_at <= tx.now:
        await _end(tx, kept, None)
        return None
    return kept


async def _ask(tx: Tx, service: Service, check: str, reason: str, ends_at: datetime, *, approving: bool) -> Exemption:
    by = tx.actor.name
    exemption = Exemption(
        id=tx.new_id(),
        service_id=service.id,
        check=check,
        reason=reason,
        requested_by=None if approving else by,
        requested_at=tx.now,
        ends_at=ends_at,
        approved_by=by if approving else None,
        approved_at=tx.now if approving else None,
    )
    row: dict[str, Any] = given(exemption)
    row |= {"check_name": row.pop("check"), "check_key": name_key(check), "created_at": tx.now, "updated_at": tx.now}
    await tx.connection.execute(insert(exemptions).values(**row))
    return exemption


async def _grant(tx: Tx, kept: Exemption, ends_at: datetime, *, approving: bool) -> Exemption:
    if kept.approved_by is not None:
        raise Conflict(f"it is exempt from {shown(kept.check)} already", "check")
    if not approving:
        raise Conflict(f"an exemption from {shown(kept.check)} is asked for already", "check")
    granted = permitting.grant(kept, tx.actor.name, tx.now)
    return await _save(tx, replace(granted, ends_at=min(kept.ends_at, ends_at)))


async def _end(tx: Tx, kept: Exemption, by: str | None) -> Exemption:
    return await _save(tx, replace(kept, ended_by=by, ended_at=tx.now))


async def _save(tx: Tx, changed: Exemption) -> Exemption:
    values = given(changed, "ends_at", "approved_by", "approved_at", "ended_by", "ended_at")
    statement = update(exemptions).where(exemptions.c.id == changed.id)
    await tx.connection.execute(statement.values(**values, updated_at=tx.now))
    return changed
