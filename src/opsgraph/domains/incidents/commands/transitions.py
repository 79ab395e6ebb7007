"""Moving incidents from one status to another."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsgraph.domains.incidents.commands import changing
from opsgraph.domains.incidents.commands.changing import Change
from opsgraph.domains.incidents.model import Incident, IncidentEventKind, IncidentStatus
from opsgraph.domains.incidents.rules.transitions import transition
from opsgraph.storage.transactions import Tx


async def move(
    tx: Tx, incident: Incident, wish: IncidentStatus, *, by: str, detail: Mapping[str, Any] | None = None
) -> Incident:
    """Move one incident, see `move_all`; gives it as it is then."""
    return (await move_all(tx, [incident], wish, by=by, detail=detail))[0]


async def move_all(
    tx: Tx, locked: Sequence[Incident], wish: IncidentStatus, *, by: str, detail: Mapping[str, Any] | None = None
) -> list[Incident]:
    """Move incidents, whose rows are locked, and their slots if they are resolved; gives them as they are then.

    One that stands there already stays as it is. Two statements, however many there are.

    Args:
        tx: the transaction.
        locked: the incidents, each once.
        wish: where to.
        by: on whose behalf, as timelines name it.
        detail: what the timeline tells besides from where and to where.

    Raises:
        Conflict: the status machine does not allow it for one of them; nothing is written then.
    """
    return await move_each(tx, [(incident, by) for incident in locked], wish, detail)


async def move_each(
    tx: Tx, locked: Sequence[tuple[Incident, str]], wish: IncidentStatus, detail: Mapping[str, Any] | None = None
) -> list[Incident]:
    """Move incidents, each on behalf of someone of its own; otherwise see `move_all`."""
    moved = [transition(incident, wish, tx.now) for incident, _ in locked]
    changes = [
        Change(
            after,
            IncidentEventKind.STATUS_CHANGED,
            by,
            {"from": before.status.value, "to": wish.value, **(detail or {})},
        )
        for (before, by), after in zip(locked, moved, strict=True)
        if after is not before
    ]
    await changing.write(tx, changes)
    return moved
