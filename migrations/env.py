"""How Alembic reaches the database: the connection it is handed, else the one that the settings name."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=False,
        compare_type=True,
        transaction_per_migration=False,
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
