"""The only place that wires parts together."""

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route, WebSocketRoute

from opsgraph import metadata  # noqa: F401 - whoever opens a database needs every table registered
from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.events.feed import Feed
from opsgraph.events.log import EventLog
from opsgraph.graphql.context import Context
from opsgraph.graphql.endpoint import GraphQLEndpoint
from opsgraph.graphql.live import Live
from opsgraph.graphql.nodes import global_id
from opsgraph.graphql.schema import build_schema
from opsgraph.graphql.socket import SocketEndpoint
from opsgraph.http.authentication import Authenticator, address_of
from opsgraph.http.guarding import Gate
from opsgraph.http.inbound import inbound_limits, inbound_routes
from opsgraph.http.middleware import BodyLimit, Limit, RequestLog, graphql_refusal
from opsgraph.http.probes import alive, readiness
from opsgraph.http.receiving import Reception
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.clock import Clock, SystemClock
from opsgraph.kernel.ids import RandomBits
from opsgraph.kernel.money import CURRENCIES
from opsgraph.kernel.refusals import Forbidden
from opsgraph.settings import Settings, SettingsError
from opsgraph.storage.database import Database
from opsgraph.web.routes import page_routes
from opsgraph.workers.evaluate import Tick, WorkerContext
from opsgraph.workers.keys import Keys
from opsgraph.workers.running import running, usual_workers
from opsgraph.workflows.auditing import Act, record_refused
from opsgraph.workflows.correlating import alerting_of
from opsgraph.workflows.health import HealthPolicy
from opsgraph.workflows.intake import Intake
from opsgraph.workflows.reactions import reacting
from opsgraph.workflows.readiness.evaluating import Readiness
from opsgraph.workflows.retention import Retention
from opsgraph.workflows.subsystems import installed_subsystems

_UNCOMPRESSED = ("text/event-stream", "image/png", "font/woff2")
"""What is compressed already, or must not wait to be; the middleware's own list is longer, and read for each answer."""

_MADE_BETWEEN_COLLECTIONS = 20_000
"""How many objects are made until the youngest are looked through for garbage; requests make many that live shortly."""


@dataclass(frozen=True, slots=True)
class Core:
    """opsgraph without an edge: what the command line works with, and what the server is built on."""

    settings: Settings
    clock: Clock
    policy: HealthPolicy
    database: Database
    feed: Feed
    intake: Intake
    sandbox: Sandbox
    readiness: Readiness

    async def close(self) -> None:
        """Answer what was submitted, and end every process and connection."""
        await self.intake.close()
        await self.sandbox.close()
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
    told = clock or SystemClock()
    sandbox, every = Sandbox(), timedelta(seconds=settings.readiness_seconds)
    return Core(
        settings=settings,
        clock=told,
        policy=policy,
        database=database,
        feed=Feed(database),
        intake=Intake(database, told, alerting_of(settings)),
        sandbox=sandbox,
        readiness=Readiness(database, told, sandbox, settings.currency, every),
    )


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
    used: dict[UUID, datetime] = {}
    authenticate = authenticate or Authenticator(settings, core.database, core.clock, used)
    live = Live(settings.max_connections)
    workers = {**usual_workers(), **(extra_workers or {})} if settings.workers == "on" else {}
    app = Starlette(
        routes=[
            *_graphql(core, live, authenticate),
            *_inbound(core, authenticate),
            Route("/health", alive),
            Route("/health/ready", readiness(core.database)),
            *page_routes(graphiql=settings.graphiql == "on"),
        ],
        middleware=_middleware(settings),
        lifespan=lambda _app: _lifespan(core, live, {"keys": Keys(used, live.keys, live.end), **workers}),
    )
    app.state.core = core
    app.state.live = live
    return app


def _graphql(core: Core, live: Live, authenticate: Authenticator) -> list[BaseRoute]:
    async def context_of(connection: HTTPConnection) -> Context:
        return Context(
            core.database,
            await authenticate(connection),
            core.clock,
            core.settings,
            core.feed,
            core.intake,
            address=address_of(connection),
            readiness=core.readiness,
        )

    schema, origins = build_schema(core.settings), _origins(core.settings)
    return [
        Route("/graphql", GraphQLEndpoint(schema, context_of, live, origins)),
        WebSocketRoute("/graphql", SocketEndpoint(schema, context_of, live, origins)),
    ]


def _inbound(core: Core, authenticate: Authenticator) -> list[Route]:
    async def record(actor: Actor, act: Act, refusal: Forbidden) -> None:
        await record_refused(core.database, actor, core.clock.now(), act, refusal.code, refusal.message)

    gate = Gate(authenticate, _origins(core.settings), record)
    reception = Reception(core.intake, core.clock)
    alert_id = partial(global_id, "Alert")
    return inbound_routes(gate, reception, core.database, alert_id, core.settings.grafana_secret)


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
        Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=5, exclude_content_types=_UNCOMPRESSED),
        Middleware(BodyLimit, usual=Limit(settings.max_body_bytes, graphql_refusal), by_path=inbound_limits()),
    ]


def _origins(settings: Settings) -> frozenset[str]:
    return frozenset(origin.strip() for origin in settings.cors_origins.split(",") if origin.strip())


@asynccontextmanager
async def _lifespan(core: Core, live: Live, workers: Mapping[str, Tick]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(core.close)
        await stack.enter_async_context(core.feed.running())
        stack.push_async_callback(live.close)
        await stack.enter_async_context(running(_worker_context(core), core.clock, workers))
        # What start-up made lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_MADE_BETWEEN_COLLECTIONS)
        yield


def _worker_context(core: Core) -> WorkerContext:
    retention = Retention(
        events=timedelta(days=core.settings.retention_events_days),
        audit=timedelta(days=core.settings.retention_audit_days),
        readiness=timedelta(days=core.settings.retention_readiness_days),
    )
    return WorkerContext(core.database, core.policy, retention, core.intake.alerting, core.readiness)
