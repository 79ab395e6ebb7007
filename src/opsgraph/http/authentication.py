"""Who a request comes from."""

import base64
import re
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from opsgraph.domains.access.model import USE_NOTED_EVERY
from opsgraph.domains.access.rules import looks_like_routing_key, looks_like_secret, refused_because
from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.refusals import Unauthenticated
from opsgraph.kernel.text import shown
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workflows.keys import Known, known_by_routing_key, known_by_secret

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]+))(?::\d{0,5})?", re.ASCII | re.IGNORECASE)
"""A Host header: an IPv6 address in brackets, or a name or another address, and a port."""

_log = structlog.get_logger("opsgraph.http")


class Authenticator:
    """Finds the actor of a request.

    Whoever presents a key acts under its name. Without one, under `auto`, whoever reaches a server from its own
    machine, by a name of that machine, acts as `local` with every role; under `required`, nobody is known.

    Each request looks its key up, so that one that is revoked is refused from then on, by every process.

    Args:
        settings: whether a key is required.
        database: where keys are.
        clock: where the present comes from.
        used: where it is noted when which key was used, for others to store.
    """

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, used: dict[UUID, datetime] | None = None
    ) -> None:
        self._required = settings.auth == "required"
        self._database = database
        self._clock = clock
        self._used = {} if used is None else used

    async def __call__(self, request: HTTPConnection) -> Actor:
        """The actor of this request.

        Raises:
            Unauthenticated: authentication is required and there is no key; the key is unknown, revoked or expired; or
                the server was called from elsewhere, or by a name that could be anybody's.
        """
        secret = presented_key(request.headers)
        if secret is not None:
            known = await self._known(secret) if looks_like_secret(secret) else None
            return self._let_in(known, "the key in Authorization is not known here")
        if self._required:
            raise Unauthenticated("this server asks for a key: send Authorization: Bearer <key>")
        _refuse_other_machines(address_of(request))
        _refuse_foreign_name(request.headers.get("host", ""))
        return LOCAL

    async def sender(self, request: HTTPConnection, routing_key: str) -> Actor:
        """The actor of a request whose format has a place for a key, such as PagerDuty's routing key.

        A key in the headers wins. A routing key that nobody issued counts as none.

        Raises:
            Unauthenticated: as above, or the key that has this routing key is revoked or expired.
        """
        if presented_key(request.headers) is None and looks_like_routing_key(routing_key):
            async with self._database.reading() as session:
                known = await known_by_routing_key(session, routing_key)
            if known is not None:
                return self._let_in(known, "the routing key is not known here")
        return await self(request)

    async def _known(self, secret: str) -> Known | None:
        async with self._database.reading() as session:
            return await known_by_secret(session, secret)

    def _let_in(self, known: Known | None, refusal: str) -> Actor:
        # Whoever has no good key gets to hear nothing about it; the log has the reason.
        now = self._clock.now()
        if known is None:
            raise Unauthenticated(refusal)
        if reason := refused_because(known.key, now):
            _log.info("key_refused", key=known.key.name, reason=reason)
            raise Unauthenticated(refusal)
        noted = known.key.last_used_at
        if noted is None or now - noted >= USE_NOTED_EVERY:
            self._used[known.key.id] = now
        return known.actor


def address_of(connection: HTTPConnection) -> str | None:
    """The network address that a request comes from; None where the connection has none."""
    return connection.client.host if connection.client else None


def presented_key(headers: Headers) -> str | None:
    """The key that a request presents: a bearer token, or the password of basic authentication.

    Alertmanager, Prometheus and Grafana can be told to send either. None without the header; "" if it holds no key.
    """
    given = headers.get("authorization")
    if not given:
        return None
    scheme, _, value = given.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return _password(value.strip()) if scheme.lower() == "basic" else ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


@lru_cache(maxsize=256)  # asked for each request, mostly about the same few
def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is nothing but the machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _refuse_other_machines(address: str | None) -> None:
    # A proxy on this machine says whom it asks for: that it is here itself makes nobody behind it local.
    if address is not None and not is_loopback(address):
        raise Unauthenticated(f"without keys this server is for its own machine, and {shown(address)} is another")


def _refuse_foreign_name(header: str) -> None:
    # The owner of a web site can let its name lead to 127.0.0.1: to a visitor's browser, requests from the site's pages
    # to a server there are then requests to the site itself. Only the name in the Host header gives them away.
    match = _HOST.fullmatch(header)
    if match is None or not is_loopback(match[1] or match[2]):
        raise Unauthenticated(
            f"without keys this server is for its own machine: ask it as localhost or 127.0.0.1, not as {shown(header)}"
        )
