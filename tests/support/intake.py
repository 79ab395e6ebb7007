"""Alerts taken in as in production: through the intake, on a database that reacts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from opsgraph.app import Core, build_core
from opsgraph.domains.alerts.model import Action, Alert, AlertOutcome, AlertPolicy, AlertReport, Severity, Taken
from opsgraph.domains.alerts.queries.alerts import alert_of, alert_rows
from opsgraph.domains.alerts.tables import alerts
from opsgraph.domains.incidents.model import Incident, IncidentStatus, TransitionInput
from opsgraph.domains.incidents.queries.incidents import INCIDENT, incident_of
from opsgraph.domains.incidents.tables import incidents, timeline
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.clock import Clock
from opsgraph.settings import Settings
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.correlating import Alerting
from opsgraph.workflows.followers import Follower
from opsgraph.workflows.intake import Answer, Intake
from opsgraph.workflows.responding import move

BY = "integration:test"
PERSON = Actor("ada", frozenset({Role.RESPONDER}))


def report(number: int = 1, severity: Severity = Severity.HIGH, service: str = "api", **values: Any) -> AlertReport:
    """A report that alert `number` of a service fires; `values` as in `AlertReport`."""
    usual = {"fingerprint": f"{service}:{number}", "message": f"{service} is in trouble: {number}", "source": "generic"}
    return AlertReport(**{**usual, "service": service, "severity": severity, "reporter": BY, **values})


def resolved(number: int = 1, **values: Any) -> AlertReport:
    """A report that alert `number` of a service is over."""
    return report(number, action=Action.RESOLVE, **values)


def reports(count: int, first: int = 1, **values: Any) -> list[AlertReport]:
    """Reports of as many different alerts."""
    return [report(number, **values) for number in range(first, first + count)]


@dataclass(slots=True)
class Desk:
    """The intake of one process, and what it has led to."""

    core: Core
    intake: Intake

    async def take(self, *wanted: AlertReport) -> list[AlertOutcome]:
        """What became of reports that are sent together, all of which can be stored."""
        return [answer.outcome for answer in await self.taken(*wanted)]

    async def taken(self, *wanted: AlertReport) -> list[Taken]:
        """The same with the alerts and incidents that it concerned."""
        answers: list[Answer] = await self.intake.submit(wanted)
        assert all(isinstance(answer, Taken) for answer in answers), answers
        return [answer for answer in answers if isinstance(answer, Taken)]

    async def alerts(self) -> list[Alert]:
        """Every alert, oldest first."""
        async with self.core.database.reading() as session:
            return [alert_of(row) for row in await session.execute(alert_rows().order_by(alerts.c.id))]

    async def incidents(self) -> list[Incident]:
        """Every incident by number."""
        async with self.core.database.reading() as session:
            rows = await session.execute(select(*INCIDENT).order_by(incidents.c.number))
            return [incident_of(row) for row in rows]

    async def timeline(self, incident_id: UUID) -> list[tuple[str, str]]:
        """The types and actors of an incident's timeline, in its order."""
        query = select(timeline.c.type, timeline.c.actor).where(timeline.c.incident_id == incident_id)
        async with self.core.database.reading() as session:
            return [(row.type, row.actor) for row in await session.execute(query.order_by(timeline.c.id))]

    async def resolve(self, incident_id: UUID, by: Actor = PERSON) -> Incident:
        """A person resolves an incident."""
        async with self.core.database.transaction(by, self.core.clock.now()) as tx:
            return await move(tx, TransitionInput(incident_id), IncidentStatus.RESOLVED)

    async def counts_agree(self) -> bool:
        """Whether each incident counts the alerts that name it."""
        named = select(alerts.c.incident_id, func.count()).group_by(alerts.c.incident_id)
        async with self.core.database.reading() as session:
            counted = {row[0]: row[1] for row in await session.execute(named)}
        return all(incident.alert_count == counted.get(incident.id, 0) for incident in await self.incidents())

    def worker(self) -> WorkerContext:
        """What workers of this process have at hand."""
        return WorkerContext(self.core.database, self.core.policy, alerting=self.intake.alerting)


@asynccontextmanager
async def opened(
    settings: Settings, clock: Clock, policy: AlertPolicy | None = None, followers: Sequence[Follower] = ()
) -> AsyncIterator[Desk]:
    """One process that takes in alerts; connections are closed when the block ends."""
    core = build_core(settings, clock)
    intake = Intake(core.database, clock, Alerting(policy or AlertPolicy(), followers))
    try:
        yield Desk(core, intake)
    finally:
        await intake.close()
        await core.close()
