"""`opsgraph serve`."""

import asyncio
import signal
import socket
import sys
from dataclasses import replace
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from opsgraph.app import build
from opsgraph.cli.failures import CommandError
from opsgraph.cli.logs import log_as
from opsgraph.cli.opened import configured, is_unmade, opened
from opsgraph.cli.transports import HttpProtocol, Server, WebSocketProtocol
from opsgraph.domains.access.queries import has_good_key
from opsgraph.http.authentication import is_loopback
from opsgraph.settings import Settings

_PING_SECONDS = 20.0
"""How often a WebSocket's client is asked whether it is there, and how long it has to answer."""

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")]


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API, the pages and, unless OPSGRAPH_WORKERS=off, the workers.

    Other machines can reach it once somebody has a key: see `opsgraph keys create`.

    The database is OPSGRAPH_DATABASE_URL, by default the SQLite file opsgraph.db here, which is made and migrated if
    need be. Every setting is an environment variable; docs/settings.md lists them all with their defaults.
    """
    run(configured(), host, port)


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it; says first where.

    Raises:
        CommandError: the address cannot be listened on, needs authentication, or the database is not ready.
    """
    log_as(settings)
    settings = asyncio.run(_ready(settings, host))
    with listen(host, port) as listener:
        say_where(settings, address_of(listener))
        answer(build(settings), settings, listener)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in it until they are answered.

    Raises:
        CommandError: the address is not one of this machine, or something else listens on it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:  # the latter where no name can be what was given
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from error


def address_of(listener: socket.socket) -> str:
    """The web address of what listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def say_where(settings: Settings, address: str) -> None:
    """Print where to look."""
    typer.echo(f"opsgraph serves {address}")
    typer.echo(f"  pages     {address}/")
    typer.echo(f"  GraphQL   {address}/graphql")
    if settings.graphiql == "on":
        typer.echo(f"  GraphiQL  {address}/graphiql")


def answer(app: Starlette, settings: Settings, listener: socket.socket) -> None:
    """Answer requests until a signal ends it, which is no failure: the process may exit with 0.

    Raises:
        CommandError: the server could not start.
    """
    # The server raises the signal that ended it once more when all is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = server_of(app, settings)
    server.run(sockets=[listener])
    if not server.started:
        raise CommandError("the server could not start; the log says why")


def server_of(app: Starlette, settings: Settings) -> Server:
    """What answers requests to an application whose `state.live` has its open connections."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_seconds,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,  # a message for a thousand clients would be packed a thousand times
    )
    return Server(config, app.state.live)


def refuse_open_door(host: str) -> None:
    """Without authentication only this machine may reach the server.

    Raises:
        CommandError: the address is reachable from elsewhere.
    """
    if not is_loopback(host):
        raise CommandError(
            f"{host} can be reached from other machines and no authentication is configured: "
            "make a key with `opsgraph keys create`, or listen on 127.0.0.1"
        )


async def _ready(settings: Settings, host: str) -> Settings:
    """See that the database is ready; gives the settings to serve with: to other machines, by keys alone.

    Raises:
        CommandError: the database is not ready, or other machines can reach the address and nobody has a key.
    """
    if is_unmade(settings):
        refuse_open_door(host)  # before anything is made
    async with opened(settings) as core, core.database.reading() as session:
        if is_loopback(host):
            return settings
        if not await has_good_key(session, core.clock.now()):
            refuse_open_door(host)
    return replace(settings, auth="required")
