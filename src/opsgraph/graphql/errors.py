"""Errors as clients see them: each with a code; what is nobody's business is logged and masked."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from opsgraph.graphql.problems import camel_case, message_of
from opsgraph.kernel.refusals import CursorExpired, Forbidden, Refusal, RefusalCode, Unauthenticated
from opsgraph.storage.failures import is_passing

_CODES: dict[type[Refusal], str] = {
    Unauthenticated: "UNAUTHENTICATED",
    Forbidden: "FORBIDDEN",
    CursorExpired: "CURSOR_EXPIRED",
}
_BAD_INPUT = {"code": "BAD_INPUT", "classification": "ValidationError"}
"""With a path, an error looks like the server's own to clients that do not know our codes; this word they know."""

_LONGEST_MESSAGE = 1_000
_log = structlog.get_logger("opsgraph.graphql")


def presented(errors: Sequence[GraphQLError], request_id: str | None) -> list[dict[str, Any]]:
    """The errors of a result as the response has them.

    A refusal and whatever is wrong with the request keep their message and get a code; anything else is a bug: it is
    logged whole, once however many fields it failed, and the client gets the request's id to ask about.
    """
    _log_bugs(errors)
    return [_presented(error, request_id) for error in errors]


def refused(refusal: Refusal) -> dict[str, Any]:
    """A refusal as an error of the response."""
    return {"message": message_of(refusal), "extensions": _refusal_extensions(refusal)}


def is_unauthenticated(errors: Sequence[GraphQLError]) -> bool:
    """Whether a result failed because nobody known was asking, which HTTP answers with 401."""
    return any(_refusal_code(error) is RefusalCode.UNAUTHENTICATED for error in errors)


def is_internal(errors: Sequence[GraphQLError]) -> bool:
    """Whether a result failed because of a bug of ours, which HTTP answers with 500."""
    return any(_is_bug(_cause(error)) for error in errors)


def raise_passing(errors: Sequence[GraphQLError] | None) -> None:
    """Raise what may go well the next time, such as a database that is away, if anything failed because of that.

    Raises:
        Exception: the first such failure.
    """
    for error in errors or ():
        cause = _cause(error)
        if cause is not None and is_passing(cause):
            raise cause


def _log_bugs(errors: Sequence[GraphQLError]) -> None:
    logged: set[int] = set()
    for error in errors:
        cause = _cause(error)
        if _is_bug(cause) and id(cause) not in logged:
            logged.add(id(cause))
            _log.error("unexpected_error", path=error.path, exc_info=cause)


def _is_bug(cause: BaseException | None) -> bool:
    return cause is not None and not isinstance(cause, Refusal)


def _presented(error: GraphQLError, request_id: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": _cut(error.message)}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = list(error.path)
    cause = _cause(error)
    if isinstance(cause, Refusal):
        shown |= refused(cause)
    elif cause is None:
        shown["extensions"] = {**(_BAD_INPUT if error.path else {"code": "BAD_INPUT"}), **(error.extensions or {})}
    else:
        shown["message"] = "an unexpected error happened; it was logged with the request's id"
        shown["extensions"] = {"code": "INTERNAL", "requestId": request_id}
    return shown


def _cut(message: str) -> str:
    """GraphQL's own messages quote what they refuse, however long it is."""
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised beneath GraphQL's own errors, if anything was."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _refusal_code(error: GraphQLError) -> RefusalCode | None:
    cause = _cause(error)
    return cause.code if isinstance(cause, Refusal) else None


def _refusal_extensions(refusal: Refusal) -> dict[str, Any]:
    code = _CODES.get(type(refusal))
    extensions: dict[str, Any] = {"code": code} if code else dict(_BAD_INPUT)
    if refusal.field:
        extensions["field"] = [camel_case(part) for part in refusal.field]
    if refusal.details:
        extensions["details"] = refusal.details
    return extensions
