"""The messages of graphql-transport-ws, and the codes by which a connection that breaks its rules is closed."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from opsgraph.graphql.requests import BadRequest, GraphQLRequest, checked, parsed
from opsgraph.graphql.responses import encoded

SUBPROTOCOL = "graphql-transport-ws"
_LONGEST_REASON = 123
"""Bytes; a close frame has 125, two of which are the code."""


class CloseCode(IntEnum):
    """Why a connection was closed."""

    GOING_AWAY = 1001
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_INITIALISATION_REQUESTS = 4429
    INTERNAL_SERVER_ERROR = 4500


class Violation(Exception):  # noqa: N818 - named for what happened
    """A client did not keep to the protocol; the connection is closed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = shortened(reason)


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The first message: who is asking."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong, with the payload that it has."""

    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping, or just says that one is alive."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Asks for an operation."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """Wants nothing more of an operation."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def read_message(text: str) -> Message:
    """Read a client's message.

    Raises:
        Violation: it is none.
    """
    try:
        message = parsed(text, "the message")
        return _read(message)
    except BadRequest as bad:
        raise Violation(CloseCode.BAD_REQUEST, bad.message) from bad


def _read(message: Any) -> Message:
    if not isinstance(message, dict):
        raise BadRequest(400, "a message is a JSON object")
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_object(message) or {})
        case "ping":
            return Ping(_object(message))
        case "pong":
            _object(message)
            return Pong()
        case "subscribe":
            return Subscribe(_id(message), _request(message))
        case "complete":
            return Complete(_id(message))
        case str() as other:
            raise BadRequest(400, f"a client sends no message of the type {other}")
        case _:
            raise BadRequest(400, "a message has a type, which is a string")


def _object(message: dict[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadRequest(400, f"the payload of {message['type']} is an object or null")
    return payload


def _id(message: dict[str, Any]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not found:
        raise BadRequest(400, f"{message['type']} has an id, which is a non-empty string")
    return found


def _request(message: dict[str, Any]) -> GraphQLRequest:
    if not isinstance(message.get("payload"), dict):
        raise BadRequest(400, "the payload of subscribe is an object")
    return checked(message["payload"])


def connection_ack() -> str:
    """Tells a client that it may ask."""
    return '{"type":"connection_ack"}'


def pong(payload: dict[str, Any] | None) -> str:
    """Answers a ping."""
    return _text({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


def next_frame(id: str) -> tuple[str, str]:
    """What stands before and behind a result, which is JSON already, in the message that brings it."""
    return f'{{"id":{_text(id)},"type":"next","payload":', "}"


def error(id: str, errors: list[dict[str, Any]]) -> str:
    """Ends an operation that could not be executed, or broke."""
    return _text({"id": id, "type": "error", "payload": errors})


def complete(id: str) -> str:
    """Ends an operation."""
    return _text({"id": id, "type": "complete"})


def shortened(reason: str) -> str:
    """A reason that fits into a close frame."""
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")


def _text(value: Any) -> str:
    return encoded(value).decode()
