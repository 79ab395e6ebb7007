"""Overrides, from the request to their end."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, update

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.commands import locking
from opsgraph.domains.readiness.commands.ending import over, override_row, save_overrides
from opsgraph.domains.readiness.model.overrides import Override, OverrideState
from opsgraph.domains.readiness.model.standings import Standing
from opsgraph.domains.readiness.model.verdicts import (
    ReadinessChanged,
    ReadinessDecision,
    ReadinessEventKind,
)
from opsgraph.domains.readiness.queries.overrides import standing_by_service
from opsgraph.domains.readiness.queries.verdicts import newest_by_service
from opsgraph.domains.readiness.rules import deciding, permitting
from opsgraph.domains.readiness.rules.permitting import EXPIRED
from opsgraph.domains.readiness.tables import overrides, states
from opsgraph.kernel.refusals import Conflict
from opsgraph.kernel.text import free_text, shown
from opsgraph.storage.transactions import Tx


@dataclass(frozen=True, slots=True)
class _Held:
    """A service with what stands beside its verdict, held until the transaction ends."""

    service: Service
    standing: Standing
    pending: Override | None
    approved: Override | None

    def require_pending(self) -> Override:
        if self.pending is None:
            raise Conflict(f"service {shown(self.service.name)} has no override that is asked for", "service")
        return self.pending


async def request(tx: Tx, service: str, decision: ReadinessDecision, reason: str, expires_at: datetime) -> Override:
    """Ask for an override; it has no effect until another person approves it.

    Raises:
        NotFound: there is no such service.
        Conflict: there is no verdict to stand in for, or one is asked for already.
        Invalid: there is no reason, or it would end in the past or too late.
    """
    held = await _hold(tx, service)
    if held.standing.verdict_id is None:
        raise Conflict(f"there is no verdict on service {shown(held.service.name)} yet; evaluate it first", "service")
    accepted = permitting.accept_override(decision, reason, expires_at, tx.now)
    await _make_room(tx, held)
    override = Override(
        id=tx.new_id(),
        service_id=held.service.id,
        decision=decision,
        reason=accepted,
        requested_by=tx.actor.name,
        requested_at=tx.now,
        expires_at=expires_at,
        state=OverrideState.PENDING,
    )
    stamps = {"created_at": tx.now, "updated_at": tx.now}
    await tx.connection.execute(insert(overrides).values(**override_row(override), **stamps))
    return override


async def approve(tx: Tx, service: str, note: str | None = None) -> Override:
    """Let the override that is asked for stand in for the newest verdict; it takes the place of one in force.

    Raises:
        NotFound: there is no such service.
        Conflict: none is asked for, or it would have ended already.
        Forbidden: who asked for it is who approves.
        Invalid: the note is too long.
    """
    held = await _hold(tx, service)
    approved = permitting.approve(held.require_pending(), tx.actor.name, tx.now)
    verdict = (await newest_by_service(tx.connection, [held.service.id]))[held.service.id]
    blockers = tuple(deciding.blockers(verdict.results))
    approved = replace(approved, verdict_id=verdict.id, blockers=blockers, note=_note(note))
    if held.approved is not None:
        await save_overrides(tx, [_replaced(tx, held.approved)])
    await save_overrides(tx, [approved])
    due_at = min(held.standing.due_at, approved.expires_at)
    await _stand_in(tx, held, approved.decision, approved.expires_at, due_at)
    _tell(tx, held, ReadinessEventKind.OVERRIDDEN, approved.decision)
    return approved


async def reject(tx: Tx, service: str, note: str | None = None) -> Override:
    """Refuse the override that is asked for.

    Raises:
        NotFound: there is no such service.
        Conflict: none is asked for.
        Invalid: the note is too long.
    """
    held = await _hold(tx, service)
    rejected = permitting.reject(held.require_pending(), tx.actor.name, tx.now)
    rejected = replace(rejected, note=_note(note))
    await save_overrides(tx, [rejected])
    return rejected


async def revoke(tx: Tx, service: str, note: str | None = None) -> Override:
    """End the override that is in force, or where there is none, take back the one that is asked for.

    The note says why it ended; what was written when it was approved stays.

    Raises:
        NotFound: there is no such service.
        Conflict: there is neither.
        Invalid: the note is too long.
    """
    held = await _hold(tx, service)
    in_force = held.approved is not None and held.approved.in_force(tx.now)
    override = held.approved if in_force else held.pending
    if override is None:
        raise Conflict(f"service {shown(held.service.name)} has no override to revoke", "service")
    revoked = permitting.revoke(override, tx.actor.name, tx.now)
    revoked = replace(revoked, decided_at=revoked.decided_at or tx.now, ended_reason=_note(note) or "revoked")
    await save_overrides(tx, [revoked])
    if in_force:
        await _stand_in(tx, held, None, None, held.standing.due_at)
        _tell(tx, held, ReadinessEventKind.OVERRIDE_ENDED, held.standing.decision)
    return revoked


async def _hold(tx: Tx, name: str) -> _Held:
    service = await catalog_services.require_service(tx.connection, name)
    standing = await locking.standing_of_service(tx, service)
    found = (await standing_by_service(tx.connection, [service.id])).get(service.id, [])
    by_state = {override.state: override for override in found}
    return _Held(service, standing, by_state.get(OverrideState.PENDING), by_state.get(OverrideState.APPROVED))


async def _make_room(tx: Tx, held: _Held) -> None:
    """End a request that nobody decided about in time; refuse beside any other."""
    pending = held.pending
    if pending is None:
        return
    if tx.now < pending.expires_at:
        name = shown(held.service.name)
        raise Conflict(f"{shown(pending.requested_by)} has asked for an override of {name} already", "service")
    await save_overrides(tx, [over(tx, pending, EXPIRED)])


def _replaced(tx: Tx, override: Override) -> Override:
    if override.in_force(tx.now):
        return over(tx, override, "replaced", tx.actor.name)
    return over(tx, override, EXPIRED)


async def _stand_in(
    tx: Tx, held: _Held, decision: ReadinessDecision | None, until: datetime | None, due_at: datetime
) -> None:
    values = {"override_decision": decision and decision.value, "override_until": until, "due_at": due_at}
    await tx.connection.execute(update(states).where(states.c.service_id == held.service.id).values(**values))


def _tell(tx: Tx, held: _Held, kind: ReadinessEventKind, effective: ReadinessDecision | None) -> None:
    standing = held.standing
    if standing.verdict_id is not None and standing.decision is not None and effective is not None:
        before = standing.effective(tx.now)
        event = ReadinessChanged(standing.service_id, kind, standing.verdict_id, standing.decision, effective, before)
        tx.record(event)


def _note(text: str | None) -> str | None:
    return None if text is None else free_text(text.strip(), "note") or None
