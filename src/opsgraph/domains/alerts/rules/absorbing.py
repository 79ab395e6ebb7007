"""How a batch of reports is taken in: what is folded together, what is new, and what is the same episode again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from opsgraph.domains.alerts.model import Action, Alert, AlertPolicy, AlertReport, AlertStatus, Severity

TITLE_LENGTH = 200


class Folded(msgspec.Struct, frozen=True):
    """Reports of one alert that say the same: the newest of them, and the places of all in their batch."""

    report: AlertReport
    places: tuple[int, ...]

    @property
    def times(self) -> int:
        """How many there are."""
        return len(self.places)


class Known(msgspec.Struct, frozen=True):
    """What taking in a report has to know of the alert that fires with its fingerprint."""

    id: UUID
    fingerprint: str
    severity: Severity
    incident_id: UUID | None
    service_key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An alert that a person resolved not long ago: a report with the same start tells nothing new."""

    id: UUID
    fingerprint: str
    starts_at: datetime
    incident_id: UUID | None


def rounds(reports: Sequence[AlertReport]) -> list[list[Folded]]:
    """Cut a batch into rounds in which no alert comes twice, in the order of the batch.

    Reports of one alert that say the same one after the other count as one; what says otherwise waits for its round.
    """
    made: list[dict[str, Folded]] = []
    latest: dict[str, int] = {}
    for place, report in enumerate(reports):
        number = latest.get(report.fingerprint, 0)
        earlier = made[number].get(report.fingerprint) if number < len(made) else None
        if earlier is not None and _says_the_same(earlier.report, report):
            made[number][report.fingerprint] = Folded(report, (*earlier.places, place))
            continue
        number += earlier is not None
        if number == len(made):
            made.append({})
        made[number][report.fingerprint] = Folded(report, (place,))
        latest[report.fingerprint] = number
    return [list(folded.values()) for folded in made]


def is_same_episode(report: AlertReport, ended: Ended | None) -> bool:
    """Whether a report tells of what a person has resolved: the start is the same, as far as the source says one."""
    return ended is not None and report.starts_at is not None and report.starts_at == ended.starts_at


def makes_incident(alert: Alert, policy: AlertPolicy) -> bool:
    """Whether an alert belongs to an incident: it is not silenced, and not for information only."""
    return not alert.silenced and (alert.severity is not Severity.INFO or policy.info_incidents)


def arrived(report: AlertReport, times: int, now: datetime, id_: UUID, service: tuple[UUID | None, bool]) -> Alert:
    """The new alert that a report makes; `service` is the registered service's id, and whether it is silenced."""
    service_id, silenced = service
    return Alert(
        id=id_,
        fingerprint=report.fingerprint,
        service_name=report.service,
        service_id=service_id,
        severity=report.severity,
        source_severity=report.source_severity,
        severity_recognised=report.severity_recognised,
        status=AlertStatus.FIRING,
        message=report.message,
        labels=report.labels,
        annotations=report.annotations,
        source=report.source,
        source_url=report.source_url,
        occurrences=times,
        starts_at=report.starts_at or now,
        first_seen_at=now,
        last_seen_at=now,
        ends_at=report.ends_at,
        resolved_at=None,
        resolved_by=None,
        incident_id=None,
        silenced=silenced,
        flapping=False,
    )


def title_of(message: str) -> str:
    """What an incident is called after the alert that opened it: the first line, at most 200 characters."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "") or "(no message)"
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def _says_the_same(one: AlertReport, other: AlertReport) -> bool:
    if one.action is not other.action:
        return False
    return one.action is not Action.FIRE or (one.severity, one.starts_at) == (other.severity, other.starts_at)
