"""The difference between what was left out and what was given as null."""

import copy
import pickle
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from opsgraph.kernel import changes
from opsgraph.kernel.changes import UNSET, Maybe, or_kept

VALUES = st.none() | st.text() | st.integers() | st.booleans()


@dataclass(frozen=True)
class Change:
    """Partial input."""

    title: Maybe[str | None] = UNSET
    tier: Maybe[int | None] = UNSET
    owner: Maybe[str | None] = UNSET


def test_what_was_left_out_is_not_given() -> None:
    """Null, zero and the empty text were given."""
    assert changes.given(Change()) == {}
    assert changes.given(Change(None, 0, "")) == {"title": None, "tier": 0, "owner": ""}


def test_only_what_is_asked_for_is_looked_at() -> None:
    """In the order of the question."""
    change = Change(title="API", owner="ops")
    assert list(changes.given(change, "owner", "tier")) == ["owner"]
    assert list(changes.given(change, "owner", "title").items()) == [("owner", "ops"), ("title", "API")]


@given(VALUES, VALUES)
def test_a_given_value_replaces_and_a_missing_one_keeps(value: object, kept: object) -> None:
    """Null replaces too."""
    assert or_kept(value, kept) is value
    assert or_kept(UNSET, kept) is kept


def test_there_is_one_unset() -> None:
    """Copies of it, which processes and caches make, are it."""
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301 - its own
