"""Alertmanager's API, version 2: Prometheus posts alerts here as to an Alertmanager; amtool and Grafana ask for them.

POST /api/v2/alerts              take in a batch; 200 when all of it is committed, 400 names the bad members
GET  /api/v2/alerts, /groups     what fires
GET  /api/v2/receivers, /status  what clients ask for before anything else
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsgraph.domains.alerts.formats import alertmanager
from opsgraph.domains.alerts.formats.alertmanager_views import (
    RECEIVER,
    Json,
    alert_view,
    group_views,
    status_view,
)
from opsgraph.domains.alerts.formats.matchers import read_matchers
from opsgraph.domains.alerts.model import Alert, Matcher, Refused
from opsgraph.domains.alerts.queries import ongoing, silences
from opsgraph.domains.alerts.rules import matching
from opsgraph.domains.alerts.rules.silencing import CompiledSilences, labels_seen
from opsgraph.http.guarding import Failure, Gate, Guarded, Handler
from opsgraph.http.receiving import SENDERS, Reception, parsed, reporter_of
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown
from opsgraph.storage.database import Database

MOST_SHOWN = 10_000
"""How many alerts one answer has at most, the oldest; Alertmanager's API knows no pages."""

_AT_ONCE = 2_000
_MOST_NAMED = 20
_TRUE = frozenset({"true", "1", "t", "y", "yes", "on", "ok", "enabled", "selected", "checked"})
_FALSE = frozenset({"false", "0", "f", "n", "no", "off", "disabled"})
_FLAGS = ("active", "silenced", "inhibited", "unprocessed")
_READERS = (Role.VIEWER,)
_log = structlog.get_logger("opsgraph.http")


@dataclass(frozen=True, slots=True)
class AlertmanagerApi:
    """The part of the API that is about alerts.

    Attributes:
        gate: lets in who may enter.
        reception: where alerts are handed in.
        database: what is shown comes from it.
        version: the version that clients are told.
        started: since when this process serves.
    """

    gate: Gate
    reception: Reception
    database: Database
    version: str
    started: datetime

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            _route("/api/v2/alerts", self._receive, "POST"),
            _route("/api/v2/alerts", self._alerts, "GET"),
            _route("/api/v2/alerts/groups", self._groups, "GET"),
            _route("/api/v2/receivers", self._receivers, "GET"),
            _route("/api/v2/status", self._status, "GET"),
        ]

    async def _receive(self, request: Request) -> Response:
        actor = await self.gate.enter(request, SENDERS, "sending alerts")
        reporter = reporter_of(actor, alertmanager.SOURCE)
        reports = await parsed(alertmanager.read, await request.body(), self.reception.clock.now(), reporter)
        received = await self.reception.receive(reports, actor)
        if received.refused:
            return JSONResponse(_named(received.refused, stored=len(received.taken)), 400)
        return Response()

    async def _alerts(self, request: Request) -> Response:
        found = await self._found(request)
        return JSONResponse(sorted((view for _, view in found), key=lambda view: str(view["fingerprint"])))

    async def _groups(self, request: Request) -> Response:
        return JSONResponse(group_views(await self._found(request)))

    async def _receivers(self, request: Request) -> Response:
        await self.gate.enter(request, _READERS, "reading receivers")
        return JSONResponse([{"name": RECEIVER}])

    async def _status(self, request: Request) -> Response:
        await self.gate.enter(request, _READERS, "reading the status")
        return JSONResponse(status_view(self.version, self.started))

    async def _found(self, request: Request) -> list[tuple[Alert, Json]]:
        await self.gate.enter(request, _READERS, "reading alerts")
        wanted = _Wanted.of(request.query_params)
        now = self.reception.clock.now()
        found: list[tuple[Alert, Json]] = []
        async with self.database.reading() as session:
            quiet = CompiledSilences(
                await silences.active_silences(session, now), await silences.active_windows(session, now)
            )
            batch = await ongoing.firing_alerts(session, _AT_ONCE)
            while batch and len(found) <= MOST_SHOWN:
                found += wanted.of_batch(batch, quiet, now)
                batch = await ongoing.firing_alerts(session, _AT_ONCE, batch[-1].id) if len(batch) == _AT_ONCE else []
        if len(found) > MOST_SHOWN:
            _log.warning("alerts_not_shown", shown=MOST_SHOWN)
        return found[:MOST_SHOWN]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which alerts are asked for."""

    test: matching.Test
    active: bool
    silenced: bool
    received: bool

    @classmethod
    def of(cls, parameters: QueryParams) -> "_Wanted":
        """Read the parameters of the address; everything is wanted that is not excluded.

        Nothing is ever inhibited or unprocessed here, so whether that is wanted makes no difference.
        """
        flags = {name: _flag(parameters, name) for name in _FLAGS}
        filters = [matcher for text in parameters.getlist("filter") for matcher in read_matchers(text)]
        receiver = parameters.get("receiver")
        matchers = [] if receiver is None else [Matcher("receiver", receiver, regex=True)]
        return cls(
            matching.test_of(matching.matchers(filters, "filter")),
            flags["active"],
            flags["silenced"],
            matching.test_of(matching.matchers(matchers, "receiver"))({"receiver": RECEIVER}),
        )

    def of_batch(self, batch: Sequence[Alert], quiet: CompiledSilences, now: datetime) -> list[tuple[Alert, Json]]:
        found = []
        for alert in batch if self.received else ():
            seen = labels_seen(alert.labels, alert.service_name, alert.severity)
            if self.test({"alertname": alert.message, **seen}):
                silencers = quiet.silencers(alert.labels, alert.service_name, alert.severity, now)
                if self.silenced if silencers else self.active:
                    found.append((alert, alert_view(alert, silencers)))
        return found


def told(failure: Failure) -> Response:
    """A failure as this API tells it: a JSON string."""
    return JSONResponse(failure.message, failure.status, dict(failure.headers))


def _route(path: str, handle: Handler, method: str) -> Route:
    return Route(path, Guarded(handle, told), methods=[method])


def _flag(parameters: QueryParams, name: str) -> bool:
    """A parameter that is true unless it says otherwise; an empty one says nothing."""
    value = parameters.get(name) or "true"
    if value.lower() not in _TRUE | _FALSE:
        raise Invalid(f"{name} is {shown(value)}; it takes true or false", name)
    return value.lower() in _TRUE


def _named(refused: Sequence[Refused], stored: int) -> str:
    """One line about the members that were refused."""
    named = "; ".join(f"alert {each.index}: {each.reason}" for each in refused[:_MOST_NAMED])
    more = f"; and {len(refused) - _MOST_NAMED} more" if len(refused) > _MOST_NAMED else ""
    return f"{len(refused)} alerts were refused, {stored} stored: {named}{more}"
