"""The endpoints of other systems' formats, all of them, and how large their bodies may be."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from uuid import UUID

from starlette.responses import Response
from starlette.routing import Route

from opsgraph.http import alertmanager, pagerduty, webhooks
from opsgraph.http.alertmanager import AlertmanagerApi
from opsgraph.http.alertmanager_silences import SilencesApi
from opsgraph.http.guarding import Failure, Gate, Telling
from opsgraph.http.middleware import Limit
from opsgraph.http.pagerduty import PagerDutyApi
from opsgraph.http.receiving import Reception
from opsgraph.http.webhooks import Webhooks
from opsgraph.storage.database import Database

EVENT_BYTES = 512 * 1_024
"""How large an event of PagerDuty's API may be; its own limit."""

BATCH_BYTES = 8 * 1_048_576
"""How large a batch of alerts may be."""


def inbound_routes(
    gate: Gate, reception: Reception, database: Database, alert_id: Callable[[UUID], str], grafana_secret: str = ""
) -> list[Route]:
    """Every endpoint that takes in alerts, and those that clients of the same formats need beside it.

    Args:
        gate: lets in who may enter.
        reception: where alerts are handed in.
        database: what is shown comes from it, and silences go there.
        alert_id: the public id of an alert.
        grafana_secret: what Grafana signs its notifications with; empty if it does not.
    """
    clock = reception.clock
    return [
        *AlertmanagerApi(gate, reception, database, version("opsgraph"), clock.now()).routes(),
        *SilencesApi(gate, database, clock).routes(),
        *Webhooks(gate, reception, database, alert_id, grafana_secret).routes(),
        *PagerDutyApi(gate, reception).routes(),
    ]


def inbound_limits() -> Mapping[str, Limit]:
    """The limits of these endpoints' bodies by the beginning of their paths, each told in the format's own shape."""
    return {
        "/api/v2/": Limit(BATCH_BYTES, _told(alertmanager.told)),
        "/webhooks/": Limit(BATCH_BYTES, _told(webhooks.told)),
        "/v2/enqueue": Limit(EVENT_BYTES, _told(pagerduty.told)),
    }


def _told(tell: Telling) -> Callable[[str, int], Response]:
    return lambda message, _largest: tell(Failure(413, message))
