"""The only place that wires parts together."""

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.routing import Route

from opsgraph import metadata  # noqa: F401 - whoever opens a database needs every table registered
from opsgraph.events.feed import Feed
from opsgraph.events.log import EventLog
from opsgraph.graphql.context import Context
from opsgraph.graphql.endpoint import GraphQLEndpoint
from opsgraph.graphql.schema import build_schema
from opsgraph.http.authentication import Authenticator
from opsgraph.http.middleware import BodyLimit, RequestLog
from opsgraph.http.probes import alive, readiness
from opsgraph.kernel.clock import Clock, SystemClock
from opsgraph.kernel.ids import RandomBits
from opsgraph.kernel.money import CURRENCIES
from opsgraph.settings import Settings, SettingsError
from opsgraph.storage.database import Database
from opsgraph.web.routes import page_routes
from opsgraph.workers.evaluate import Tick, WorkerContext
from opsgraph.workers.running import running, usual_workers
from opsgraph.workflows.health import HealthPolicy
from opsgraph.workflows.reactions import reacting
from opsgraph.workflows.retention import Retention
from opsgraph.workflows.subsystems import installed_subsystems


@dataclass(frozen=True, slots=True)
class Core:
    """opsgraph without an edge: what the command line works with, and what the server is built on."""

    settings: Settings
    clock: Clock
    policy: HealthPolicy
    database: Database
    feed: Feed

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()


def build_core(settings: Settings, clock: Clock | None = None, random_bits: RandomBits | None = None) -> Core:
    """The database with everything that reacts to its events.

    Args:
        settings: how opsgraph is configured.
        clock: where the present comes from; the machine's clock if left out.
        random_bits: where ids get their randomness; the system's source if left out.

    Raises:
        SettingsError: the database's address or the currency cannot be used.
    """
    if settings.currency not in CURRENCIES:
        raise SettingsError(f"OPSGRAPH_CURRENCY takes an ISO 4217 code such as USD, not {settings.currency!r}")
    policy = HealthPolicy(installed_subsystems(), settings.currency, timedelta(seconds=settings.evaluate_seconds))
    database = Database(settings, reacting(policy), random_bits, EventLog())
    return Core(settings, clock or SystemClock(), policy, database, Feed(database))


def build(
    settings: Settings,
    clock: Clock | None = None,
    authenticate: Authenticator | None = None,
    extra_workers: Mapping[str, Tick] | None = None,
) -> Starlette:
    """The whole server as an ASGI application.

    Args:
        settings: how opsgraph is configured.
        clock: where the present comes from; the machine's clock if left out.
        authenticate: finds out who asks; by the settings if left out.
        extra_workers: what works in the background beside the usual workers, by name.
    """
    core = build_core(settings, clock)
    app = Starlette(
        routes=[
            Route("/graphql", _endpoint(core, authenticate or Authenticator(settings))),
            Route("/health", alive),
            Route("/health/ready", readiness(core.database)),
            *page_routes(graphiql=settings.graphiql == "on"),
        ],
        middleware=_middleware(settings),
        lifespan=lambda _app: _lifespan(core, {**usual_workers(), **(extra_workers or {})}),
    )
    app.state.core = core
    return app


def _endpoint(core: Core, authenticate: Authenticator) -> GraphQLEndpoint:
    async def context_of(request: Request) -> Context:
        return Context(core.database, await authenticate(request), core.clock, core.settings)

    return GraphQLEndpoint(build_schema(core.settings), context_of, _origins(core.settings))


def _middleware(settings: Settings) -> list[Middleware]:
    cors = Middleware(
        CORSMiddleware,
        allow_origins=sorted(_origins(settings)),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-request-id"],
        expose_headers=["x-request-id"],
    )
    return [
        Middleware(RequestLog),
        *([cors] if _origins(settings) else []),
        Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=5),
        Middleware(BodyLimit, largest=settings.max_body_bytes),
    ]


def _origins(settings: Settings) -> frozenset[str]:
    return frozenset(origin.strip() for origin in settings.cors_origins.split(",") if origin.strip())


@asynccontextmanager
async def _lifespan(core: Core, workers: Mapping[str, Tick]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(core.close)
        await stack.enter_async_context(core.feed.running())
        if core.settings.workers == "on":
            retention = Retention(events=timedelta(days=core.settings.retention_events_days))
            context = WorkerContext(core.database, core.policy, retention)
            await stack.enter_async_context(running(context, core.clock, workers))
        # What start-up made lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        yield
