"""People who respond to incidents, on a desk that takes in alerts."""

from typing import Any

from opsgraph.domains.incidents.model import Incident
from opsgraph.domains.incidents.queries import timelines
from opsgraph.kernel.pages import PageRequest
from tests.support.intake import PERSON, Desk


async def done(desk: Desk, command: Any, *arguments: Any) -> Any:
    """Run a command in a transaction of its own, on behalf of a person, a second after what was before."""
    now = desk.core.clock.move(seconds=1)  # type: ignore[attr-defined]  # tests have a clock that moves
    async with desk.core.database.transaction(PERSON, now) as tx:
        return await command(tx, *arguments)


async def only(desk: Desk) -> Incident:
    """The one incident as it is stored."""
    (incident,) = await desk.incidents()
    return incident


async def told(desk: Desk, incident: Incident) -> list[tuple[str, str, dict[str, Any]]]:
    """Type, actor and detail of each entry of a timeline."""
    async with desk.core.database.reading() as session:
        pages = await timelines.entries_by_incident(session, [incident.id], PageRequest(200))
    entries = [timelines.entry_of(row) for row in pages[incident.id].rows]
    return [(entry.type.value, entry.actor, dict(entry.detail)) for entry in entries]
