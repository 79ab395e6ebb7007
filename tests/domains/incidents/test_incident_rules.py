"""The status machine as a table, the times that it measures, and what people may say."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import WORST_FIRST, Severity
from opsgraph.domains.incidents.model import Incident, IncidentStatus
from opsgraph.domains.incidents.rules import acceptance
from opsgraph.domains.incidents.rules.transitions import ALLOWED, next_version, refuse_resolved, transition
from opsgraph.kernel.refusals import Conflict, Invalid
from tests.support.clock import START

OPEN, ACKNOWLEDGED, IN_PROGRESS, RESOLVED = IncidentStatus
MACHINE = {
    (OPEN, OPEN): "stays",
    (OPEN, ACKNOWLEDGED): "moves",
    (OPEN, IN_PROGRESS): "moves",
    (OPEN, RESOLVED): "moves",
    (ACKNOWLEDGED, OPEN): "refused",
    (ACKNOWLEDGED, ACKNOWLEDGED): "stays",
    (ACKNOWLEDGED, IN_PROGRESS): "moves",
    (ACKNOWLEDGED, RESOLVED): "moves",
    (IN_PROGRESS, OPEN): "refused",
    (IN_PROGRESS, ACKNOWLEDGED): "refused",
    (IN_PROGRESS, IN_PROGRESS): "stays",
    (IN_PROGRESS, RESOLVED): "moves",
    (RESOLVED, OPEN): "refused",
    (RESOLVED, ACKNOWLEDGED): "refused",
    (RESOLVED, IN_PROGRESS): "refused",
    (RESOLVED, RESOLVED): "stays",
}
"""What becomes of each wish in each status."""

LATER = START + timedelta(minutes=5)


def incident(status: IncidentStatus = OPEN) -> Incident:
    """An incident that came to a status within two minutes, step by step."""
    made = Incident(
        id=UUID(int=1),
        number=42,
        title="It is slow",
        service_name="api",
        service_key="api",  # pragma: allowlist secret
        service_id=None,
        severity=Severity.HIGH,
        status=OPEN,
        source="manual",
        assignee_id=None,
        alert_count=0,
        version=1,
        newest_alert_at=None,
        acknowledged_at=None,
        resolved_at=None,
        mtta_seconds=None,
        mttr_seconds=None,
        created_at=START,
        updated_at=START,
    )
    for minutes, step in enumerate((ACKNOWLEDGED, IN_PROGRESS, RESOLVED)):
        if step in ALLOWED[made.status] and list(IncidentStatus).index(step) <= list(IncidentStatus).index(status):
            made = transition(made, step, START + timedelta(minutes=minutes))
    return made


def test_the_table_has_every_wish_in_every_status() -> None:
    """None is left out, legal or illegal, and incidents for it can be made."""
    assert set(MACHINE) == set(product(IncidentStatus, IncidentStatus))
    assert [incident(status).status for status in IncidentStatus] == list(IncidentStatus)


@pytest.mark.parametrize(("stands", "wish"), MACHINE)
def test_every_wish_in_every_status(stands: IncidentStatus, wish: IncidentStatus) -> None:
    """It moves and is a version later, or stays the very same, or is refused with what would be allowed."""
    before = incident(stands)
    if MACHINE[stands, wish] == "refused":
        with pytest.raises(Conflict) as refused:
            transition(before, wish, LATER)
        allowed = [status.value for status in ALLOWED[stands]]
        assert refused.value.details == {"from": stands.value, "to": wish.value, "allowed": allowed}
        assert all(word in refused.value.message for word in ("42", stands.value, wish.value, *allowed))
        return
    after = transition(before, wish, LATER)
    if MACHINE[stands, wish] == "stays":
        assert after is before
    else:
        assert (after.status, after.version, after.updated_at) == (wish, before.version + 1, LATER)


@pytest.mark.parametrize("stands", IncidentStatus)
def test_what_is_said_to_be_allowed_is_what_moves(stands: IncidentStatus) -> None:
    """`ALLOWED` lists exactly the wishes that move."""
    assert list(ALLOWED[stands]) == [wish for wish in IncidentStatus if MACHINE[stands, wish] == "moves"]


def test_the_first_who_takes_it_makes_mtta() -> None:
    """Acknowledging and starting count alike, and only the first of them does."""
    for first in (ACKNOWLEDGED, IN_PROGRESS):
        taken = transition(incident(), first, LATER)
        assert (taken.acknowledged_at, taken.mtta_seconds, taken.mttr_seconds) == (LATER, 300.0, None)
    begun = transition(transition(incident(), ACKNOWLEDGED, LATER), IN_PROGRESS, LATER + timedelta(minutes=1))
    assert (begun.acknowledged_at, begun.mtta_seconds) == (LATER, 300.0)


def test_whoever_resolves_it_makes_mttr() -> None:
    """From creation to the end; straight from OPEN both times are alike and nobody acknowledged it."""
    resolved = transition(incident(ACKNOWLEDGED), RESOLVED, LATER)
    assert (resolved.resolved_at, resolved.mtta_seconds, resolved.mttr_seconds) == (LATER, 0.0, 300.0)
    straight = transition(incident(), RESOLVED, LATER)
    assert (straight.acknowledged_at, straight.mtta_seconds, straight.mttr_seconds) == (None, 300.0, 300.0)


_steps = st.lists(
    st.tuples(st.sampled_from(IncidentStatus), st.timedeltas(timedelta(minutes=-5), timedelta(days=2))), max_size=6
)


@given(_steps)
def test_no_clock_makes_a_time_negative(steps: list[tuple[IncidentStatus, timedelta]]) -> None:
    """Whatever is wished for in whatever order by replicas whose clocks differ: times follow each other."""
    current = incident()
    for wish, later in steps:
        before = current
        try:
            current = transition(before, wish, START + later)
        except Conflict:
            continue
        assert before.status is not RESOLVED or current is before
        assert current is before or (current.version, current.updated_at) > (before.version, before.updated_at)
    instants = [at for at in (current.created_at, current.acknowledged_at, current.resolved_at) if at is not None]
    assert instants == sorted(instants)
    assert (current.mttr_seconds is None) == (current.resolved_at is None)
    assert 0 <= (current.mtta_seconds or 0) <= (current.mttr_seconds or float("inf"))


def test_a_change_at_the_same_instant_is_later_nevertheless() -> None:
    """Versions of an incident are told apart by their time as well."""
    first = next_version(incident(), START)
    second = next_version(first, START, assignee_id=UUID(int=7))
    assert START < first.updated_at < second.updated_at
    assert (second.version, second.assignee_id) == (3, UUID(int=7))


def test_what_is_resolved_changes_no_more() -> None:
    """The refusal names what was to be changed; anything else may change."""
    refuse_resolved(incident(IN_PROGRESS), "its severity")
    with pytest.raises(Conflict, match="incident 42 is resolved; its severity changes no more") as refused:
        refuse_resolved(incident(RESOLVED), "its severity")
    assert refused.value.details == {"status": "RESOLVED"}


def test_who_knows_an_older_version_is_refused() -> None:
    """Who knows the present one, or says nothing, is not; a version that cannot be is told from one that was."""
    current = replace(incident(), version=3)
    acceptance.expect_version(current, None)
    acceptance.expect_version(current, 3)
    with pytest.raises(Conflict) as outdated:
        acceptance.expect_version(current, 2)
    assert outdated.value.details == {"expected": 2, "actual": 3}
    for impossible in (0, -1):
        with pytest.raises(Invalid, match=f"expected_version is {impossible}"):
            acceptance.expect_version(current, impossible)


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ("", "title is empty"),
        (" \t ", "title is empty"),
        ("x" * 1_025, "at most 1024"),
        ("one\ntwo", "several lines"),
        ("one\u2028two", "several lines"),
        ("a\0b", "U\\+0000"),
        ("a\ud800b", "U\\+D800"),
    ],
)
def test_a_title_is_one_line(given_: str, reason: str) -> None:
    """Of 1 to 1,024 characters."""
    with pytest.raises(Invalid, match=reason) as refused:
        acceptance.title(given_)
    assert refused.value.field == ("title",)


def test_titles_and_notes_keep_every_script() -> None:
    """A title loses the spaces around it; a note stays as it is, line breaks included."""
    assert acceptance.title("  Ödeme 支払い 🔥 ") == "Ödeme 支払い 🔥"
    assert acceptance.title("x" * 1_024) == "x" * 1_024
    assert acceptance.note(" one\n\ttwo ", "note") == " one\n\ttwo "
    assert acceptance.note("é" * 10_000, "note") == "é" * 10_000


@pytest.mark.parametrize("given_", ["", " \n\t ", "x" * 10_001, "a\0b", "a\x1bb"])
def test_a_note_has_one_to_ten_thousand_characters(given_: str) -> None:
    """Blank ones and control characters are refused, by the name of their field."""
    with pytest.raises(Invalid) as refused:
        acceptance.note(given_, "content")
    assert refused.value.field == ("content",)


def test_numbers_that_come_twice_count_once() -> None:
    """At most 200 incidents are changed at once, in the order given."""
    assert acceptance.numbers([3, 1, 3, 2, 1]) == [3, 1, 2]
    assert acceptance.numbers([*range(200), 0]) == list(range(200))
    with pytest.raises(Invalid, match="201 incidents; at most 200"):
        acceptance.numbers(range(201))


def test_a_period_does_not_end_before_it_begins() -> None:
    """One without a beginning or an end is none of that kind."""
    bounds: list[datetime | None] = [None, START]
    for since, until in product(bounds, bounds):
        acceptance.period(since, until)
    with pytest.raises(Invalid, match="until is before since"):
        acceptance.period(LATER, START)


def test_the_worse_the_greater() -> None:
    """Severities sort by a number."""
    assert sorted(Severity, key=acceptance.badness, reverse=True) == list(WORST_FIRST)
