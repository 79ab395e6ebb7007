"""GraphQL over HTTP to the letter: methods, media types and status codes of the specification.

Under ``application/graphql-response+json`` a request that could not be executed answers 400 and carries no ``data``;
under ``application/json`` every well-formed request answers 200, as older clients expect.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
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
from opsgraph.graphql.errors import is_internal, is_unauthenticated, presented

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
_ANY = ("*/*", "application/*")
_READS = frozenset({OperationType.QUERY})
_ALL = frozenset({OperationType.QUERY, OperationType.MUTATION})


class BadRequest(Exception):  # noqa: N818 - named for the answer
    """A request that cannot be executed, with the status to answer it by."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The four parameters of a GraphQL request, of the right types."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


class GraphQLEndpoint:
    """The ASGI application behind ``/graphql`` for HTTP.

    Args:
        schema: what is executed.
        context_of: makes a request's context; it finds out who asks.
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
        media_type = RESPONSE_JSON
        try:
            media_type = negotiated(request.headers.get("accept"))
            self._refuse_cross_site(request)
            response = await self._answer(request, media_type)
        except BadRequest as refused:
            body = {"errors": [{"message": refused.message, "extensions": {"code": "BAD_INPUT"}}]}
            response = _response(body, refused.status, media_type, refused.headers)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str) -> Response:
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


def negotiated(accept: str | None) -> str:
    """The media type of the answer: what Accept names first of the two that GraphQL has.

    Raises:
        BadRequest: 406, neither is acceptable.
    """
    if not accept:
        return PLAIN_JSON
    ranges = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    for candidate in ranges:
        if candidate in {RESPONSE_JSON, PLAIN_JSON}:
            return candidate
        if candidate in _ANY:
            return PLAIN_JSON
    raise BadRequest(406, f"answers are {RESPONSE_JSON} or {PLAIN_JSON}")


async def read_request(request: Request) -> GraphQLRequest:
    """Read the parameters of a GET or POST.

    Raises:
        BadRequest: another method, another media type, malformed JSON, or a parameter of the wrong type.
    """
    if request.method == "GET":
        return _checked(_query_parameters(request))
    if request.method != "POST":
        raise BadRequest(405, "GraphQL is served by GET and POST", {"Allow": "GET, POST"})
    _require_json(request.headers.get("content-type", ""))
    return _checked(_parsed(await request.body(), "the body"))


def _require_json(content_type: str) -> None:
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != PLAIN_JSON:
        raise BadRequest(415, f"the body is sent as {PLAIN_JSON}", {"Accept-Post": PLAIN_JSON})
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if charset not in {"", "utf-8", "utf8"}:
        raise BadRequest(415, "the body is sent in UTF-8")


def _query_parameters(request: Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = _parsed(parameters[name].encode(), name)
        elif name in parameters:
            del parameters[name]
    return parameters


def _parsed(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            400, f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error


def _checked(parameters: Any) -> GraphQLRequest:
    if not isinstance(parameters, dict):
        raise BadRequest(400, "the body is a JSON object with the member query; batches are not served")
    query = parameters.get("query")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "query is a non-empty string")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "operationName is a string or null")
    for member in ("variables", "extensions"):
        if parameters.get(member) is not None and not isinstance(parameters[member], dict):
            raise BadRequest(400, f"{member} is an object or null")
    return GraphQLRequest(query, name or None, parameters.get("variables"), parameters.get("extensions"))


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
    return _response(body, status, media_type, {"WWW-Authenticate": "Bearer"} if status == 401 else {})


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
