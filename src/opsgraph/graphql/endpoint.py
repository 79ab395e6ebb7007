"""GraphQL over HTTP to the letter: methods, media types and status codes of the specification.

Under ``application/graphql-response+json`` a request that could not be executed answers 400 and carries no ``data``;
under ``application/json`` every well-formed request answers 200, as older clients expect.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import strawberry
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from opsgraph.graphql.context import Context
from opsgraph.graphql.errors import is_internal, is_unauthenticated, presented, refused
from opsgraph.graphql.media_types import PLAIN_JSON, RESPONSE_JSON, negotiated
from opsgraph.graphql.requests import BadRequest, GraphQLRequest, read_request
from opsgraph.kernel.refusals import Unauthenticated

_READS = frozenset({OperationType.QUERY})
_ALL = frozenset({OperationType.QUERY, OperationType.MUTATION})
_ASK_FOR_KEY = {"WWW-Authenticate": "Bearer"}


class GraphQLEndpoint:
    """The ASGI application behind ``/graphql`` for HTTP.

    Args:
        schema: what is executed.
        context_of: makes a request's context; it finds out who asks, and raises `Unauthenticated` if that is nobody.
        allowed_origins: other origins whose pages may send requests.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_of: Callable[[Request], Awaitable[Context]],
        allowed_origins: frozenset[str] = frozenset(),
    ) -> None:
        self._schema = schema
        self._context_of = context_of
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        media_type = negotiated(request.headers.get("accept"))
        try:
            response = await self._answer(request, media_type)
        except BadRequest as bad:
            body = {"errors": [{"message": bad.message, "extensions": {"code": "BAD_INPUT"}}]}
            response = _response(body, bad.status, media_type or RESPONSE_JSON, bad.headers)
        except Unauthenticated as refusal:
            response = _response({"errors": [refused(refusal)]}, 401, media_type or RESPONSE_JSON, _ASK_FOR_KEY)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str | None) -> Response:
        if media_type is None:
            raise BadRequest(406, f"answers are {RESPONSE_JSON} or {PLAIN_JSON}")
        self._refuse_cross_site(request)
        wanted = await read_request(request)
        context = await self._context_of(request)
        try:
            result = await self._execute(wanted, context, request.method)
        finally:
            await context.close()
        return _result_response(result, media_type, request.scope.get("state", {}).get("request_id"))

    async def _execute(self, wanted: GraphQLRequest, context: Context, method: str) -> ExecutionResult:
        try:
            return await self._schema.execute(
                wanted.query,
                variable_values=wanted.variables,
                context_value=context,
                operation_name=wanted.operation_name,
                allowed_operation_types=_READS if method == "GET" else _ALL,
                operation_extensions=wanted.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise BadRequest(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            if method == "GET":
                raise BadRequest(405, "GET runs queries only; send a POST", {"Allow": "POST"}) from error
            raise BadRequest(400, "subscriptions need a stream, which this request did not ask for") from error

    def _refuse_cross_site(self, request: Request) -> None:
        """Browsers say where a request comes from; a page of another site may not use its visitor's access."""
        origin = request.headers.get("origin")
        if origin is None or origin in self._allowed_origins:
            return
        if origin.partition("://")[2] != request.headers.get("host"):
            raise BadRequest(403, "requests from pages of other origins are refused; see OPSGRAPH_CORS_ORIGINS")


def _result_response(result: ExecutionResult, media_type: str, request_id: str | None) -> Response:
    body: dict[str, Any] = {}
    status = 200
    if result.errors:
        body["errors"] = presented(result.errors, request_id)
    if _was_executed(result):
        body["data"] = result.data
    elif media_type == RESPONSE_JSON:
        status = 400
    if result.errors and is_unauthenticated(result.errors):
        status = 401
    if result.errors and result.data is None and is_internal(result.errors):
        status = 500
    if result.extensions:
        body["extensions"] = result.extensions
    return _response(body, status, media_type, _ASK_FOR_KEY if status == 401 else {})


def _was_executed(result: ExecutionResult) -> bool:
    """Execution gives data, or errors that have a path; a request that could not be executed has neither."""
    return result.data is not None or any(error.path is not None for error in result.errors or ())


def _response(body: dict[str, Any], status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    return Response(_encoded(body), status, dict(headers), media_type=f"{media_type}; charset=utf-8")


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # an integer of more than 64 bits in a JSON value
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
