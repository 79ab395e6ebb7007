"""`opsgraph migrate`."""

import asyncio
from typing import Annotated

import typer

from opsgraph.app import build_core
from opsgraph.cli.opened import bring_up_to_date, configured, revision_of
from opsgraph.storage.migrating import newest_revision


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if the database is behind.")] = False,
) -> None:
    """Bring the database to the newest schema.

    SQLite files are migrated on their own when the server starts; PostgreSQL is migrated by this command only.
    """
    current = asyncio.run(_check() if check else _migrate())
    if not current:
        raise typer.Exit(1)


async def _migrate() -> bool:
    core = build_core(configured())
    try:
        behind = await bring_up_to_date(core)
    finally:
        await core.close()
    typer.echo(f"the database {'was brought to' if behind else 'is at'} revision {newest_revision()}")
    return True


async def _check() -> bool:
    core = build_core(configured())
    try:
        found = await revision_of(core)
    finally:
        await core.close()
    current = found == newest_revision()
    newest = "the newest" if current else f"behind {newest_revision()}: run opsgraph migrate"
    typer.echo(f"the database is at revision {found or 'none'}, {newest}")
    return current
