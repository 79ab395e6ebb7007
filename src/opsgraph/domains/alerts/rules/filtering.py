"""Whether an alert is one of those that are wanted: the same that `queries.pages` asks the database, for feeds."""

from opsgraph.domains.alerts.model import Alert, AlertFilter
from opsgraph.domains.catalog.model import Home
from opsgraph.kernel.text import name_key


def matches(wanted: AlertFilter, alert: Alert, home: Home | None = None) -> bool:
    """Whether an alert fulfils every condition of a filter.

    Args:
        wanted: the filter.
        alert: the alert.
        home: where its service belongs, if that is registered; needed for conditions on services and teams alone.
    """
    return (
        (wanted.statuses is None or alert.status in wanted.statuses)
        and (wanted.severities is None or alert.severity in wanted.severities)
        and (wanted.sources is None or alert.source in wanted.sources)
        and (wanted.silenced is None or alert.silenced is wanted.silenced)
        and (wanted.since is None or alert.first_seen_at >= wanted.since)
        and (wanted.until is None or alert.first_seen_at < wanted.until)
        and (not wanted.search or wanted.search.lower() in alert.message.lower())
        and (wanted.services is None or _is_of_service(wanted.services, alert, home))
        and (wanted.teams is None or _is_of_team(wanted.teams, home))
    )


def needs_home(wanted: AlertFilter) -> bool:
    """Whether a filter asks about something that only the catalog knows."""
    return wanted.services is not None or wanted.teams is not None


def _is_of_service(names: tuple[str, ...], alert: Alert, home: Home | None) -> bool:
    own = name_key(alert.service_name) if home is None else home.service
    return own in {name_key(name) for name in names}


def _is_of_team(names: tuple[str, ...], home: Home | None) -> bool:
    return home is not None and home.team in {name_key(name) for name in names}
