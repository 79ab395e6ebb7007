"""Cursors of feeds: opaque, and refused where they are no place from which everything is known."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.events.cursors import read_cursor, write_cursor
from opsgraph.events.log import LogState
from opsgraph.kernel.refusals import CursorExpired, Invalid

LOG = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
STATE = LogState(LOG, pruned_through=10, head=20)


@given(st.uuids(), st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_place(log_id: UUID, position: int) -> None:
    """Its text needs no quoting in an address."""
    cursor = write_cursor(log_id, position)
    assert read_cursor(LogState(log_id, 0, 2**63), cursor) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("position", [10, 15, 20])
def test_everything_after_a_place_is_known_from_where_it_was_pruned_to_its_end(position: int) -> None:
    """Both included: what comes after them is there, or still to come."""
    assert read_cursor(STATE, write_cursor(LOG, position)) == position


@pytest.mark.parametrize("cursor", [write_cursor(LOG, 9), write_cursor(LOG, 21), write_cursor(LOG, 2**64 - 1)])
def test_a_place_after_which_not_everything_is_known_has_expired(cursor: str) -> None:
    """Pruned, or never reached: the client is told what to do."""
    with pytest.raises(CursorExpired, match="no longer known; read again, and follow from a new cursor") as caught:
        read_cursor(STATE, cursor, "after")
    assert (caught.value.field, caught.value.details) == (("after",), None)


def test_a_place_in_another_log_is_told_apart() -> None:
    """A client has to do the same, but a person may have meant another server."""
    with pytest.raises(CursorExpired, match=r"of another log of events.*; read again, and follow from") as caught:
        read_cursor(STATE, write_cursor(UUID(int=5), 15), "after")
    assert (caught.value.field, caught.value.details) == (("after",), {"log": "ANOTHER"})


@given(st.text() | st.binary(max_size=40).map(lambda content: base64.urlsafe_b64encode(content).decode()))
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Whatever it is, the answer is a refusal that names the argument."""
    with pytest.raises((Invalid, CursorExpired)) as caught:
        read_cursor(STATE, cursor)
    assert caught.value.field == ("after",)


@pytest.mark.parametrize(
    "cursor", ["", "=", "15", "é" * 32, write_cursor(LOG, 15)[:-1], write_cursor(LOG, 15) + "=", "\x00" * 32]
)
def test_a_damaged_cursor_is_bad_input(cursor: str) -> None:
    """It never was one, so it has not expired either."""
    with pytest.raises(Invalid, match="after is not a cursor that opsgraph made"):
        read_cursor(STATE, cursor)
