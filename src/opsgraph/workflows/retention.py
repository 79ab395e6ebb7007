"""Removing what has been kept long enough."""

from datetime import timedelta

from opsgraph.domains.slo import commands as slo
from opsgraph.storage.idempotency import forget_keys
from opsgraph.storage.transactions import Tx

IDEMPOTENCY = timedelta(days=7)
"""How long a replay of a request is recognised."""


async def prune(tx: Tx) -> int:
    """Remove idempotency keys after 7 days, and SLO events past every window; gives how many rows that were."""
    return await forget_keys(tx, tx.now - IDEMPOTENCY) + await slo.prune_events(tx)
