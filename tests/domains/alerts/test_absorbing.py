"""Folding a batch: nothing is lost, nothing is put out of its order, and no round has an alert twice."""

from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import Action, AlertReport, Severity
from opsgraph.domains.alerts.rules.absorbing import rounds, title_of
from tests.support.clock import START
from tests.support.intake import report, reports, resolved

REPORTS = st.builds(
    report,
    st.integers(1, 4),
    st.sampled_from([Severity.HIGH, Severity.LOW]),
    action=st.sampled_from(Action),
    starts_at=st.sampled_from([None, START]),
)


def said(one: AlertReport) -> tuple[object, ...]:
    """What decides whether two reports of one alert say the same."""
    return (one.action, *((one.severity, one.starts_at) if one.action is Action.FIRE else ()))


@given(st.lists(REPORTS, max_size=30))
def test_every_report_has_its_place(batch: list[AlertReport]) -> None:
    """In exactly one round, under the alert it is about, folded with what says the same."""
    folded = [each for made in rounds(batch) for each in made]
    assert sorted(place for each in folded for place in each.places) == list(range(len(batch)))
    for each in folded:
        assert {batch[place].fingerprint for place in each.places} == {each.report.fingerprint}
        assert {said(batch[place]) for place in each.places} == {said(each.report)}
        assert each.report is batch[each.places[-1]]
        assert each.times == len(each.places)


@given(st.lists(REPORTS, max_size=30))
def test_rounds_keep_the_order_of_each_alert(batch: list[AlertReport]) -> None:
    """No alert twice in a round, and what came later comes in a later one."""
    made = rounds(batch)
    for current in made:
        assert len({each.report.fingerprint for each in current}) == len(current) > 0
    for fingerprint in {each.fingerprint for each in batch}:
        places = [f.places for current in made for f in current if f.report.fingerprint == fingerprint]
        assert [place for group in places for place in group] == sorted(place for group in places for place in group)


def test_a_usual_batch_is_one_round() -> None:
    """However often each alert comes in it."""
    assert [len(current) for current in rounds(reports(50) * 3)] == [50]
    assert rounds([]) == []


def test_what_ends_and_fires_again_takes_rounds() -> None:
    """One for each turn."""
    assert [[each.places for each in current] for current in rounds([report(), report(), resolved(), report(2)])] == [
        [(0, 1), (3,)],
        [(2,)],
    ]


def test_titles_are_the_first_line_of_a_message() -> None:
    """Cut where it is long; a message of nothing has one, too."""
    assert title_of("\n  disk full\non host 3") == "disk full"
    assert title_of(" \n") == "(no message)"
    assert title_of("x" * 201) == "x" * 199 + "…"
    assert title_of("x" * 200) == "x" * 200
