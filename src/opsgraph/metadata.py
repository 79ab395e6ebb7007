"""Every table of opsgraph, for migrations, tests and whoever opens a `Database`."""

from sqlmodel import SQLModel

from opsgraph.domains.access import tables as access
from opsgraph.domains.catalog import tables as catalog
from opsgraph.storage import idempotency

TABLES = (access, catalog, idempotency)
"""The modules that declare tables; importing them registers the tables."""

metadata = SQLModel.metadata
"""The metadata with all of them."""
