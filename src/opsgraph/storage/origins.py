"""Names and origins of tables that catalogs are imported into: columns `name`, `name_key` and `origin`."""

from collections.abc import Collection

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.text import name_key
from opsgraph.storage.writing import in_chunks

_AT_ONCE = 5_000


async def origins_by_name(
    session: AsyncConnection, table: Table, names: Collection[str], origins: Collection[str]
) -> dict[str, str | None]:
    """The origin, or None, of each row that has one of the names (in any case) or one of the origins, by its name."""
    found: dict[str, str | None] = {}
    keys = {name_key(name) for name in names}
    for column, values in ((table.c.name_key, keys), (table.c.origin, set(origins))):
        for chunk in in_chunks(sorted(values), _AT_ONCE):
            rows = await session.execute(select(table.c.name, table.c.origin).where(column.in_(chunk)))
            found.update((row.name, row.origin) for row in rows)
    return found
