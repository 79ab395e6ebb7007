"""Every table of opsgraph, for migrations, tests and whoever opens a `Database`."""

from sqlmodel import SQLModel

from opsgraph.domains.access import tables as access
from opsgraph.domains.alerts import tables as alerts
from opsgraph.domains.catalog import tables as catalog
from opsgraph.domains.cost import tables as cost
from opsgraph.domains.governance import tables as governance
from opsgraph.domains.health import tables as health
from opsgraph.domains.incidents import tables as incidents
from opsgraph.domains.readiness import tables as readiness
from opsgraph.domains.reliability import tables as reliability
from opsgraph.domains.slo import tables as slo
from opsgraph.events import tables as events
from opsgraph.storage import idempotency, pruning

TABLES = (
    access,
    alerts,
    catalog,
    cost,
    events,
    governance,
    health,
    idempotency,
    incidents,
    pruning,
    readiness,
    reliability,
    slo,
)
"""The modules that declare tables; importing them registers the tables."""

metadata = SQLModel.metadata
"""The metadata with all of them."""
