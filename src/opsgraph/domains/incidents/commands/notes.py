"""Writing notes about incidents, resolved ones included."""

from collections.abc import Sequence

from sqlalchemy import insert

from opsgraph.domains.incidents.commands import changing
from opsgraph.domains.incidents.commands.changing import Change
from opsgraph.domains.incidents.commands.locking import lock_one
from opsgraph.domains.incidents.model import Incident, IncidentEventKind, NoteInput
from opsgraph.domains.incidents.queries.incidents import require_incident
from opsgraph.domains.incidents.rules.acceptance import note
from opsgraph.domains.incidents.rules.transitions import next_version
from opsgraph.domains.incidents.tables import notes
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.transactions import Tx


async def add_note(tx: Tx, wanted: NoteInput) -> Incident:
    """Write a note; with an idempotency key, once. Gives the incident as it is then.

    Raises:
        NotFound: there is no such incident.
        Invalid: the note is empty or too long.
        Conflict: the key was used with another note.
    """
    content = note(wanted.content, "content")
    incident = await require_incident(tx.connection, wanted.incident)
    request = {"incident": incident.id, "content": content}
    earlier = await first_result(tx, "addIncidentNote", wanted.idempotency_key, request, tx.new_id())
    if earlier is not None:
        return incident
    return (await annotate(tx, [await lock_one(tx, incident.id)], content))[0]


async def annotate(tx: Tx, locked: Sequence[Incident], content: str | None) -> list[Incident]:
    """Write the same accepted note about incidents, whose rows are locked; gives them as they are then.

    None writes nothing. Three statements, however many incidents there are.
    """
    if content is None or not locked:
        return list(locked)
    rows = [
        {"id": tx.new_id(), "incident_id": i.id, "author": tx.actor.name, "content": content, "created_at": tx.now}
        for i in locked
    ]
    await tx.connection.execute(insert(notes), rows)
    noted = [next_version(incident, tx.now) for incident in locked]
    detail = {"content": content}
    await changing.write(tx, [Change(i, IncidentEventKind.NOTED, tx.actor.name, detail) for i in noted])
    return noted
