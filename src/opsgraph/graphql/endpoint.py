"""GraphQL over HTTP to the letter: methods, media types and status codes of the specification.

Under ``application/graphql-response+json`` a request that could not be executed answers 400 and carries no ``data``;
under ``application/json`` every well-formed request answers 200, as older clients expect.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types import ExecutionResult

from opsgraph.graphql.context import Context
from opsgraph.graphql.errors import is_internal, is_unauthenticated, presented, refused
from opsgraph.graphql.live import Live
from opsgraph.graphql.media_types import EVENT_STREAM, PLAIN_JSON, RESPONSE_JSON, negotiated, takes_streams
from opsgraph.graphql.operations import ALL, READS, executed
from opsgraph.graphql.origins import is_foreign
from opsgraph.graphql.requests import BadRequest, GraphQLRequest, read_request
from opsgraph.graphql.responses import body_of, encoded, was_executed
from opsgraph.graphql.schema import Schema
from opsgraph.graphql.sse import EventStream, StreamedAnswer
from opsgraph.graphql.streams import Delivery, Follower
from opsgraph.graphql.subscriptions import Subscription, Unacceptable, prepared
from opsgraph.kernel.refusals import Unauthenticated

_ASK_FOR_KEY = {"WWW-Authenticate": "Bearer"}


class GraphQLEndpoint:
    """The ASGI application behind ``/graphql`` for HTTP.

    Args:
        schema: what is executed.
        context_of: makes a request's context; it finds out who asks, and raises `Unauthenticated` if that is nobody.
        live: the open connections of this process.
        allowed_origins: other origins whose pages may send requests.
    """

    def __init__(
        self,
        schema: Schema,
        context_of: Callable[[Request], Awaitable[Context]],
        live: Live,
        allowed_origins: frozenset[str] = frozenset(),
    ) -> None:
        self._schema = schema
        self._context_of = context_of
        self._live = live
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        media_type = negotiated(request.headers.get("accept"))
        errors_type = media_type or RESPONSE_JSON
        try:
            answer = await self._answer(request, media_type)
        except BadRequest as bad:
            answer = _response({"errors": [bad.error()]}, bad.status, errors_type, bad.headers)
        except Unauthenticated as refusal:
            answer = _response({"errors": [refused(refusal)]}, 401, errors_type, _ASK_FOR_KEY)
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, request: Request, media_type: str | None) -> ASGIApp:
        streams = takes_streams(request.headers.get("accept"))
        if media_type is None and not streams:
            raise BadRequest(406, f"answers are {RESPONSE_JSON}, {PLAIN_JSON} or {EVENT_STREAM}")
        if is_foreign(request.headers, self._allowed_origins):
            raise BadRequest(403, "requests from pages of other origins are refused; see OPSGRAPH_CORS_ORIGINS")
        wanted = await read_request(request)
        context = await self._context_of(request)
        request_id = request.scope.get("state", {}).get("request_id")
        if streams and (stream := self._stream(request, wanted, context, request_id)) is not None:
            return stream
        result = await executed(self._schema, wanted, context, READS if request.method == "GET" else ALL)
        if media_type is None:
            body = encoded(body_of(result, request_id)).decode()
            return StreamedAnswer(self._live, lambda stream: _only(stream, body))
        return _result_response(result, media_type, request_id)

    def _stream(
        self, request: Request, wanted: GraphQLRequest, context: Context, request_id: str | None
    ) -> StreamedAnswer | None:
        """The stream of a subscription, or of what is wrong with it; None if something else was asked for."""
        try:
            found = prepared(self._schema, wanted, request.headers.get("last-event-id"))
        except Unacceptable as unacceptable:
            errors = presented(unacceptable.errors, request_id)
            return StreamedAnswer(self._live, lambda stream: stream.finish(errors))
        if found is None:
            return None
        key = context.actor.key
        return StreamedAnswer(self._live, lambda stream: self._follow(stream, found, context, request_id), key)

    def _follow(
        self, stream: EventStream, wanted: Subscription, context: Context, request_id: str | None
    ) -> Follower | None:
        try:
            return self._live.streams.follow(wanted, context, stream)
        except Unacceptable as unacceptable:
            stream.finish(presented(unacceptable.errors, request_id))
            return None


def _only(stream: EventStream, body: str) -> None:
    stream.deliver(Delivery(body, None))
    stream.finish(None)


def _result_response(result: ExecutionResult, media_type: str, request_id: str | None) -> Response:
    status = 200
    if media_type == RESPONSE_JSON and not was_executed(result):
        status = 400
    if result.errors and is_unauthenticated(result.errors):
        status = 401
    if result.errors and result.data is None and is_internal(result.errors):
        status = 500
    return _response(body_of(result, request_id), status, media_type, _ASK_FOR_KEY if status == 401 else {})


def _response(body: Mapping[str, Any], status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    return Response(encoded(body), status, dict(headers), media_type=f"{media_type}; charset=utf-8")
