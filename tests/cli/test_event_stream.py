"""Server-sent events are read as they were written, whatever the network makes of them."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsgraph.cli.event_stream import ServerEvent, read_events

LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))
WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)
EVENTS = st.builds(ServerEvent, name=WORDS, data=st.lists(LINES, min_size=1).map("\n".join), id=WORDS)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


async def pieces(content: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    """The content, cut at these places."""
    places = sorted({min(cut, len(content)) for cut in cuts} | {0, len(content)})
    for start, end in pairwise(places):
        yield content[start:end]


async def read(content: bytes, *cuts: int) -> list[ServerEvent | None]:
    """What is read of content that comes in pieces."""
    return [event async for event in read_events(pieces(content, cuts))]


def written(event: ServerEvent, end: str) -> str:
    """An event as it travels."""
    data = "".join(f"data: {line}{end}" for line in event.data.split("\n"))
    return f"id: {event.id}{end}event: {event.name}{end}{data}{end}"


@given(events=st.lists(EVENTS), end=ENDS, cuts=st.lists(st.integers(0, 400)))
@example(events=[ServerEvent("next", "a\u2028b\x85c\x0bd", "1")], end="\r\n", cuts=list(range(60)))
async def test_every_event_is_read_once_and_whole(events: list[ServerEvent], end: str, cuts: list[int]) -> None:
    """However lines end and wherever the content is cut, in the middle of a character, too."""
    content = "".join(written(event, end) for event in events).encode()
    assert await read(content, *cuts) == events


@given(event=EVENTS, end=ENDS, missing=st.integers(1, 400))
async def test_an_event_that_is_cut_off_is_none(event: ServerEvent, end: str, missing: int) -> None:
    """It comes again, whole, to whoever asks for what comes after the one before."""
    content = written(event, end).encode()
    kept = content[: max(len(content) - max(missing, len(end)), 0)]
    assert await read(kept) == []


@pytest.mark.parametrize(
    ("content", "events"),
    [
        (":\n\n", [None]),
        (": alive\n\ndata:x\n\n", [None, ServerEvent("message", "x", "")]),
        ("data\n\n", [ServerEvent("message", "", "")]),
        ("event: end\ndata:\n\n", [ServerEvent("end", "", "")]),
        ("data:  two\n\n", [ServerEvent("message", " two", "")]),
        ("event: lost\n\ndata: 1\n\n", [ServerEvent("message", "1", "")]),
        ("id: 7\ndata: 1\n\ndata: 2\n\n", [ServerEvent("message", "1", "7"), ServerEvent("message", "2", "7")]),
        ("id: a\0b\nretry: 5\nother\ndata: 1\n\n", [ServerEvent("message", "1", "")]),
        ("\n\n\n", []),
        ("", []),
    ],
)
async def test_what_the_standard_says_of_lines(content: str, events: list[ServerEvent | None]) -> None:
    """Comments, fields without a value, fields that nobody knows, ids that stay until the next one."""
    assert await read(content.encode()) == events


async def test_bytes_that_are_no_text_spoil_nothing_else() -> None:
    """They are replaced."""
    assert await read(b"data: a\xffb\n\n") == [ServerEvent("message", "a�b", "")]
