"""Reading server-sent events from bytes, in whatever pieces they come."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field

_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, its data, and the id of the last event that had one, if there was any."""

    name: str
    data: str
    id: str


async def read_events(pieces: AsyncIterable[bytes]) -> AsyncIterator[ServerEvent | None]:
    """The events that come whole, and None for each comment: a sign of life. One that is cut off is dropped."""
    lines, events = _Lines(), _Events()
    async for piece in pieces:
        for line in lines.of(piece):
            for event in events.of(line):
                yield event


class _Lines:
    """Cuts bytes into lines. Not as texts are cut: a message may have what Unicode calls a line's end."""

    def __init__(self) -> None:
        self._rest = b""
        self._halfway = False

    def of(self, piece: bytes) -> Iterator[str]:
        """The lines that end in this piece, which is not empty."""
        if self._halfway:  # the piece before ended with a carriage return: a line feed is the other half of it
            piece = piece.removeprefix(b"\n")
        self._halfway = piece.endswith(b"\r")
        *lines, self._rest = _END_OF_LINE.split(self._rest + piece)
        yield from (line.decode(errors="replace") for line in lines)


@dataclass(slots=True)
class _Events:
    """Puts lines together to events."""

    name: str = ""
    data: list[str] = field(default_factory=list)
    id: str = ""

    def of(self, line: str) -> Iterator[ServerEvent | None]:
        """What this line makes complete."""
        if not line:
            if self.data:
                yield ServerEvent(self.name or "message", "\n".join(self.data), self.id)
            self.name, self.data = "", []
        elif line.startswith(":"):
            yield None
        else:
            self._take(*line.partition(":")[::2])

    def _take(self, name: str, value: str) -> None:
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.name = value
        elif name == "id" and "\0" not in value:
            self.id = value
