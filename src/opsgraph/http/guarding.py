"""What every endpoint for other systems does alike: who asks, from where, and how a failure is told.

Each format has its own shape for errors, so an endpoint brings the function that makes its answers to failures. An
answer of success is given by the endpoint alone, once everything is committed; whatever else happens is none.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opsgraph.domains.access.rules import require
from opsgraph.http.authentication import Authenticator, address_of
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Forbidden, Refusal, RefusalCode
from opsgraph.storage.failures import is_passing
from opsgraph.workflows.auditing import Act
from opsgraph.workflows.intake import Unavailable

RETRY_AFTER = {"retry-after": "5"}

_STATUSES = {
    RefusalCode.INVALID: 400,
    RefusalCode.UNAUTHENTICATED: 401,
    RefusalCode.FORBIDDEN: 403,
    RefusalCode.NOT_FOUND: 404,
    RefusalCode.CONFLICT: 409,
}
_READING = frozenset({"GET", "HEAD"})
_log = structlog.get_logger("opsgraph.http")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request was not served: the status, one sentence, further ones if there are any, and headers."""

    status: int
    message: str
    reasons: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]
Telling = Callable[[Failure], Response]
Recording = Callable[[Actor, Act, Forbidden], Awaitable[None]]
"""Has it on record that somebody was denied something."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets in who may enter.

    Attributes:
        authenticate: finds out who asks.
        allowed_origins: other origins whose pages may send requests.
        record: has it on record who was denied what; None if nobody keeps records.
    """

    authenticate: Authenticator
    allowed_origins: frozenset[str] = frozenset()
    record: Recording | None = None

    async def enter(
        self, request: Request, any_of: Collection[Role], action: str, routing_key: str | None = None
    ) -> Actor:
        """Who asks, if that is someone who may do this.

        Args:
            request: what they ask.
            any_of: the roles, any one of which will do.
            action: what it is, for messages and the audit log.
            routing_key: what stands where the request's format has a place for a key.

        Raises:
            Unauthenticated: nobody known is asking.
            Forbidden: they hold none of the roles, or the request comes from a page of another site.
        """
        self._refuse_cross_site(request)
        known = self.authenticate(request) if routing_key is None else self.authenticate.sender(request, routing_key)
        actor = await known
        try:
            require(actor, any_of, action)
        except Forbidden as refusal:
            if self.record is not None:
                await self.record(actor, Act(action, {"path": request.url.path}, address_of(request)), refusal)
            raise
        return actor

    def _refuse_cross_site(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if request.method in _READING or origin is None or origin in self.allowed_origins:
            return
        if origin.partition("://")[2] != request.headers.get("host"):
            raise Forbidden("requests from pages of other origins are refused; see OPSGRAPH_CORS_ORIGINS")


@dataclass(frozen=True, slots=True)
class Guarded:
    """An endpoint that tells of failures in its own format: what is refused, what may succeed later, and bugs.

    No exception is left for Starlette to handle, so that it is an application of its own rather than a function that
    Starlette would make one of, with a handler of exceptions around it.

    Attributes:
        handle: what is done.
        tell: makes answers of failures.
    """

    handle: Handler
    tell: Telling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive, send)
        response = await self._response(request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        try:
            return await self.handle(request)
        except Refusal as refusal:
            return self.tell(_refused(refusal))
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender learns in its own terms that it failed
            return self.tell(_failed(request, error))


def _failed(request: Request, error: Exception) -> Failure:
    if isinstance(error, Unavailable) or is_passing(error):
        return Failure(503, "the database is away, or there is too much to do; try again soon", headers=RETRY_AFTER)
    _log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return Failure(500, "an unexpected error happened; it was logged with the request's id")


def _refused(refusal: Refusal) -> Failure:
    headers = {"www-authenticate": "Bearer"} if refusal.code is RefusalCode.UNAUTHENTICATED else {}
    reasons = (refusal.details or {}).get("errors")
    return Failure(
        _STATUSES[refusal.code], refusal.message, tuple(reasons) if isinstance(reasons, list) else (), headers
    )
