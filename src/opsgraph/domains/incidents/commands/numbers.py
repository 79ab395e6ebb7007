"""The numbers of incidents: short, counted up, for people to say aloud."""

from sqlalchemy import func, select, text

from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.transactions import Tx

_NEXT = text("SELECT nextval('incident_number') FROM generate_series(1, :count)")


async def take(tx: Tx, count: int) -> list[int]:
    """The next numbers, rising, none given twice; a rollback leaves a gap on PostgreSQL, where a sequence counts."""
    if not count:
        return []
    if tx.connection.dialect.name == "postgresql":
        return sorted((await tx.connection.execute(_NEXT, {"count": count})).scalars())
    highest = (await tx.connection.execute(select(func.coalesce(func.max(incidents.c.number), 0)))).scalar_one()
    return list(range(highest + 1, highest + count + 1))
