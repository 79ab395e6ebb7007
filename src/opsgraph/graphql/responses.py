"""The result of an operation as every transport sends it."""

import json
from typing import Any

import orjson
from graphql import ExecutionResult as CoreResult
from strawberry.types import ExecutionResult

from opsgraph.graphql.errors import presented


def body_of(result: ExecutionResult | CoreResult, request_id: str | None) -> dict[str, Any]:
    """The response's map: errors, then data if there was an execution, then extensions."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = presented(result.errors, request_id)
    if was_executed(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def was_executed(result: ExecutionResult | CoreResult) -> bool:
    """Execution gives data, or errors that have a path; a request that could not be executed has neither."""
    return result.data is not None or any(error.path is not None for error in result.errors or ())


def encoded(body: Any) -> bytes:
    """A body as JSON in UTF-8."""
    try:
        return orjson.dumps(body)
    except TypeError:  # an integer of more than 64 bits in a JSON value
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
