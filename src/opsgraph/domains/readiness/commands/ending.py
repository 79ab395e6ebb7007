"""What ends overrides by itself: time, and blockers that nobody knew of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from opsgraph.domains.readiness.model.overrides import Override, OverrideState
from opsgraph.domains.readiness.model.verdicts import Judgement
from opsgraph.domains.readiness.queries.overrides import standing_by_service
from opsgraph.domains.readiness.queries.texts import written
from opsgraph.domains.readiness.rules import permitting
from opsgraph.domains.readiness.tables import overrides
from opsgraph.kernel.changes import given
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import update_all


async def end_overrides(tx: Tx, judged: Mapping[UUID, Judgement | None]) -> dict[UUID, Override]:
    """End what has expired, whether approved or only asked for, and what does not know a blocker. Two statements.

    Args:
        tx: the transaction, which holds where the services stand.
        judged: what the services were judged to be; None where they were not.

    Returns:
        the overrides that were approved and have ended, by service.
    """
    standing = await standing_by_service(tx.connection, judged)
    ended = [
        over(tx, override, reason)
        for service_id, found in standing.items()
        for override in found
        if (reason := _end_of(tx, override, judged[service_id])) is not None
    ]
    await save_overrides(tx, ended)
    return {override.service_id: override for override in ended if override.verdict_id is not None}


def over(tx: Tx, override: Override, reason: str, by: str | None = None) -> Override:
    """The override as it is when it ends now; one that was only asked for has been decided by that."""
    return replace(
        override,
        state=OverrideState.ENDED,
        decided_at=override.decided_at or tx.now,
        ended_by=by,
        ended_at=tx.now,
        ended_reason=reason,
    )


async def save_overrides(tx: Tx, changed: list[Override]) -> None:
    """Store what became of overrides; one statement."""
    await update_all(tx, overrides, [{**override_row(override), "updated_at": tx.now} for override in changed])


def override_row(override: Override) -> dict[str, Any]:
    """An override as its row has it."""
    enums = {"decision": override.decision.value, "state": override.state.value}
    return {**given(override), **enums, "blockers": written(override.blockers)}


def _end_of(tx: Tx, override: Override, judgement: Judgement | None) -> str | None:
    return permitting.end_of(override, override.blockers if judgement is None else judgement.blockers, tx.now)
