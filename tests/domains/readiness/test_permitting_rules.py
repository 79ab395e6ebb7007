"""Overrides and exemptions: what is accepted, who may move them where, and what ends them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.readiness.model.overrides import Exemption, Override, OverrideState
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.rules import permitting
from opsgraph.kernel.refusals import Conflict, Forbidden, Invalid
from tests.support.readiness_rules import NOW, exemption, override

PENDING, APPROVED, REJECTED, REVOKED, ENDED = OverrideState
Move = Callable[[Override, str, datetime], Override]

MOVES: dict[str, tuple[Move, OverrideState, tuple[OverrideState, ...]]] = {
    "approved": (permitting.approve, APPROVED, (PENDING,)),
    "rejected": (partial(permitting.reject, approving=True), REJECTED, (PENDING,)),
    "revoked": (permitting.revoke, REVOKED, (PENDING, APPROVED)),
}
"""Each move, where it leads, and from where."""

LEGAL = [(wish, state) for wish, (_, _, states) in MOVES.items() for state in states]
ILLEGAL = [(wish, state) for wish in MOVES for state in OverrideState if (wish, state) not in LEGAL]


def accept_override(reason: str, ends_at: datetime) -> str:
    """Accept a request for an override."""
    return permitting.accept_override(ReadinessDecision.GO, reason, ends_at, NOW)


def accept_exemption(reason: str, ends_at: datetime) -> str:
    """Accept a request for an exemption."""
    return permitting.accept_exemption(reason, ends_at, NOW)


ACCEPT = [
    pytest.param(accept_override, "expires_at", 90, id="override"),
    pytest.param(accept_exemption, "ends_at", 366, id="exemption"),
]
Accept = Callable[[str, datetime], str]


@pytest.mark.parametrize(("accept", "field", "days"), ACCEPT)
def test_a_request_has_a_reason_and_an_end(accept: Accept, field: str, days: int) -> None:
    """The longest one is accepted too; spaces around the reason are dropped, lines within it kept."""
    assert accept("  It is urgent\nand small ", NOW + timedelta(days=days)) == "It is urgent\nand small", field
    assert accept("x" * 10_000, NOW + timedelta(microseconds=1)) == "x" * 10_000


@pytest.mark.parametrize(("accept", "field", "days"), ACCEPT)
def test_a_request_that_would_not_end_in_time_is_refused(accept: Accept, field: str, days: int) -> None:
    """It says until when at most."""
    for ends_at, said in (
        (NOW, f"{field} is 2024-03-15T12:00:00Z; it takes an instant in the future"),
        (NOW - timedelta(seconds=1), f"{field} is 2024-03-15T11:59:59Z; it takes an instant in the future"),
        (NOW + timedelta(days=days, seconds=1), f"at most {days} days from now, until "),
    ):
        with pytest.raises(Invalid) as caught:
            accept("It is urgent", ends_at)
        assert said in caught.value.message
        assert caught.value.field == (field,)


@pytest.mark.parametrize(("accept", "field", "days"), ACCEPT)
@pytest.mark.parametrize(
    ("reason", "said"),
    [("", "reason is empty"), (" \n ", "reason is empty"), ("x" * 10_001, "10001"), ("\0", "U+0000")],
)
def test_a_request_without_a_reason_is_refused(accept: Accept, field: str, days: int, reason: str, said: str) -> None:
    """So is one that is too long or cannot be shown."""
    with pytest.raises(Invalid) as caught:
        accept(reason, NOW + timedelta(days=days))
    assert said in caught.value.message, field
    assert caught.value.field == ("reason",)


@pytest.mark.parametrize(("wish", "state"), LEGAL)
def test_moves_that_are_allowed(wish: str, state: OverrideState) -> None:
    """Each says who made it and when, and changes nothing else."""
    move, target, _ = MOVES[wish]
    before = override(state=state)
    after = move(before, "Apo", NOW)
    assert after.state is target
    who = ("ended_by", "ended_at") if wish == "revoked" else ("decided_by", "decided_at")
    assert (getattr(after, who[0]), getattr(after, who[1])) == ("Apo", NOW)
    undone: dict[str, Any] = dict.fromkeys(who)
    assert replace(after, state=before.state, **undone) == before
    assert after.in_force(NOW) == (wish == "approved")


@pytest.mark.parametrize(("wish", "state"), ILLEGAL)
def test_moves_that_are_not_allowed(wish: str, state: OverrideState) -> None:
    """Each refusal names the state, the wish and what is allowed."""
    move, _, states = MOVES[wish]
    with pytest.raises(Conflict) as caught:
        move(override(state=state), "Apo", NOW)
    which = " or ".join(one.value for one in states)
    assert caught.value.message == f"the override is {state.value}; only one that is {which} can be {wish}"
    assert caught.value.details == {"state": state.value, "allowed": [one.value for one in states]}


@pytest.mark.parametrize(("wish", "state"), LEGAL)
def test_what_has_expired_moves_no_more(wish: str, state: OverrideState) -> None:
    """To the instant: until then it does."""
    move, target, _ = MOVES[wish]
    before = override(state=state)
    assert move(before, "Apo", before.expires_at - timedelta(microseconds=1)).state is target
    with pytest.raises(Conflict, match="expired at 2024-03-16T12:00:00Z; ask for another one"):
        move(before, "Apo", before.expires_at)


@pytest.mark.parametrize("name", ["Eda", "eda", "EDA"])
def test_nobody_approves_their_own_request(name: str) -> None:
    """Whatever the case of their name; they may take it back."""
    with pytest.raises(
        Forbidden, match=f'"{name}" asked for an override and cannot approve it; another approver has to'
    ):
        permitting.approve(override(), name, NOW)
    assert permitting.reject(override(), name, NOW, approving=False).state is REJECTED
    assert permitting.revoke(override(), name, NOW).state is REVOKED


def test_only_approvers_reject_what_others_ask_for() -> None:
    """The refusal names who may take it back."""
    with pytest.raises(Forbidden, match='only an approver rejects what "Eda" asked for, or "Eda"') as caught:
        permitting.reject(override(), "Edgar", NOW, approving=False)
    assert caught.value.details == {"by": "Eda"}


@pytest.mark.parametrize(
    ("state", "hours", "over"),
    [
        (PENDING, 23, None),
        (APPROVED, 23, None),
        (PENDING, 24, timedelta(days=1)),
        (APPROVED, 30, timedelta(days=1)),
        (REJECTED, 30, timedelta(hours=1)),
        (REVOKED, 30, timedelta(hours=2)),
        (ENDED, 30, timedelta(hours=2)),
    ],
)
def test_since_when_an_override_is_over(state: OverrideState, hours: int, over: timedelta | None) -> None:
    """From its end, its rejection, or the instant at which it expires, noted or not."""
    ended_at = NOW + timedelta(hours=2) if state in {REVOKED, ENDED} else None
    found = override(state=state, decided_at=NOW + timedelta(hours=1), ended_at=ended_at)
    assert found.over_since(NOW + timedelta(hours=hours)) == (None if over is None else NOW + over)


@pytest.mark.parametrize(
    ("known", "blockers", "reason"),
    [
        ((), (), None),
        (("a", "b"), ("a", "b"), None),
        (("a", "b"), ("b",), None),
        (("a",), ("a", "b"), "new blocker: b"),
        (("a",), ("b", "a", "c"), "new blockers: b, c"),
    ],
)
def test_a_new_blocker_ends_an_override(known: tuple[str, ...], blockers: tuple[str, ...], reason: str | None) -> None:
    """One that was known when it was approved does not, nor does one that went away."""
    approved = override(state=APPROVED, blockers=known)
    assert permitting.end_of(approved, blockers, NOW) == reason
    assert permitting.end_of(override(blockers=known), blockers, NOW) is None


@pytest.mark.parametrize("state", OverrideState)
def test_time_ends_what_is_asked_for_or_approved(state: OverrideState) -> None:
    """What has ended already ends no more."""
    given_up = override(state=state)
    before = given_up.expires_at - timedelta(microseconds=1)
    assert permitting.end_of(given_up, (), before) is None
    expected = "expired" if state in {PENDING, APPROVED} else None
    assert permitting.end_of(given_up, ("a",), given_up.expires_at) == expected


def test_an_exemption_is_granted_by_another_person() -> None:
    """From then on it is in force, until it ends."""
    granted = permitting.grant(exemption(), "Apo", NOW)
    assert granted == exemption(approved_by="Apo", approved_at=NOW)
    assert [granted.in_force(NOW), granted.in_force(granted.ends_at), exemption().in_force(NOW)] == [True, False, False]


def test_an_exemption_that_nobody_is_known_to_have_asked_for_is_granted_by_anybody() -> None:
    """There is no second person to be."""
    granted = permitting.grant(exemption(requested_by=None), "Apo", NOW)
    assert (granted.requested_by, granted.approved_by) == (None, "Apo")


@pytest.mark.parametrize("name", ["Eda", "eda"])
def test_nobody_grants_their_own_exemption(name: str) -> None:
    """Whatever the case of their name."""
    with pytest.raises(Forbidden, match=f'"{name}" asked for an exemption and cannot approve it'):
        permitting.grant(exemption(), name, NOW)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (exemption(approved_by="Bo", approved_at=NOW), 'from "encryption" is granted already, by "Bo"'),
        (exemption(ended_at=NOW), 'from "encryption" ended at 2024-03-15T12:00:00Z'),
        (exemption(ends_at=NOW), 'from "encryption" ended at 2024-03-15T12:00:00Z; ask for another one'),
    ],
)
def test_an_exemption_that_is_not_asked_for_is_not_granted(kept: Exemption, said: str) -> None:
    """The refusal says why, and what can be done."""
    with pytest.raises(Conflict) as caught:
        permitting.grant(kept, "Apo", NOW)
    assert said in caught.value.message
    assert caught.value.field == ("check",)


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from(["Eda", "Apo", "Bo"]), st.integers(0, 30))))
def test_whatever_people_try_two_of_them_approve_and_nothing_comes_back(moves: list[tuple[str, str, int]]) -> None:
    """Over any history: what is in force was approved by another person, in time; what has ended stays as it is."""
    kept, now = override(), NOW
    for wish, name, hours in moves:
        now += timedelta(hours=hours)
        before = kept
        try:
            kept = MOVES[wish][0](kept, name, now)
        except (Conflict, Forbidden):
            kept = before
        if before.state in {REJECTED, REVOKED}:
            assert kept == before
        if kept.state is APPROVED:
            assert kept.decided_by not in {None, kept.requested_by}
            assert kept.decided_at is not None
            assert kept.decided_at < kept.expires_at
