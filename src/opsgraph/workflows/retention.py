"""Removing what has been kept long enough."""

from dataclasses import dataclass
from datetime import timedelta

from opsgraph.domains.access import commands as access
from opsgraph.domains.readiness.commands import pruning as readiness
from opsgraph.domains.slo import commands as slo
from opsgraph.events import pruning as events
from opsgraph.storage.idempotency import forget_keys
from opsgraph.storage.transactions import Tx

IDEMPOTENCY = timedelta(days=7)
"""How long a replay of a request is recognised."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long is kept what each operator decides on."""

    events: timedelta = timedelta(days=30)
    audit: timedelta = timedelta(days=400)
    readiness: timedelta = timedelta(days=400)


async def prune(tx: Tx, retention: Retention) -> int:
    """Remove what is due, as much as is good for one transaction; gives how many rows it were, 0 when all is done.

    That is idempotency keys after 7 days, SLO events past every window, the beginning of the event log and of the audit
    log, and verdicts but for the newest on each service.
    """
    removed = await forget_keys(tx, tx.now - IDEMPOTENCY) + await slo.prune_events(tx)
    removed += await events.prune(tx, tx.now - retention.events)
    removed += await access.prune_audit(tx, tx.now - retention.audit)
    return removed + await readiness.prune(tx, tx.now - retention.readiness)
