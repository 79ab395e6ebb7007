"""Writing timelines: what happened to incidents, entry after entry, never changed."""

from collections.abc import Sequence
from typing import Any

import orjson

from opsgraph.domains.incidents.model import NewEntry
from opsgraph.domains.incidents.tables import timeline
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_all


async def append(tx: Tx, entries: Sequence[NewEntry]) -> None:
    """Write entries in the order given, as of the transaction's instant: one statement.

    Whoever writes holds the lock of the incident, so that ids of one incident follow the order of what happened.
    """
    await insert_all(tx, timeline, [_row(tx, entry) for entry in entries])


def _row(tx: Tx, entry: NewEntry) -> dict[str, Any]:
    return {
        "incident_id": entry.incident_id,
        "type": entry.type.value,
        "actor": entry.actor,
        "detail": orjson.dumps(entry.detail).decode(),
        "created_at": tx.now,
    }
