"""How totals are judged: exactly, and the same as when everything is counted one by one."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.slo.model import (
    BudgetingMethod,
    Definition,
    IndicatorKind,
    MinuteSums,
    SloState,
    TargetSince,
    Totals,
)
from opsgraph.domains.slo.rules import evaluation
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.windows import CalendarWindow, minute_of
from tests.support.slo import added_up, defined

NOW = datetime(2024, 3, 15, 12, 37, 20, tzinfo=UTC)
DAY = 1440

targets = st.integers(1, 99_999_999).map(lambda millionths: millionths / 1_000_000)
counts = st.integers(1, 10**15).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
slice_seconds = st.sampled_from([60, 120, 300, 900, 1200, 3600])


def occurred(good: float, total: float, minutes: int = 1) -> Totals:
    """Totals of one slice."""
    return Totals(float(good), float(total), minutes, 0, 1, good / total)


def declared(target: float, current: float) -> SloState:
    """The state of a declared SLO over 30 days."""
    slo = defined(target=target, indicator=IndicatorKind.DECLARED, declared=current, window_days=30)
    return evaluation.judge(slo, Totals(), NOW)


@pytest.mark.parametrize(
    ("target", "current", "is_met", "remaining", "signed", "minutes", "burn"),
    [
        (99.9, 99.95, True, 50.0, 50.0, 21.6, 0.5),
        (99.99, 99.8, False, 0.0, -1900.0, 0.0, 20.0),
        (99.9, 99.9, True, 0.0, 0.0, 0.0, 1.0),
        (99.9, 100, True, 100.0, 100.0, 43.2, 0.0),
        (99.999999, 0, False, 0.0, -9999999900.0, 0.0, 1e8),
        (50, 66.66, True, 33.3, 33.3, 7197.12, 0.6668),
    ],
)
def test_what_is_declared_is_judged_as_in_the_handbook(
    target: float, current: float, is_met: bool, remaining: float, signed: float, minutes: float, burn: float
) -> None:
    """Remaining and signed percent to one decimal, minutes of 30 days, and the burn rate."""
    state = declared(float(target), float(current))
    assert (state.is_met, state.current) == (is_met, current)
    assert (state.budget_remaining_pct, state.budget_remaining_signed_pct) == (remaining, signed)
    assert state.budget_remaining_minutes == pytest.approx(minutes)
    assert state.burn_rate == pytest.approx(burn)
    assert state.coverage_pct == 100.0


@pytest.mark.parametrize(("good", "is_met"), [(999, True), (998, False), (1000, True)])
def test_the_target_is_met_exactly_at_the_target(good: int, is_met: bool) -> None:
    """999 of 1000 meet 99.9 %."""
    assert evaluation.judge(defined(), occurred(good, 1000), NOW).is_met is is_met


def test_the_noise_of_adding_floats_decides_nothing() -> None:
    """Fractional events whose float sum falls short of the true one still meet the target."""
    good = sum([0.0999] * 3, start=0.0)
    total = sum([0.1] * 3, start=0.0)
    assert Fraction(good) * 1000 < Fraction(total) * 999
    state = evaluation.judge(defined(), occurred(good, total), NOW)
    assert (state.is_met, state.current) == (True, 99.9)


@given(targets, counts)
def test_met_is_decided_on_whole_counts(target: float, events: tuple[int, int]) -> None:
    """Whole events up to 10^15 are compared with the decimal target without any rounding."""
    good, total = events
    state = evaluation.judge(defined(target=target), occurred(good, total), NOW)
    assert state.is_met is (Fraction(good, total) * 100 >= Fraction(str(target)))


@given(targets, counts, st.integers(1, 90))
def test_budget_burn_and_exhaustion_belong_together(target: float, events: tuple[int, int], days: int) -> None:
    """What is left and what was burnt make one; the budget ends when what is left has burnt at that rate."""
    good, total = events
    state = evaluation.judge(defined(target=target, window_days=days), occurred(good, total), NOW)
    share = 1 - (1 - Fraction(good, total)) * 100 / (100 - Fraction(str(target)))
    assert state.burn_rate == pytest.approx(float(1 - share))
    assert state.budget_remaining_signed_pct == pytest.approx(float(share * 100), abs=0.05001)
    assert state.budget_remaining_pct == max(0.0, state.budget_remaining_signed_pct or 0.0)
    budget_minutes = days * DAY * (1 - target / 100)
    assert state.budget_remaining_minutes == pytest.approx(max(float(share), 0.0) * budget_minutes, rel=1e-6)
    assert state.is_met is (share >= 0)


@given(targets, counts, st.integers(1, 90))
def test_the_budget_is_exhausted_after_what_is_left_has_burnt(
    target: float, events: tuple[int, int], days: int
) -> None:
    """Never at a burn of 0, now if nothing is left, else remaining share x window / burn rate later."""
    good, total = events
    state = evaluation.judge(defined(target=target, window_days=days), occurred(good, total), NOW)
    share = 1 - (1 - Fraction(good, total)) * 100 / (100 - Fraction(str(target)))
    if share <= 0:
        assert state.exhausts_at == NOW
        return
    if good == total:
        assert state.exhausts_at is None
        return
    days_left = float(share * days / (1 - share))
    if days_left > 365 * 7_970:  # beyond the year 9999, or close to it
        assert state.exhausts_at is None or state.exhausts_at.year > 9_900
        return
    assert state.exhausts_at is not None
    assert (state.exhausts_at - NOW) / timedelta(days=1) == pytest.approx(days_left, rel=1e-6, abs=1e-9)


def test_a_budget_that_outlasts_the_calendar_is_never_exhausted() -> None:
    """One bad event of 10^15 leaves it beyond the year 9999, which no instant can say."""
    state = evaluation.judge(defined(target=50.0), occurred(10**15 - 1, 10**15), NOW)
    assert state.exhausts_at is None
    assert state.burn_rate == pytest.approx(2e-15)


@pytest.mark.parametrize(
    "slo",
    [
        defined(),
        defined(budgeting_method=BudgetingMethod.TIMESLICES, slice_target=99.0),
        defined(budgeting_method=BudgetingMethod.RATIO_TIMESLICES),
        defined(indicator=IndicatorKind.REQUEST_SUCCESS),
        defined(indicator=IndicatorKind.DECLARED),
        defined(calendar=CalendarWindow.MONTH, time_zone="UTC"),
    ],
)
def test_without_events_everything_is_unknown(slo: Definition) -> None:
    """No data is neither good nor bad; only the coverage is known, and it is nothing."""
    assert evaluation.judge(slo, Totals(), NOW) == SloState(coverage_pct=0.0, evaluated_at=NOW)


def test_the_coverage_is_the_share_of_the_window_so_far() -> None:
    """Of a rolling window all of it, of a calendar window what has passed."""
    rolling, monthly = defined(window_days=1), defined(calendar=CalendarWindow.MONTH, time_zone="UTC")
    assert evaluation.judge(rolling, occurred(1, 1, minutes=360), NOW).coverage_pct == 25.0
    so_far = 14 * DAY + 12 * 60 + 38
    assert evaluation.judge(monthly, occurred(1, 1, minutes=so_far), NOW).coverage_pct == 100.0
    assert len(evaluation.measured_minutes(monthly, NOW)) == so_far


def test_a_month_with_a_clock_change_has_a_smaller_budget() -> None:
    """The budget's minutes are those that pass in the window."""
    berlin = defined(target=99.0, calendar=CalendarWindow.MONTH, time_zone="Europe/Berlin")
    state = evaluation.judge(berlin, occurred(1, 1), NOW)
    assert state.budget_remaining_minutes == pytest.approx((31 * DAY - 60) / 100)


@st.composite
def measured(draw: st.DrawFn) -> list[MinuteSums]:
    """Minutes with events, in order."""
    numbers = draw(st.lists(st.integers(10_000, 10_400), unique=True, min_size=1, max_size=40))
    pairs = st.integers(1, 30).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
    return [MinuteSums(number, *map(float, draw(pairs))) for number in sorted(numbers)]


@given(measured(), slice_seconds, st.sampled_from([50.0, 90.0, 99.9, 33.333333]))
def test_minutes_roll_up_as_when_counted_one_by_one(minutes: list[MinuteSums], seconds: int, wanted: float) -> None:
    """Sums, slices, good slices and the mean of their ratios."""
    slo = defined(budgeting_method=BudgetingMethod.TIMESLICES, slice_seconds=seconds, slice_target=wanted)
    rolled, counted = evaluation.roll_up(slo, minutes), added_up(slo, minutes, range(20_000))
    assert rolled.ratio_sum == pytest.approx(counted.ratio_sum)
    assert (rolled.good, rolled.total, rolled.minutes) == (counted.good, counted.total, counted.minutes)
    assert (rolled.good_slices, rolled.slices) == (counted.good_slices, counted.slices)
    state = evaluation.judge(slo, rolled, NOW)
    assert state.is_met is (Fraction(counted.good_slices, counted.slices) * 100 >= Fraction("99.9"))


def test_the_three_methods_differ() -> None:
    """A half bad minute of little traffic: half the slices, a quarter of the ratios, a twentieth of the events."""
    minutes = [MinuteSums(0, 90.0, 90.0), MinuteSums(1, 5.0, 10.0)]
    found = {}
    for method in BudgetingMethod:
        slo = defined(budgeting_method=method, slice_target=99.0)
        found[method] = evaluation.judge(slo, evaluation.roll_up(slo, minutes), NOW).current
    assert found == {
        BudgetingMethod.OCCURRENCES: 95.0,
        BudgetingMethod.TIMESLICES: 50.0,
        BudgetingMethod.RATIO_TIMESLICES: 75.0,
    }


def test_the_mean_of_many_equal_ratios_is_that_ratio() -> None:
    """40,320 slices of 99.9 % each meet 99.9 %, whatever their floats add up to."""
    slo = defined(budgeting_method=BudgetingMethod.RATIO_TIMESLICES)
    totals = evaluation.roll_up(slo, (MinuteSums(minute, 999.0, 1000.0) for minute in range(28 * DAY)))
    state = evaluation.judge(slo, totals, NOW)
    assert (state.is_met, state.current, state.coverage_pct) == (True, 99.9, 100.0)


@given(st.integers(0, 10**8), st.integers(1, 200_000))
def test_pieces_are_the_stretch_and_nothing_else(start: int, length: int) -> None:
    """Whole hours and rests cover each minute once."""
    minutes = range(start, start + length)
    cut = evaluation.pieces(minutes)
    whole = [range(cut.hours.start * 60, cut.hours.stop * 60)] if cut.hours else []
    parts = sorted([*whole, *cut.rests], key=lambda part: part.start)
    assert parts[0].start == minutes.start
    assert parts[-1].stop == minutes.stop
    assert all(earlier.stop == later.start for earlier, later in pairwise(parts))
    assert all(part.start // 60 == (part.stop - 1) // 60 for part in cut.rests if cut.hours)


@given(measured(), st.integers(10_000, 10_400), st.integers(0, 9))
def test_events_are_added_to_their_minute(minutes: list[MinuteSums], minute: int, total: int) -> None:
    """The others stay, the order is kept, and no minute is without events."""
    after = evaluation.added(minutes, MinuteSums(minute, 0.0, float(total)))
    assert sum(each.total for each in after) == sum(each.total for each in minutes) + total
    assert [each.minute for each in after] == sorted({each.minute for each in after})
    assert all(each.total > 0 for each in after)
    assert {each.minute for each in after} - {each.minute for each in minutes} <= {minute}


@given(
    st.lists(st.tuples(st.integers(0, 100), targets), max_size=8, unique_by=lambda entry: entry[0]),
    st.integers(-1, 101),
)
def test_the_target_that_applied_is_the_last_one_set(entries: list[tuple[int, float]], at: int) -> None:
    """At each instant the newest entry not after it; before the first there was none."""
    history = [TargetSince(NOW + timedelta(minutes=minute), target) for minute, target in sorted(entries)]
    applied = [target for minute, target in sorted(entries) if minute <= at]
    assert evaluation.target_at(history, NOW + timedelta(minutes=at)) == (applied[-1] if applied else None)


@pytest.mark.parametrize("minutes", [0, -1, 129_601, 10**12])
def test_burn_windows_out_of_range_are_refused(minutes: int) -> None:
    """One minute to 90 days."""
    with pytest.raises(Invalid, match="it takes 1 to 129600") as caught:
        evaluation.burn_minutes(minutes, NOW)
    assert caught.value.field == ("window_minutes",)


def test_the_longest_burn_window_is_accepted() -> None:
    """90 days, up to and with the current minute."""
    minutes = evaluation.burn_minutes(129_600, NOW)
    assert (len(minutes), minutes[-1]) == (129_600, minute_of(NOW))


@given(counts, targets)
def test_the_burn_rate_of_any_stretch_is_bad_share_by_budget(events: tuple[int, int], target: float) -> None:
    """(1 - SLI) / (1 - target), and 0 exactly when nothing was bad."""
    good, total = events
    rate = evaluation.burn_rate(defined(target=target), occurred(good, total))
    assert rate == pytest.approx((total - good) / total / (1 - target / 100), rel=1e-6)
    assert (rate == 0) is (good == total)
