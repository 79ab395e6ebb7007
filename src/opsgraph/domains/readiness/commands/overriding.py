"""Overrides, from the request to their end."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, update

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.commands import locking
from opsgraph.domains.readiness.commands.ending import over, override_row, save_overrides
from opsgraph.domains.readiness.model.overrides import Override, OverrideState, Seen
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

UNSEEN = Seen()
"""Of who decides about whatever there is."""


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

    def require_verdict(self) -> None:
        if self.standing.verdict_id is None:
            name, refusal = shown(self.service.name), self.standing.refusal
            why = f"now: {refusal}" if refusal else "yet; evaluate it first"
            raise Conflict(f"there is no verdict on service {name} {why}", "service")

    def require_seen(self, override: Override, seen: Seen) -> None:
        """Refuse who decides about something else than they read."""
        name = shown(self.service.name)
        if seen.override_id not in {None, override.id}:
            raise Conflict(f"service {name} has another override by now, asked for by {override.requested_by}", "id")
        if seen.verdict_id not in {None, self.standing.verdict_id}:
            raise Conflict(f"that is not the verdict on service {name} now; read the newest one first", "verdict")


async def request(tx: Tx, service: str, decision: ReadinessDecision, reason: str, expires_at: datetime) -> Override:
    """Ask for an override; it has no effect until another person approves it.

    Raises:
        NotFound: there is no such service.
        Conflict: it is archived, there is no verdict to stand in for, or one is asked for already.
        Invalid: there is no reason, or it would end in the past or too late.
    """
    held = await _hold(tx, await locking.active_service(tx, service))
    held.require_verdict()
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


async def approve(tx: Tx, service: str, note: str | None = None, seen: Seen = UNSEEN) -> Override:
    """Let the override that is asked for stand in for the verdict; it takes the place of one in force.

    Raises:
        NotFound: there is no such service.
        Conflict: it is archived or has no verdict now, none is asked for, it would have ended already, or the override
            or the verdict is another one than was seen.
        Forbidden: who asked for it is who approves.
        Invalid: the note is too long.
    """
    held = await _hold(tx, await locking.active_service(tx, service))
    pending = held.require_pending()
    held.require_seen(pending, seen)
    approved = permitting.approve(pending, tx.actor.name, tx.now)
    held.require_verdict()
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


async def reject(
    tx: Tx, service: str, note: str | None = None, seen: Seen = UNSEEN, *, approving: bool = True
) -> Override:
    """Refuse the override that is asked for, or take back what one asked for oneself.

    Args:
        tx: the transaction.
        service: whose name.
        note: what to write about it.
        seen: what was read before.
        approving: whether who acts may decide about what others ask for.

    Raises:
        NotFound: there is no such service.
        Conflict: none is asked for, or the override or the verdict is another one than was seen.
        Forbidden: who acts is no approver, and did not ask for it.
        Invalid: the note is too long.
    """
    held = await _hold(tx, await catalog_services.require_service(tx.connection, service))
    pending = held.require_pending()
    held.require_seen(pending, seen)
    rejected = permitting.reject(pending, tx.actor.name, tx.now, approving=approving)
    rejected = replace(rejected, note=_note(note))
    await save_overrides(tx, [rejected])
    return rejected


async def revoke(tx: Tx, service: str, note: str | None = None, seen: Seen = UNSEEN) -> Override:
    """End the override that is in force, or where there is none, take back the one that is asked for.

    The note says why it ended; what was written when it was approved stays.

    Raises:
        NotFound: there is no such service.
        Conflict: there is neither, or the override or the verdict is another one than was seen.
        Invalid: the note is too long.
    """
    held = await _hold(tx, await catalog_services.require_service(tx.connection, service))
    in_force = held.approved is not None and held.approved.in_force(tx.now)
    override = held.approved if in_force else held.pending
    if override is None:
        raise Conflict(f"service {shown(held.service.name)} has no override to revoke", "service")
    held.require_seen(override, seen)
    revoked = permitting.revoke(override, tx.actor.name, tx.now)
    revoked = replace(revoked, decided_at=revoked.decided_at or tx.now, ended_reason=_note(note) or "revoked")
    await save_overrides(tx, [revoked])
    if in_force:
        await _stand_in(tx, held, None, None, held.standing.due_at)
        _tell(tx, held, ReadinessEventKind.OVERRIDE_ENDED, held.standing.decision)
    return revoked


async def _hold(tx: Tx, service: Service) -> _Held:
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
