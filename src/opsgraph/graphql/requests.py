"""A GraphQL request as HTTP brings it: read by GET or POST, checked, of the right types."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from opsgraph.graphql.media_types import PLAIN_JSON, is_json, is_utf8
from opsgraph.kernel.text import shown


class BadRequest(Exception):  # noqa: N818 - named for the answer
    """A request that cannot be executed, with the status to answer it by."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def error(self) -> dict[str, Any]:
        """It as an error of the response."""
        return {"message": self.message, "extensions": {"code": "BAD_INPUT"}}


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The four parameters of a GraphQL request, of the right types."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


async def read_request(request: Request) -> GraphQLRequest:
    """Read the parameters of a GET or POST.

    Raises:
        BadRequest: another method, another media type, malformed JSON, or a parameter of the wrong type.
    """
    wanted = checked(await _parameters(request))
    if not wanted.query.strip():
        raise BadRequest(400, "query is a non-empty string")
    return wanted


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return _query_parameters(request)
    if request.method != "POST":
        raise BadRequest(405, "GraphQL is served by GET and POST", {"Allow": "GET, POST"})
    _require_json(request.headers.get("content-type", ""))
    body = parsed(await request.body(), "the body")
    if not isinstance(body, dict):
        raise BadRequest(400, "the body is a JSON object with the member query; batches are not served")
    return body


def parsed(text: bytes | str, what: str) -> Any:
    """Read JSON.

    Raises:
        BadRequest: it is not JSON, has a key twice in one object, or is nested too deeply; calls it by `what`.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(400, f"{what} is not JSON: {error.msg} at {place}") from error
    _refuse_repeated_keys(text, what)
    return value


def checked(parameters: Mapping[str, Any]) -> GraphQLRequest:
    """The parameters of a request, if they are of the right types.

    Raises:
        BadRequest: one of them is not.
    """
    query = parameters.get("query")
    if not isinstance(query, str):
        raise BadRequest(400, "query is a non-empty string")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "operationName is a string or null")
    for member in ("variables", "extensions"):
        if parameters.get(member) is not None and not isinstance(parameters[member], dict):
            raise BadRequest(400, f"{member} is an object or null")
    return GraphQLRequest(query, name or None, parameters.get("variables"), parameters.get("extensions"))


def _require_json(content_type: str) -> None:
    if not is_json(content_type):
        raise BadRequest(415, f"the body is sent as {PLAIN_JSON}", {"Accept-Post": PLAIN_JSON})
    if not is_utf8(content_type):
        raise BadRequest(415, "the body is sent in UTF-8")


def _query_parameters(request: Request) -> dict[str, Any]:
    given = request.query_params.multi_items()
    parameters: dict[str, Any] = dict(given)
    if len(parameters) < len(given):
        raise BadRequest(400, f"the address has the parameter {_repeated(given)} twice")
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = parsed(parameters[name].encode(), name)
        elif name in parameters:
            del parameters[name]
    return parameters


def _refuse_repeated_keys(text: bytes | str, what: str) -> None:
    # The fast parser keeps the last of equal keys; which one was meant, only the client knows.
    def unrepeated(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise BadRequest(400, f"{what} has the key {_repeated(pairs)} twice in one object")

    try:
        json.loads(text, object_pairs_hook=unrepeated, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise BadRequest(400, f"{what} is nested too deeply") from error


def _repeated(pairs: Iterable[tuple[str, Any]]) -> str:
    """The first key that comes a second time, in quotes."""
    counts = Counter(key for key, _ in pairs)
    return shown(next(key for key, count in counts.items() if count > 1))
