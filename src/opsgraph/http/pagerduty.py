"""PagerDuty's Events API, version 2: whatever can page PagerDuty can page opsgraph.

POST /v2/enqueue
"""

from dataclasses import dataclass
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsgraph.domains.alerts.formats import pagerduty
from opsgraph.domains.alerts.model import Reports
from opsgraph.http.guarding import Failure, Gate, Guarded
from opsgraph.http.receiving import SENDERS, Reception, reporter_of
from opsgraph.kernel.refusals import Invalid

_STATUSES = {400: "invalid event", 413: "invalid event"}


@dataclass(frozen=True, slots=True)
class PagerDutyApi:
    """The endpoint.

    The routing key is the credential of this format, and it is in the body: it stands for the key that it is a part of.
    Whoever may send alerts by other means may use any; it scopes the dedup keys.

    Attributes:
        gate: lets in who may enter.
        reception: where alerts are handed in.
    """

    gate: Gate
    reception: Reception

    def routes(self) -> list[Route]:
        """The endpoint."""
        return [Route("/v2/enqueue", Guarded(self._enqueue, told), methods=["POST"])]

    async def _enqueue(self, request: Request) -> Response:
        body = await request.body()
        actor = await self.gate.enter(request, SENDERS, "sending alerts", pagerduty.routing_key_of(body))
        event = pagerduty.read(body, reporter_of(actor, pagerduty.SOURCE), uuid4().hex, actor.service)
        received = await self.reception.receive(Reports([(0, event.report)]), actor)
        if received.refused:
            raise Invalid("Event object is invalid", details={"errors": [each.reason for each in received.refused]})
        answer = {"status": "success", "message": "Event processed", "dedup_key": event.dedup_key}
        return JSONResponse(answer, 202)


def told(failure: Failure) -> Response:
    """A failure as this API tells it: a status in words, a message, and the errors one by one."""
    body = {
        "status": _STATUSES.get(failure.status, "error"),
        "message": failure.message,
        "errors": list(failure.reasons or (failure.message,)),
    }
    return JSONResponse(body, failure.status, dict(failure.headers))
