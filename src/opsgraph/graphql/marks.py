"""What a stream of events tells about itself between its events, so that followers can be moved from one to another."""

from dataclasses import dataclass
from typing import Protocol

BEFORE_EVERYTHING = -1
"""A place ahead of every event."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Tells how far a stream has come: of all that stands up to `position`, nothing is left to send.

    The stream of a field that is declared as shared begins with a mark and has one behind each batch of events.

    Attributes:
        position: a place in the order of events.
        caught_up: whether that was all there is; what follows is live.
    """

    position: int
    caught_up: bool


class Placed(Protocol):
    """An event of a shared stream: it knows its place."""

    @property
    def position(self) -> int:
        """Its place in the order of events; later ones are larger."""
        ...

    @property
    def cursor(self) -> str:
        """What a client names to go on behind it."""
        ...
