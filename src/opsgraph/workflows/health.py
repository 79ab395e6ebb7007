"""Keeping stored health right: whenever an input changes, and when time passes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from opsgraph.domains.health import commands as health
from opsgraph.domains.health import queries
from opsgraph.domains.health.model import Subsystem
from opsgraph.domains.health.rules import BUILT_IN
from opsgraph.domains.slo import commands as slo
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks

AT_ONCE = 500
"""How many services one batch has."""

_LONGEST_BEHIND = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """How health is evaluated.

    Attributes:
        subsystems: who has a say, in the order their signals are shown.
        currency: the currency of costs that name none (ISO 4217).
        every: how often health is evaluated again when nothing but time changes.
    """

    subsystems: Sequence[Subsystem] = BUILT_IN
    currency: str = "USD"
    every: timedelta = timedelta(seconds=60)


async def refresh(tx: Tx, service_ids: Collection[UUID], policy: HealthPolicy) -> None:
    """Evaluate services and store the result, in the transaction that changed what it depends on."""
    for ids in in_chunks(sorted(set(service_ids)), AT_ONCE):
        present = _not_before(tx, await health.lock(tx, ids))
        await slo.refresh_states(present, ids)
        await health.evaluate(present, ids, policy.subsystems, policy.currency, policy.every)


async def refresh_or_mark(tx: Tx, service_ids: Collection[UUID], policy: HealthPolicy) -> None:
    """Evaluate services whose incidents changed: at once where a person did that, soon where opsgraph itself did.

    Intake and workers change many incidents a second, and nobody waits for what they think of it.
    """
    if tx.actor == SYSTEM:
        await health.mark_due(tx, service_ids)
    else:
        await refresh(tx, service_ids, policy)


async def refresh_due(tx: Tx, policy: HealthPolicy, limit: int = AT_ONCE) -> int:
    """Evaluate the services that are due; gives how many there were."""
    due = await queries.due_services(tx.connection, tx.now, limit)
    await refresh(tx, due, policy)
    return len(due)


async def put_off(tx: Tx, service_id: UUID, by: timedelta) -> None:
    """Let the evaluating worker come back to a service only after a while."""
    await health.postpone(tx, service_id, by)


def _not_before(tx: Tx, newest: datetime) -> Tx:
    """The transaction at the instant of the newest evaluation, where one that began later has come first.

    What that one recorded would otherwise lie in the future of this evaluation and not count. An instant more than an
    hour ahead is no transaction's but that of a clock that was wrong: it is not followed.
    """
    return replace(tx, now=newest) if timedelta(0) < newest - tx.now < _LONGEST_BEHIND else tx
