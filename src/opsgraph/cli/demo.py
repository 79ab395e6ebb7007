"""`opsgraph demo`."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from alembic.util import CommandError as AlembicError
from sqlalchemy import URL

from opsgraph.app import Core, build, build_core
from opsgraph.cli import serve
from opsgraph.cli.failures import CommandError
from opsgraph.cli.logs import log_as
from opsgraph.cli.opened import bring_up_to_date
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.file_marks import NotOursError, claim, empty
from opsgraph.workers.pulse import Pulse
from opsgraph.workflows import demonstration
from opsgraph.workflows.demo import company

MARK = 0x6F706764
"""Tells a demonstration's file from every other: "opgd"."""

_AGED_AFTER = timedelta(days=3)

_CRITICAL = "{ services(filter: {health: [CRITICAL]}) { nodes { name team { name } health { signals { message } } } } }"
_UNREADY = (
    "{ services(filter: {readiness: [NO_GO, CONDITIONAL_GO]}) { nodes { name "
    "readiness { decision effectiveDecision passRateShown toGo { check { name howToFix } } } } } }"
)
_BREAK = (
    'mutation { saveSlo(input: {service: "orders", name: "state-changes", current: 98}) '
    "{ ... on Slo { isMet service { name health { status points } } } } }"
)

File = Annotated[Path, typer.Option("--database", help="The SQLite file that the demonstration is kept in.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget what the file holds and start over.")]


def demo(
    host: serve.Host = "127.0.0.1",
    port: serve.Port = 8000,
    database: File = Path("opsgraph-demo.db"),
    fresh: Fresh = False,
) -> None:
    """Serve demonstration data from a database of its own, which keeps moving while it is served.

    The first start loads a made-up company into the file; later ones go on with it. OPSGRAPH_DATABASE_URL is not
    looked at, and a file that holds anything else is left alone.
    """
    path = database.absolute()
    settings = settings_for(path)
    log_as(settings)
    serve.refuse_open_door(host)
    with serve.listen(host, port) as listener:
        loaded = asyncio.run(prepare(settings, path, fresh=fresh))
        address = serve.address_of(listener)
        typer.echo(introduction(path, loaded, datetime.now(UTC)))
        serve.say_where(settings, address)
        typer.echo(suggestions(address))
        serve.answer(build(settings, extra_workers={"pulse": Pulse()}), settings, listener)


def settings_for(path: Path) -> Settings:
    """The settings that the environment names, but for those that make a demonstration; quiet unless it says otherwise.

    Raises:
        SettingsError: one of them cannot be used.
    """
    quiet = {"OPSGRAPH_LOG_LEVEL": "warning", "OPSGRAPH_LOG_FORMAT": "console"}
    fixed = {
        "OPSGRAPH_DATABASE_URL": URL.create("sqlite", database=str(path)).render_as_string(),
        "OPSGRAPH_AUTH": "auto",
        "OPSGRAPH_WORKERS": "on",
    }
    return Settings.from_environment({**quiet, **os.environ, **fixed})


async def prepare(settings: Settings, path: Path, *, fresh: bool) -> datetime:
    """See that the file holds the demonstration; gives when it was loaded.

    Raises:
        CommandError: the file holds other data, cannot be used, or was made by a newer version.
    """
    try:
        claim(path, MARK)
        if fresh:
            empty(path)
    except NotOursError as error:
        raise CommandError(f"{error}; choose another file with --database") from error
    core = build_core(settings, random_bits=Random(demonstration.SEED).getrandbits)  # noqa: S311 - ids, not secrets
    try:
        await bring_up_to_date(core)
        return await _loaded(core)
    except AlembicError as error:
        raise CommandError(f"{path} was made by another version of opsgraph: start over with --fresh") from error
    finally:
        await core.close()


def introduction(path: Path, loaded: datetime, now: datetime) -> str:
    """What this is, and where it is kept."""
    services = sum(not sample.retired for sample in company.SERVICES)
    lines = [
        f"{company.NAME} is an online shop that does not exist: {services} services of {len(company.TEAMS)} teams.",
        f"It is kept in {path}; --fresh starts over.",
    ]
    if now - loaded > _AGED_AFTER:
        lines.append(f"It was loaded {(now - loaded).days} days ago and has aged: --fresh makes it current.")
    return "\n".join(lines)


def suggestions(address: str) -> str:
    """Four things to try, which work as printed."""
    return f"""
Four things to try:
  1. Open {address}/ and watch: the cost grows, and a probe of the storefront comes and goes.
  2. Ask what is critical, and why:
     {_curl(address, _CRITICAL)}
  3. Ask what is not ready for production, and what would make it so:
     {_curl(address, _UNREADY)}
  4. Break a promise, and see orders become critical:
     {_curl(address, _BREAK)}

Ctrl-C ends it."""


async def _loaded(core: Core) -> datetime:
    """When the demonstration was loaded; that is now, if it has not been before."""
    now = core.clock.now()
    async with core.database.transaction(SYSTEM, now) as tx:
        before = await demonstration.loaded_at(tx.connection)
        if before is None:
            typer.echo("Loading the demonstration ...")
            await demonstration.load(tx)
    if before is None:
        await demonstration.judge(core.database, core.readiness, now)
    return before or now


def _curl(address: str, document: str) -> str:
    body = json.dumps({"query": document})
    return f"curl -s {address}/graphql -H 'content-type: application/json' -d '{body}'"
