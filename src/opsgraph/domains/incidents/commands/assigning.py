"""Assigning incidents to people."""

from opsgraph.domains.access import queries as access
from opsgraph.domains.access.model import User
from opsgraph.domains.incidents.commands import changing
from opsgraph.domains.incidents.commands.changing import Change
from opsgraph.domains.incidents.commands.locking import lock_one
from opsgraph.domains.incidents.model import AssignInput, Incident, IncidentEventKind
from opsgraph.domains.incidents.rules.transitions import next_version, refuse_resolved
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.kernel.text import shown
from opsgraph.storage.transactions import Tx


async def assign(tx: Tx, wanted: AssignInput) -> Incident:
    """Assign an incident to a user, or to nobody; whoever has it already keeps it, and nothing changes.

    Raises:
        NotFound: there is no such incident or user.
        Conflict: it has another version, it is resolved, or the user was deactivated.
    """
    incident = await lock_one(tx, wanted.incident, wanted.expected_version)
    user = None if wanted.user is None else await _assignable(tx, wanted.user)
    if incident.assignee_id == (user.id if user else None):
        return incident
    refuse_resolved(incident, "its assignee")
    assigned = next_version(incident, tx.now, assignee_id=user.id if user else None)
    detail = {"from": await _name_of_assignee(tx, incident), "to": user.name if user else None}
    await changing.write(tx, [Change(assigned, IncidentEventKind.ASSIGNED, tx.actor.name, detail)])
    return assigned


async def _assignable(tx: Tx, name: str) -> User:
    user = await access.user_by_name(tx.connection, name)
    if user is None:
        raise NotFound(f"there is no user called {shown(name)}", "user")
    if not user.active:
        raise Conflict(f"user {shown(user.name)} was deactivated", "user")
    return user


async def _name_of_assignee(tx: Tx, incident: Incident) -> str | None:
    if incident.assignee_id is None:
        return None
    return (await access.users_by_id(tx.connection, [incident.assignee_id]))[incident.assignee_id].name
