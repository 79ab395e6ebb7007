"""A running server, asked by its address and a key. Nothing of the application is imported: scripts wait for this."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from opsgraph.cli.addresses import ERRORS, base_of, explained, is_address, strange, unusable
from opsgraph.cli.event_stream import ServerEvent, read_events
from opsgraph.cli.failures import CommandError

Ask = Callable[..., Awaitable[dict[str, Any]]]
"""Runs an operation of the API, its variables by name; gives its data, or raises a `CommandError`."""

_WITHIN_SECONDS = 30.0
_SILENT_SECONDS = 45.0
"""How long a stream says nothing before it is taken for dead; servers send a sign of life every 15 seconds."""

_STREAM_TIMEOUT = httpx.Timeout(_WITHIN_SECONDS, read=_SILENT_SECONDS)
_CONTENT = "application/graphql-response+json"
_EVENT_STREAM = "text/event-stream"


class NoAnswerError(CommandError):
    """Nothing answers there, or nothing that is opsgraph."""


class RefusedError(CommandError):
    """A server of opsgraph answers that it will not.

    Attributes:
        code: why, for programs: `extensions.code` of its first error.
        details: what else it says for programs, `extensions.details`.
    """

    def __init__(self, message: str, code: str | None, details: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: its address, or that of its API, with or without a slash at the end.
        key: what it is asked with, if it wants one.
    """

    url: str
    key: str | None

    async def graphql(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data that an operation gives.

        Raises:
            NoAnswerError: the server cannot be reached, or answers as no server of opsgraph does.
            RefusedError: it answers with an error.
        """
        status, answer = await self.post("/graphql", {"query": document, "variables": variables}, accept=_CONTENT)
        raise_errors(answer)
        match answer:
            case {"data": dict(data)}:
                return data
        raise self.stranger(f"status {status}")

    async def post(self, path: str, body: Mapping[str, Any], accept: str = "application/json") -> tuple[int, Any]:
        """The status and the JSON with which a request is answered.

        Raises:
            NoAnswerError: the server cannot be reached, or answers with something else.
        """
        try:
            async with httpx.AsyncClient(timeout=_WITHIN_SECONDS) as client:
                response = await client.post(self._address(path), json=body, headers=self._headers(accept))
                return response.status_code, response.json()
        except ERRORS as error:
            raise NoAnswerError(explained(self.url, error)) from error

    @asynccontextmanager
    async def streaming(self, document: str, **variables: Any) -> AsyncIterator[AsyncIterator[ServerEvent | None]]:
        """The results of a subscription as they come, and None for each sign of life in between.

        Raises:
            NoAnswerError: the server cannot be reached, the connection breaks, or no server of opsgraph answers.
            RefusedError: it answers with an error.
        """
        body = {"query": document, "variables": variables}
        try:
            async with (
                httpx.AsyncClient(timeout=_STREAM_TIMEOUT) as client,
                client.stream(
                    "POST", self._address("/graphql"), json=body, headers=self._headers(_EVENT_STREAM)
                ) as response,
            ):
                await self._require_stream(response)
                yield read_events(response.aiter_bytes())
        except ERRORS as error:
            raise NoAnswerError(explained(self.url, error)) from error

    async def _require_stream(self, response: httpx.Response) -> None:
        if response.status_code == 200 and response.headers.get("content-type", "").startswith(_EVENT_STREAM):
            return
        await response.aread()
        raise_errors(response.json())
        raise self.stranger(f"status {response.status_code}")

    def _address(self, path: str) -> str:
        if not is_address(self.url):
            raise NoAnswerError(unusable(self.url))
        return f"{base_of(self.url)}{path}"

    def _headers(self, accept: str) -> dict[str, str]:
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise CommandError("the key has characters that no key has")
        return {"accept": accept, **({"authorization": f"Bearer {self.key}"} if self.key else {})}

    def stranger(self, what: str) -> NoAnswerError:
        """Says that what answers at the address is no server of opsgraph."""
        return NoAnswerError(strange(self.url, what))


def raise_errors(answer: Any) -> None:
    """Let an answer pass that is not one with errors.

    Raises:
        RefusedError: it is; says what the first of them does.
    """
    match answer:
        case {"errors": [{"message": str(message), **more}, *_]}:
            given = more.get("extensions")
            extensions = given if isinstance(given, dict) else {}
            raise RefusedError(message, extensions.get("code"), extensions.get("details"))
