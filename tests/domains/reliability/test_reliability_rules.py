"""The reliability score and the DORA keys."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.reliability import rules
from opsgraph.domains.reliability.model import Basis, Declared, Measured, Sample
from opsgraph.kernel.refusals import Invalid
from tests.support.clock import START
from tests.support.reliability import WORKED_GATEWAY, WORKED_PAYMENTS, deployed

MINUTE = timedelta(minutes=1)

percentages = st.floats(min_value=0, max_value=100)
minutes = st.floats(min_value=0, max_value=1e6)
counts = st.integers(min_value=0, max_value=10_000)
declared = st.builds(
    Declared,
    uptime_pct=st.none() | percentages,
    mttr_minutes=st.none() | minutes,
    incidents_30d=st.none() | counts,
    change_failure_rate_pct=st.none() | percentages,
)


@pytest.mark.parametrize(
    ("attribute", "value", "points"),
    [
        ("uptime_pct", 100, 40),
        ("uptime_pct", 99.99, 40),
        ("uptime_pct", 99.98999, 35),
        ("uptime_pct", 99.9, 35),
        ("uptime_pct", 99.89999, 25),
        ("uptime_pct", 99.5, 25),
        ("uptime_pct", 99.49999, 15),
        ("uptime_pct", 99.0, 15),
        ("uptime_pct", 98.99999, 5),
        ("uptime_pct", 0, 5),
        ("mttr_minutes", 0, 25),
        ("mttr_minutes", 5, 25),
        ("mttr_minutes", 5.00001, 20),
        ("mttr_minutes", 15, 20),
        ("mttr_minutes", 15.00001, 15),
        ("mttr_minutes", 30, 15),
        ("mttr_minutes", 30.00001, 10),
        ("mttr_minutes", 60, 10),
        ("mttr_minutes", 60.00001, 5),
        ("incidents_30d", 0, 20),
        ("incidents_30d", 1, 15),
        ("incidents_30d", 2, 15),
        ("incidents_30d", 3, 10),
        ("incidents_30d", 5, 10),
        ("incidents_30d", 6, 5),
        ("change_failure_rate_pct", 0, 15),
        ("change_failure_rate_pct", 5, 15),
        ("change_failure_rate_pct", 5.00001, 10),
        ("change_failure_rate_pct", 15, 10),
        ("change_failure_rate_pct", 15.00001, 5),
        ("change_failure_rate_pct", 30, 5),
        ("change_failure_rate_pct", 30.00001, 0),
        ("change_failure_rate_pct", 100, 0),
    ],
)
def test_points_on_both_sides_of_each_boundary(attribute: str, value: Any, points: int) -> None:
    """Declared and measured values are scored alike; the bound itself has the better points."""
    for judged in (
        rules.judge(replace(Declared(), **{attribute: value}), Measured()),
        rules.judge(Declared(), replace(Measured(), **{attribute: Sample(value, 7)})),
    ):
        assert [part.points for part in judged.parts if part.points is not None] == [points]


def test_the_parts_are_always_four_and_make_a_hundred() -> None:
    """In one order, known or not."""
    parts = rules.judge(Declared(), Measured()).parts
    assert [(part.name, part.max_points) for part in parts] == [
        ("uptime", 40),
        ("mttr", 25),
        ("incidents", 20),
        ("change_failure_rate", 15),
    ]
    assert {(part.points, part.basis, part.measured, part.sample_size) for part in parts} == {
        (None, Basis.NONE, False, 0)
    }


def test_the_worked_example() -> None:
    """85 and 60."""
    gateway, payments = rules.judge(WORKED_GATEWAY, Measured()), rules.judge(WORKED_PAYMENTS, Measured())
    assert (gateway.score, [part.points for part in gateway.parts]) == (85.0, [35, 20, 15, 15])
    assert (payments.score, [part.points for part in payments.parts]) == (60.0, [25, 15, 10, 10])
    assert (payments.uptime_pct, payments.mttr_minutes) == (99.8, 25)
    assert (payments.incidents_30d, payments.change_failure_rate_pct) == (3, 12)


def test_nothing_known_has_no_score() -> None:
    """It is neither good nor bad."""
    assert rules.judge(Declared(), Measured()).score is None


def test_an_unknown_part_is_left_out_of_the_score() -> None:
    """A change failure rate of 10 % alone: 10 of 15 points."""
    judged = rules.judge(Declared(change_failure_rate_pct=10), Measured())
    assert (judged.score, judged.uptime_pct, judged.mttr_minutes, judged.incidents_30d) == (66.7, None, None, None)


def test_what_is_measured_beats_what_is_declared() -> None:
    """Each part says on what it rests and on how many samples."""
    measured = Measured(uptime_pct=Sample(99.2, 4000), incidents_30d=Sample(0, 0))
    judged = rules.judge(replace(WORKED_GATEWAY, mttr_minutes=None), measured)
    assert [(part.points, part.basis, part.measured, part.sample_size) for part in judged.parts] == [
        (15, Basis.MEASURED, True, 4000),
        (None, Basis.NONE, False, 0),
        (20, Basis.MEASURED, True, 0),
        (15, Basis.DECLARED, False, 0),
    ]
    assert (judged.uptime_pct, judged.incidents_30d, judged.score) == (99.2, 0, 66.7)


@given(declared)
def test_a_score_lies_within_0_and_100(facts: Declared) -> None:
    """Whatever is known, if anything is."""
    judged = rules.judge(facts, Measured())
    if facts == Declared():
        assert judged.score is None
    else:
        assert judged.score is not None
        assert 0 <= judged.score <= 100


@given(declared, percentages, minutes, counts, percentages)
def test_a_score_never_falls_when_a_value_improves(
    facts: Declared, uptime: float, mttr: float, incidents: int, change_failure_rate: float
) -> None:
    """Monotone in each value: more uptime, fewer of the rest."""
    changes: list[tuple[str, Any, Any]] = [
        ("uptime_pct", facts.uptime_pct, uptime),
        ("mttr_minutes", mttr, facts.mttr_minutes),
        ("incidents_30d", incidents, facts.incidents_30d),
        ("change_failure_rate_pct", change_failure_rate, facts.change_failure_rate_pct),
    ]
    for attribute, one, other in changes:
        if one is None or other is None:
            continue
        low, high = sorted((one, other))
        worse, better = (low, high) if attribute == "uptime_pct" else (high, low)
        assert _score(replace(facts, **{attribute: worse})) <= _score(replace(facts, **{attribute: better}))


def _score(facts: Declared) -> float:
    score = rules.judge(facts, Measured()).score
    assert score is not None
    return score


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uptime_pct", -0.001),
        ("uptime_pct", 100.001),
        ("uptime_pct", math.nan),
        ("mttr_minutes", -1.0),
        ("mttr_minutes", math.inf),
        ("mttr_minutes", math.nan),
        ("incidents_30d", -1),
        ("incidents_30d", 2**31),
        ("change_failure_rate_pct", 101.0),
        ("change_failure_rate_pct", -math.inf),
    ],
)
def test_values_out_of_range_are_refused(field: str, value: float) -> None:
    """The refusal names the field and its range."""
    with pytest.raises(Invalid, match="it takes") as caught:
        rules.declaration({field: value})
    assert caught.value.field == (field,)


def test_bounds_are_in_range_and_none_clears() -> None:
    """0 and 100 can be declared; None passes."""
    for values in ({"uptime_pct": 0.0, "change_failure_rate_pct": 100.0}, {"mttr_minutes": None, "incidents_30d": 0}):
        assert rules.declaration(values) == values


def test_a_deployment_fails_once_however_often_it_is_blamed() -> None:
    """Marked, blamed by an incident, or both; blame for another service's deployment counts nothing."""
    fine, failed, blamed, other = (deployed(START, failed=failed) for failed in (False, True, False, False))
    assert rules.failures([fine, failed, blamed], [failed.id, blamed.id, other.id]) == {failed.id, blamed.id}


@pytest.mark.parametrize(
    ("failed", "total", "rate"), [(0, 1, 0.0), (1, 20, 5.0), (3, 20, 15.0), (3, 10, 30.0), (7, 7, 100.0)]
)
def test_the_change_failure_rate_is_exact_where_points_turn(failed: int, total: int, rate: float) -> None:
    """One of twenty is 5 %, not a hair more."""
    deployments = [deployed(START, failed=number < failed) for number in range(total)]
    assert rules.measured_changes(deployments) == Sample(rate, total)


def test_without_deployments_no_change_failure_rate_is_measured() -> None:
    """Nothing to measure is not zero."""
    assert rules.measured_changes([]) is None


def test_the_dora_keys_of_nothing_are_unknown() -> None:
    """Null and counts of zero."""
    keys = rules.dora([])
    assert (keys.deployments, keys.failures, keys.lead_time_samples, keys.recovery_samples) == (0, 0, 0, 0)
    assert keys.deployments_per_day is None
    assert keys.lead_time_seconds_median is None
    assert keys.change_failure_rate_pct is None
    assert keys.recovery_seconds_median is None
    assert keys.rework_rate_pct is None


def test_the_dora_keys_of_a_month() -> None:
    """Six deployments, two failed, one of them never recovered."""
    keys = rules.dora(
        [
            deployed(START, lead=10 * MINUTE),
            deployed(START + 1 * MINUTE, failed=True, lead=60 * MINUTE),
            deployed(START + 2 * MINUTE, rework=True),
            deployed(START + 3 * MINUTE, lead=20 * MINUTE),
            deployed(START + 4 * MINUTE, lead=40 * MINUTE),
            deployed(START + 5 * MINUTE, failed=True),
        ]
    )
    assert keys.deployments_per_day == 0.2
    assert (keys.lead_time_seconds_median, keys.lead_time_samples) == (1800.0, 4)
    assert keys.change_failure_rate_pct == pytest.approx(100 / 3)
    assert (keys.recovery_seconds_median, keys.recovery_samples) == (60.0, 1)
    assert keys.rework_rate_pct == pytest.approx(100 / 6)
    assert (keys.deployments, keys.failures) == (6, 2)


def test_recovery_is_the_next_success_in_the_same_environment() -> None:
    """Failures in a row each wait for it; another environment does not help, a blamed one does not count."""
    blamed = deployed(START + 3 * MINUTE)
    deployments = [
        deployed(START, failed=True),
        deployed(START + 1 * MINUTE, failed=True),
        deployed(START + 2 * MINUTE, environment="prod"),
        blamed,
        deployed(START + 9 * MINUTE),
        deployed(START + 20 * MINUTE),
    ]
    keys = rules.dora(deployments, [blamed.id])
    assert (keys.recovery_seconds_median, keys.recovery_samples) == (480.0, 3)
