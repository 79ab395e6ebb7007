"""How Alembic reaches the database: the connection it is handed, else the one that the settings name."""

import asyncio
import os
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.columns import Amount, Instant
from opsgraph.storage.database import Database

_PLAIN = {
    "AutoString": "sa.String()",
    Instant.__name__: "sa.DateTime(timezone=True)",
    Amount.__name__: 'sa.Text().with_variant(sa.Numeric(38, 18), "postgresql")',
}


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our column types as plain ones: a migration says what the database gets, whatever the code becomes."""
    return _PLAIN.get(type(item).__name__, False) if kind == "type" else False


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, render_item=_render, compare_type=True, render_as_batch=False
    )
    with context.begin_transaction():
        context.run_migrations()


async def _migrate_configured_database() -> None:
    database = Database(Settings.from_environment(os.environ))
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(writing=True)
        async with connection.begin():
            await connection.run_sync(_migrate)
    await database.close()


if handed := context.config.attributes.get("connection"):
    _migrate(handed)
else:
    asyncio.run(_migrate_configured_database())
