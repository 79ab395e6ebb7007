"""Following a feed of a server, whatever happens to the connection: nothing is lost, nothing comes twice.

The cursor of the last event says where to go on. Before the first event it is the feed's own: it is asked for before
the feed is followed, so that a connection that breaks at once loses nothing either.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from secrets import SystemRandom
from typing import Any

from opsgraph.cli.event_stream import ServerEvent
from opsgraph.cli.servers import NoAnswerError, RefusedError, Server, raise_errors

CURSOR = "{ feedCursor }"

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_EXPIRED = "CURSOR_EXPIRED"
_OF_ANOTHER_LOG = {"log": "ANOTHER"}
_PASSING = {None, "INTERNAL", "LIMIT_EXCEEDED", "RATE_LIMITED"}
"""Codes of what may go well the next time: a database that is away, a server that has too much to do."""

_random = SystemRandom()


def pause_seconds(failures: int, share: float) -> float:
    """How long to wait after so many failures in a row: twice as long each time, at most 15 seconds.

    Args:
        failures: at least 1.
        share: between 0 and 1, by chance: a server that comes back is not asked by everyone at once.
    """
    longest: float = min(_FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10), _LONGEST_PAUSE_SECONDS)
    return longest * (0.5 + share / 2)


class Watch:
    """A feed that is followed until whoever wants its events has enough, or the server refuses them.

    Args:
        server: where to.
        document: a subscription to one field that takes `after`.
        variables: its other variables.
        after: the cursor to go on from; now, if left out.
        tell: hears in a sentence what happens to the connection.

    Attributes:
        cursor: where to go on: of the last event that was given.
    """

    def __init__(
        self,
        server: Server,
        document: str,
        variables: Mapping[str, Any],
        after: str | None,
        tell: Callable[[str], None],
    ) -> None:
        self.cursor = after
        self._given = after
        self._server = server
        self._document = document
        self._variables = variables
        self._tell = tell
        self._failures = 0

    @property
    def has_moved(self) -> bool:
        """Whether the cursor is another one than was given."""
        return self.cursor not in {None, self._given}

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """Every event, each once.

        Raises:
            CommandError: the server cannot be reached when it is asked first, or refuses what is asked for.
        """
        now = await self._now()  # asked in any case: whoever mistypes an address learns it at once
        self.cursor = self.cursor or now
        self._tell(f"watching {self._server.url}; Ctrl-C ends it")
        while True:
            reason = "the server ended it"
            try:
                async with aclosing(self._connected()) as events:
                    async for event in events:
                        yield event
            except NoAnswerError as error:
                reason = str(error)
            except RefusedError as error:
                reason = self._passing(error)
            await self._pause(reason)

    async def _connected(self) -> AsyncGenerator[dict[str, Any], None]:
        """The events of one connection, as long as it lasts."""
        self.cursor = self.cursor or await self._now()
        async with self._server.streaming(self._document, **self._variables, after=self.cursor) as stream:
            async for received in stream:
                if self._failures:
                    self._failures = 0
                    self._tell("connected again")
                if received is not None and received.name == "complete":
                    return
                if received is not None and (event := self._read(received)) is not None:
                    self.cursor = event["cursor"]
                    yield event

    def _read(self, received: ServerEvent) -> dict[str, Any] | None:
        """The event that was received; None if it cannot be shown.

        Raises:
            RefusedError: it says that the feed ends, and why.
            NoAnswerError: it is no result of a subscription.
        """
        answer = json.loads(received.data)
        match answer:
            case {"data": {**fields}}:
                for event in fields.values():
                    if isinstance(event, dict):
                        return event
        try:
            raise_errors(answer)
        except RefusedError as error:
            if received.id in {"", self.cursor}:  # it is of the feed, and not of an event of its own
                raise
            self._tell(f"an event cannot be shown: {error}")
            self.cursor = received.id
            return None
        raise NoAnswerError(f"{self._server.url} sent what is no result of a subscription")

    def _passing(self, refused: RefusedError) -> str:
        """Why the feed ended, if it can be taken up again.

        Raises:
            RefusedError: it cannot.
        """
        if self._is_of_another(refused):
            raise refused
        if refused.code == _EXPIRED:
            self.cursor = None
            return f"events may be missing: {refused}; going on from now"
        if refused.code in _PASSING:
            return str(refused)
        raise refused

    def _is_of_another(self, refused: RefusedError) -> bool:
        """Whether the cursor that a person gave is of another server; later, the server has another database."""
        return refused.details == _OF_ANOTHER_LOG and self.cursor == self._given

    async def _pause(self, reason: str) -> None:
        self._failures += 1
        if self._failures == 1:
            self._tell(f"not connected any more, trying again: {reason}")
        await asyncio.sleep(pause_seconds(self._failures, _random.random()))

    async def _now(self) -> str:
        cursor: str = (await self._server.graphql(CURSOR))["feedCursor"]
        return cursor
