"""Saying how bad incidents are."""

from opsgraph.domains.incidents.commands import changing
from opsgraph.domains.incidents.commands.changing import Change
from opsgraph.domains.incidents.commands.locking import lock_one
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.domains.incidents.model import Incident, IncidentEventKind, SeverityInput
from opsgraph.domains.incidents.rules.acceptance import note
from opsgraph.domains.incidents.rules.transitions import next_version, refuse_resolved
from opsgraph.storage.transactions import Tx


async def set_severity(tx: Tx, wanted: SeverityInput) -> Incident:
    """Give an incident another severity, with a note on why; the one it has changes nothing, but the note is kept.

    Its slots are locked: alerts that come meanwhile join the incident of their severity as it is afterwards.

    Raises:
        NotFound: there is no such incident.
        Invalid: the note is empty or too long.
        Conflict: it has another version, or it is resolved.
    """
    content = None if wanted.note is None else note(wanted.note, "note")
    incident = await lock_one(tx, wanted.incident, wanted.expected_version, with_slots=True)
    if incident.severity is not wanted.severity:
        refuse_resolved(incident, "its severity")
        detail = {"from": incident.severity.value, "to": wanted.severity.value}
        incident = next_version(incident, tx.now, severity=wanted.severity)
        await changing.write(tx, [Change(incident, IncidentEventKind.SEVERITY_CHANGED, tx.actor.name, detail)])
    return (await annotate(tx, [incident], content))[0]
