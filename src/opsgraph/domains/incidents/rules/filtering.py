"""Whether an incident is one of those that are wanted: the same that `queries.pages` asks the database, for feeds."""

from opsgraph.domains.catalog.model import Home
from opsgraph.domains.incidents.model import Incident, IncidentFilter
from opsgraph.kernel.text import name_key


def matches(wanted: IncidentFilter, incident: Incident, home: Home | None = None, assignee: str | None = None) -> bool:
    """Whether an incident fulfils every condition of a filter.

    Args:
        wanted: the filter.
        incident: the incident.
        home: where its service belongs, if that is registered; needed for conditions on services and teams alone.
        assignee: the name of the user it is assigned to, if it is; needed for conditions on assignees alone.
    """
    return (
        (wanted.statuses is None or incident.status in wanted.statuses)
        and (wanted.severities is None or incident.severity in wanted.severities)
        and (wanted.since is None or incident.created_at >= wanted.since)
        and (wanted.until is None or incident.created_at < wanted.until)
        and (wanted.unassigned is None or (incident.assignee_id is None) is wanted.unassigned)
        and not wanted.snoozed  # nothing is
        and (not wanted.search or _mentions(incident, wanted.search))
        and (wanted.services is None or _is_of_service(wanted.services, incident, home))
        and (wanted.teams is None or (home is not None and home.team in _keys(wanted.teams)))
        and (wanted.assignees is None or (assignee is not None and name_key(assignee) in _keys(wanted.assignees)))
    )


def needs_home(wanted: IncidentFilter) -> bool:
    """Whether a filter asks about something that only the catalog knows."""
    return wanted.services is not None or wanted.teams is not None


def needs_assignee(wanted: IncidentFilter) -> bool:
    """Whether a filter asks for the name of the user that an incident is assigned to."""
    return wanted.assignees is not None


def _mentions(incident: Incident, text: str) -> bool:
    return text.lower() in incident.title.lower() or text.lower() in incident.service_name.lower()


def _is_of_service(names: tuple[str, ...], incident: Incident, home: Home | None) -> bool:
    return (incident.service_key if home is None else home.service) in _keys(names)


def _keys(names: tuple[str, ...]) -> set[str]:
    return {name_key(name) for name in names}
