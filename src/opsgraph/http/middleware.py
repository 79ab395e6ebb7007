"""What happens to every HTTP request: an id, a bounded body, security headers, and one line in the log."""

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)
_ID_HEADER = b"x-request-id"
_MOST_DROPPED = 16 * 1_048_576
_log = structlog.get_logger("opsgraph.http")

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Sent with every answer. Styles may be inline because GraphiQL's editor sets them; scripts may not."""


class RequestLog:
    """Gives each request an id, taken from or put into X-Request-ID, and logs its end with that id."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = SECURITY_HEADERS) -> None:
        self._app = app
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["type"] == "websocket":
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                await self._connected(scope, receive, send)
            return
        answered: dict[str, int] = {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered["status"] = message["status"]
                message["headers"] = self._completed(message.get("headers", ()), request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._logged(scope, receive, sending, answered)

    def _completed(self, given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
        """The headers of an answer with its id, and with those that every answer has unless it has its own."""
        headers = [header for header in given if header[0] != _ID_HEADER]
        names = {name for name, _ in headers}
        usual = [header for header in self._headers if header[0] not in names]
        return [*headers, (_ID_HEADER, request_id.encode("latin-1")), *usual]

    async def _connected(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        finally:
            _log.info("connection", path=scope["path"], seconds=round(time.perf_counter() - started, 1))

    async def _logged(self, scope: Scope, receive: Receive, send: Send, answered: Mapping[str, int]) -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        except Exception:
            _log.exception("request_failed", method=scope["method"], path=scope["path"])
            if answered:
                raise
            await _failure(scope["state"]["request_id"])(scope, receive, send)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=answered.get("status"),
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )


@dataclass(frozen=True, slots=True)
class Limit:
    """How large bodies may be, and how those who send larger ones are told.

    Attributes:
        largest: the most bytes that are accepted.
        refusal: makes the answer from one sentence and the limit.
    """

    largest: int
    refusal: Callable[[str, int], Response]


def graphql_refusal(message: str, largest: int) -> Response:
    """The answer to a large body as clients of GraphQL expect it."""
    error = {"message": message, "extensions": {"code": "LIMIT_EXCEEDED", "maximum": largest}}
    return JSONResponse({"errors": [error]}, 413)


class BodyLimit:
    """Answers 413 to a body that is too large, after reading on a while so that the sender sees the answer.

    Args:
        app: what is served.
        usual: the limit of paths that have none of their own.
        by_path: the limits of paths that begin so; the longest beginning counts.
    """

    def __init__(self, app: ASGIApp, usual: Limit, by_path: Mapping[str, Limit]) -> None:
        self._app = app
        self._usual = usual
        self._by_path = sorted(by_path.items(), key=lambda item: len(item[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request if its body is within the limit; the body is read before the application runs."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        chunks: list[Message] = []
        size = 0
        too_large = _declared_length(Headers(scope=scope)) > limit.largest
        more = True
        while more and size <= _MOST_DROPPED:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            too_large = too_large or size > limit.largest
            if not too_large:
                chunks.append(message)
        if too_large:
            await _too_large(limit)(scope, receive, send)
            return
        await self._app(scope, _replaying(chunks, receive), send)

    def _limit_of(self, path: str) -> Limit:
        return next((limit for beginning, limit in self._by_path if path.startswith(beginning)), self._usual)


def _too_large(limit: Limit) -> Response:
    response = limit.refusal(f"the body is larger than {limit.largest:,} bytes", limit.largest)
    response.headers["connection"] = "close"
    return response


def _declared_length(headers: Headers) -> int:
    """What Content-Length says, which may be a lie: the bytes are counted as well. 0 if it is not a number."""
    declared = headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        return next(waiting, None) or await receive()

    return replay


def _request_id(scope: Scope) -> str:
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == _ID_HEADER), "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)


def _failure(request_id: str) -> JSONResponse:
    message = "an unexpected error happened; it was logged with the request's id"
    extensions = {"code": "INTERNAL", "requestId": request_id}
    return JSONResponse({"errors": [{"message": message, "extensions": extensions}]}, 500)
