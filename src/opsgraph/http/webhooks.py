"""Webhooks that take in alerts: from scripts, from Alertmanager and from Grafana.

    POST      /webhooks/alerts
    POST      /webhooks/alertmanager
    POST, PUT /webhooks/grafana

Answered once what could be stored is committed: 200 with what became of each alert, 400 with the same and the reasons
where some were refused.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsgraph.domains.alerts.formats import alertmanager_webhook, generic, grafana
from opsgraph.domains.alerts.model import Reports
from opsgraph.domains.incidents.queries.incidents import incidents_by_id
from opsgraph.http.guarding import Failure, Gate, Guarded
from opsgraph.http.receiving import SENDERS, Received, Reception, parsed, reporter_of
from opsgraph.kernel.refusals import Unauthenticated
from opsgraph.storage.database import Database

Reading = Callable[[bytes, datetime, str], Reports]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The endpoints.

    Attributes:
        gate: lets in who may enter.
        reception: where alerts are handed in.
        database: tells the numbers of incidents.
        alert_id: the public id of an alert.
        grafana_secret: what Grafana signs its notifications with; empty if it does not.
    """

    gate: Gate
    reception: Reception
    database: Database
    alert_id: Callable[[UUID], str]
    grafana_secret: str = ""

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            self._route("/webhooks/alerts", generic.SOURCE, generic.read, "POST"),
            self._route("/webhooks/alertmanager", alertmanager_webhook.SOURCE, alertmanager_webhook.read, "POST"),
            self._route("/webhooks/grafana", grafana.SOURCE, grafana.read, "POST", "PUT"),
        ]

    def _route(self, path: str, source: str, read: Reading, *methods: str) -> Route:
        async def receive(request: Request) -> Response:
            actor = await self.gate.enter(request, SENDERS, "sending alerts")
            body = await request.body()
            if source == grafana.SOURCE:
                self._check_signature(request, body)
            reports = await parsed(read, body, self.reception.clock.now(), reporter_of(actor, source))
            return await self._answer(reports, await self.reception.receive(reports, actor))

        return Route(path, Guarded(receive, told), methods=list(methods))

    def _check_signature(self, request: Request, body: bytes) -> None:
        if not self.grafana_secret:
            return
        signature = request.headers.get("x-grafana-alerting-signature", "")
        timestamp = request.headers.get("x-grafana-alerting-timestamp")
        if not grafana.is_signed(body, self.grafana_secret, signature, timestamp):
            raise Unauthenticated("X-Grafana-Alerting-Signature does not fit: sign with OPSGRAPH_GRAFANA_SECRET")

    async def _answer(self, reports: Reports, received: Received) -> Response:
        numbers = await self._numbers({taken.incident_id for _, taken in received.taken if taken.incident_id})
        body: dict[str, Any] = {
            "accepted": len(received.taken),
            "results": [
                {
                    "index": index,
                    "outcome": taken.outcome.value,
                    "alertId": taken.alert_id and self.alert_id(taken.alert_id),
                    "incidentNumber": taken.incident_id and numbers.get(taken.incident_id),
                }
                for index, taken in received.taken
            ],
            "refused": [{"index": each.index, "reason": each.reason} for each in received.refused],
        }
        if reports.warnings:
            body["warnings"] = reports.warnings
        return JSONResponse(body, 400 if received.refused else 200)

    async def _numbers(self, ids: Collection[UUID]) -> Mapping[UUID, int]:
        if not ids:
            return {}
        async with self.database.reading() as session:
            return {id_: found.number for id_, found in (await incidents_by_id(session, ids)).items()}


def told(failure: Failure) -> Response:
    """A failure of the whole request: no alert of it was looked at, or none is known to be stored."""
    body = {"accepted": 0, "results": [], "refused": [], "error": failure.message}
    return JSONResponse(body, failure.status, dict(failure.headers))
