"""Probes for whoever keeps the process running: alive, and ready to serve."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse

from opsgraph.storage.database import Database
from opsgraph.storage.migrating import current_revision, newest_revision

READY_WITHIN_SECONDS = 3.0

Probe = Callable[[Request], Awaitable[JSONResponse]]


async def alive(_request: Request) -> JSONResponse:
    """200 for as long as the process answers at all; it does not look at the database."""
    return JSONResponse({"status": "alive"})


def readiness(database: Database) -> Probe:
    """The probe that answers 200 when the database is reachable and current, else 503 with the reason."""

    async def ready(_request: Request) -> JSONResponse:
        reason = await unready_reason(database)
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "unready", "reason": reason}, 503, headers={"retry-after": "5"})

    return ready


async def unready_reason(database: Database) -> str | None:
    """Why requests cannot be served now; None when they can."""
    if await _file_is_gone(database):
        return "the database file does not exist"
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS), database.reading() as session:
            revision = await current_revision(session)
    except TimeoutError:
        return "the database did not answer in time"
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the answer is the same
        return f"the database cannot be reached: {type(error).__name__}"
    if revision != newest_revision():
        return f"the database is at revision {revision or 'none'}, not {newest_revision()}: run opsgraph migrate"
    return None


async def _file_is_gone(database: Database) -> bool:
    # Connections from before its removal would still answer, and a new one would make an empty file in its place.
    return database.is_sqlite and not await asyncio.to_thread(Path(str(database.url.database)).exists)
