"""What endpoints for alerts are tested with: their paths, what is stored, and an intake that fails."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from opsgraph.domains.alerts.model import Alert, AlertReport, Refused, Taken
from opsgraph.domains.alerts.queries.alerts import alert_of, alert_rows
from opsgraph.domains.alerts.tables import alerts
from opsgraph.http.authentication import Authenticator
from opsgraph.http.guarding import Gate
from opsgraph.http.inbound import inbound_routes
from opsgraph.http.receiving import Reception, Submitting
from tests.support.api import AnyActor, Api
from tests.support.inbound import labelled, notification, notified, own, trigger

ALERTS = "/api/v2/alerts"
WEBHOOK = "/webhooks/alertmanager"
GRAFANA = "/webhooks/grafana"
GENERIC = "/webhooks/alerts"
ENQUEUE = "/v2/enqueue"

GOOD: Mapping[str, Any] = {
    ALERTS: [labelled()],
    WEBHOOK: notification(notified()),
    GRAFANA: notification(notified()),
    GENERIC: own(),
    ENQUEUE: trigger(),
}
"""For each endpoint a body that it accepts."""


@dataclass(frozen=True, slots=True)
class Failing:
    """An intake that fails in the way that a test chooses."""

    error: Exception

    async def submit(self, reports: Sequence[AlertReport]) -> list[Taken | Refused]:  # noqa: ARG002 - as the real one
        """Nothing is stored."""
        raise self.error


@dataclass(frozen=True, slots=True)
class Choosy:
    """An intake that cannot store the first report of a batch."""

    intake: Submitting

    async def submit(self, reports: Sequence[AlertReport]) -> Sequence[Taken | Refused]:
        """The others are stored."""
        return [Refused(0, "the database does not take this alert"), *await self.intake.submit(reports[1:])]


@asynccontextmanager
async def handing_to(
    intake: Submitting, api: Api, authenticate: Authenticator | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the endpoints alone, in front of another intake, or with another authentication."""
    gate = Gate(authenticate or AnyActor())
    app = Starlette(routes=inbound_routes(gate, Reception(intake, api.core.clock), api.core.database, str))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://opsgraph.test") as http:
        yield http


async def stored(api: Api) -> list[Alert]:
    """Every alert that is stored, oldest first."""
    async with api.core.database.reading() as session:
        return [alert_of(row) for row in await session.execute(alert_rows().order_by(alerts.c.id))]
