"""Asking the API that is built on the database at hand, without any server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from opsgraph.cli.failures import CommandError
from opsgraph.cli.opened import configured, opened
from opsgraph.cli.servers import Ask
from opsgraph.graphql.context import Context
from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.actor import LOCAL


@asynccontextmanager
async def database_asked() -> AsyncIterator[Ask]:
    """What runs operations on the database that the settings name, as whoever may do everything.

    Raises:
        CommandError: the database is not ready.
    """
    settings = configured()
    schema = build_schema(settings)
    async with opened(settings) as core:

        async def asked(document: str, **variables: Any) -> dict[str, Any]:
            context = Context(
                core.database, LOCAL, core.clock, settings, core.feed, core.intake, readiness=core.readiness
            )
            result = await schema.execute(document, variable_values=variables, context_value=context)
            await context.close()
            if result.errors:
                raise result.errors[0].original_error or CommandError(result.errors[0].message)
            return result.data or {}

        yield asked
