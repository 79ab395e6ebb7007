"""What is written in one turn of the loop is sent at once."""

import asyncio

from opsgraph.cli.transports import Corked, Turn


class Wire:
    """A transport that keeps what is sent, piece by piece."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        """Take a piece."""
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it takes no more."""
        return self.closed


async def test_a_turn_sends_once_on_each_connection() -> None:
    """In the order in which it was written; what comes in the next turn is sent by itself."""
    turn, wires = Turn(asyncio.get_running_loop()), [Wire(), Wire()]
    connections = [Corked(wire, turn) for wire in wires]
    for piece in (b"a", b"b", b"c"):
        connections[0].write(piece)
    connections[1].write(b"d")
    assert [wire.sent for wire in wires] == [[], []]
    await asyncio.sleep(0)
    assert [wire.sent for wire in wires] == [[b"abc"], [b"d"]]
    connections[0].write(b"e")
    await asyncio.sleep(0)
    assert [wire.sent for wire in wires] == [[b"abc", b"e"], [b"d"]]


async def test_closing_sends_what_was_written_first() -> None:
    """A close frame would be lost otherwise; nothing is sent a second time."""
    wire = Wire()
    connection = Corked(wire, Turn(asyncio.get_running_loop()))
    connection.write(b"last")
    connection.close()
    assert (wire.sent, connection.is_closing()) == ([b"last"], True)
    await asyncio.sleep(0)
    assert wire.sent == [b"last"]
