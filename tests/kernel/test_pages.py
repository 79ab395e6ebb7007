"""Pages and their cursors: what is asked for is checked, and a cursor means the same when it comes back."""

import base64
import json
from math import isnan
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opsgraph.kernel.pages import DEFAULT_SIZE, LARGEST_SIZE, Key, PageRequest, page_request, read_cursor, write_cursor
from opsgraph.kernel.refusals import Invalid

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.none() | TEXTS | st.integers() | st.floats(allow_nan=False)
KEYS = st.lists(VALUES, max_size=4).map(tuple)
ORDER = "services:name"


def encoded(value: Any) -> str:
    """JSON as a cursor wraps it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(TEXTS, KEYS)
def test_a_cursor_means_what_it_meant(order: str, key: tuple[Any, ...]) -> None:
    """Texts in every script, numbers and nulls come back as they were."""
    cursor = write_cursor(order, key)
    assert read_cursor(order, cursor, "after") == key
    assert cursor.isascii()
    assert set(cursor).isdisjoint("=+/ \n")


@given(TEXTS, TEXTS, KEYS)
def test_a_cursor_is_of_one_list(order: str, other: str, key: tuple[Any, ...]) -> None:
    """That of another list is refused, by the argument it was given as."""
    assume(order != other)
    with pytest.raises(Invalid, match="before is a cursor of another list") as caught:
        read_cursor(other, write_cursor(order, key), "before")
    assert caught.value.field == ("before",)


def readable_or_refused(cursor: str) -> None:
    """A made-up cursor gives a key of plain values, or a refusal; never another error."""
    key = outcome(cursor)
    if isinstance(key, Invalid):
        assert key.field == ("after",)
        assert key.message.startswith("after is ")
    else:
        assert all(value is None or isinstance(value, str | int | float) for value in key)


def outcome(cursor: str) -> Key | Invalid:
    """The key that a cursor stands for, or why it is refused."""
    try:
        return read_cursor(ORDER, cursor, "after")
    except Invalid as refusal:
        return refusal


@given(st.text(st.characters(exclude_categories=[])) | st.text("abcXYZ019-_=+/", max_size=40))
def test_whatever_text_is_sent_as_a_cursor(text: str) -> None:
    """It is refused unless it happens to be one."""
    readable_or_refused(text)


@given(st.binary(max_size=60))
def test_whatever_bytes_are_wrapped_as_a_cursor(content: bytes) -> None:
    """Not UTF-8, not JSON, JSON in another encoding."""
    readable_or_refused(base64.urlsafe_b64encode(content).decode())


@given(KEYS, st.data())
def test_a_cursor_that_was_tampered_with(key: tuple[Any, ...], data: st.DataObject) -> None:
    """Characters changed, cut off, doubled or put in."""
    cursor = write_cursor(ORDER, key)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(cursor))] * 2)))
    readable_or_refused(cursor[:start] + data.draw(st.text(max_size=5)) + cursor[end:])


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8))
def test_whatever_json_is_wrapped_as_a_cursor(value: Any) -> None:
    """Lists in lists, objects, no list at all."""
    readable_or_refused(encoded(value))
    readable_or_refused(encoded([ORDER, value]))


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'["services:name",' + b"9" * 5_000 + b"]", b'["services:name"', b'{"0": "services:name"}', b"[]"],
    ids=["too deep", "too many digits", "cut", "an object", "empty"],
)
def test_json_that_breaks_readers_is_refused(content: bytes) -> None:
    """Without taking the server along."""
    with pytest.raises(Invalid):
        read_cursor(ORDER, base64.urlsafe_b64encode(content).decode(), "after")


def test_numbers_that_are_none_are_left_to_the_list() -> None:
    """Its columns refuse them: see the tests of keyset pages."""
    (value,) = read_cursor(ORDER, encoded([ORDER, float("nan")]), "after")
    assert isinstance(value, float)
    assert isnan(value)


@given(st.integers(0, LARGEST_SIZE))
def test_sizes_are_taken_as_asked(size: int) -> None:
    """Forwards by `first`, backwards by `last`; nothing is clamped."""
    assert page_request(ORDER, size, None) == PageRequest(size)
    assert page_request(ORDER, None, None, size) == PageRequest(size, backwards=True)


def test_a_page_that_nobody_sized() -> None:
    """Has the default size, from the beginning."""
    assert page_request(ORDER, None, None) == PageRequest(DEFAULT_SIZE)


@given(st.integers().filter(lambda size: not 0 <= size <= LARGEST_SIZE), st.sampled_from(["first", "last"]))
def test_sizes_out_of_range_are_refused(size: int, name: str) -> None:
    """With the range, by the argument."""
    sizes: dict[str, Any] = {"first": None, "after": None, name: size}
    with pytest.raises(Invalid, match=f"{name} is {size}; it takes 0 to {LARGEST_SIZE}") as caught:
        page_request(ORDER, **sizes)
    assert caught.value.field == (name,)


def test_first_and_last_at_once_are_refused() -> None:
    """No page could be meant by both."""
    with pytest.raises(Invalid, match="first and last cannot be combined"):
        page_request(ORDER, 1, None, 1)


@given(KEYS, KEYS)
def test_both_cursors_are_read(after: tuple[Any, ...], before: tuple[Any, ...]) -> None:
    """A stretch between two rows may be asked for."""
    request = page_request(ORDER, 10, write_cursor(ORDER, after), None, write_cursor(ORDER, before))
    assert (request.after, request.before) == (after, before)
