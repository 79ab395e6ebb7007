"""How the cost of a service is judged."""

from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.cost import rules
from opsgraph.domains.cost.model import AnomalySeverity, Contribution, CostTrend
from opsgraph.kernel.money import Money
from tests.support.cost import cost, judged, monthly

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=6)
contributions = st.builds(
    Contribution,
    service_id=st.none(),
    month=st.sampled_from(["2023-11", "2023-12", "2024-01", "2024-03"]),
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    origin=st.sampled_from(["manual", "focus:a", "focus:b"]),
    billed=amounts,
    effective=st.none() | amounts,
)


def test_the_worked_example() -> None:
    """api-gateway and payments, as the domain's description has them."""
    gateway = judged(monthly("2024-01", 4200, 4500), budget=5000)
    payments = judged(monthly("2024-01", 2800, 3500), budget=3000)
    assert (gateway.latest, gateway.latest_month, gateway.average) == (Decimal(4500), "2024-02", Decimal(4350))
    assert (gateway.trend, gateway.change_pct, gateway.over_budget) == (CostTrend.INCREASING, 7.1, False)
    assert (payments.trend, payments.change_pct, payments.over_budget) == (CostTrend.SPIKING, 25.0, True)


@pytest.mark.parametrize(
    ("before", "after", "trend", "change"),
    [
        ("100", "120.000000000000000001", CostTrend.SPIKING, 20.0),
        ("100", "120", CostTrend.INCREASING, 20.0),
        ("100", "105.01", CostTrend.INCREASING, 5.0),
        ("100", "105", CostTrend.STABLE, 5.0),
        ("100", "100", CostTrend.STABLE, 0.0),
        ("100", "95", CostTrend.STABLE, -5.0),
        ("100", "94.999", CostTrend.DECREASING, -5.0),
        ("3", "3.6", CostTrend.INCREASING, 20.0),
        ("200", "300", CostTrend.SPIKING, 50.0),
        ("10000", "10100", CostTrend.STABLE, 1.0),
        ("100", "-50", CostTrend.DECREASING, -150.0),
        ("0", "1000", CostTrend.STABLE, None),
        ("-5", "1000", CostTrend.STABLE, None),
    ],
)
def test_the_trend_is_a_percentage_with_strict_thresholds(
    before: str, after: str, trend: CostTrend, change: float | None
) -> None:
    """Both sides of each threshold; the exact value decides, the shown one is rounded."""
    profile = judged(monthly("2024-01", before, after))
    assert (profile.trend, profile.change_pct) == (trend, change)


def test_a_service_without_entries_is_stable_and_costs_nothing() -> None:
    """Nothing is known, nothing fails."""
    profile = judged([], budget=100)
    assert (profile.latest, profile.latest_month, profile.average) == (Decimal(0), None, Decimal(0))
    assert (profile.trend, profile.change_pct, profile.over_budget) == (CostTrend.STABLE, None, False)
    assert (profile.forecast, profile.budget_runway_days, profile.anomaly) == (None, None, None)
    assert judged([]).currency == "USD"


def test_one_entry_has_no_trend() -> None:
    """Two months make a trend."""
    assert (judged([cost("2024-01", 5)]).trend, judged([cost("2024-01", 5)]).change_pct) == (CostTrend.STABLE, None)


def test_months_that_do_not_adjoin_are_compared_and_the_gap_is_shown() -> None:
    """From November to March are three months without an entry."""
    profile = judged([cost("2023-11", 100), cost("2024-03", 130)])
    assert (profile.trend, profile.gap_months) == (CostTrend.SPIKING, 3)
    assert judged(monthly("2023-12", 1, 1)).gap_months == 0


def test_the_trend_uses_effective_cost_where_both_months_know_it() -> None:
    """A prepayment is no spike; without both effective amounts the bill decides; the budget always takes the bill."""
    prepaid = [cost("2024-01", 100, effective=100), cost("2024-02", 1200, effective=101)]
    assert judged(prepaid, budget=1000).trend is CostTrend.STABLE
    assert judged(prepaid, budget=1000).over_budget
    assert judged([cost("2024-01", 100), prepaid[1]]).trend is CostTrend.SPIKING


def test_the_effective_cost_of_a_month_is_known_when_each_part_of_it_is() -> None:
    """A sum of some parts would look like a saving."""
    parts = [cost("2024-01", 10, effective=8), cost("2024-01", 5, origin="b", effective=4)]
    assert judged(parts).entries[0].effective == 12
    assert judged([*parts, cost("2024-01", 1, origin="c")]).entries[0].effective is None


@pytest.mark.parametrize(
    ("latest", "budget", "over"),
    [("100.01", "100", True), ("100", "100", False), ("5", "0", False), ("5", None, False)],
)
def test_over_budget_is_above_a_budget_above_zero(latest: str, budget: str | None, *, over: bool) -> None:
    """Exactly the budget is within it; a budget of zero is not judged."""
    assert judged([cost("2024-01", latest)], budget=budget).over_budget is over


def test_a_service_is_judged_in_its_budgets_currency() -> None:
    """Whatever the newest entry is in; the rest is told beside it."""
    parts = [cost("2024-01", 100), cost("2024-02", 90, "EUR"), cost("2024-02", 7, "GBP"), cost("2024-03", 95, "EUR")]
    profile = judged(parts, budget=80)
    assert (profile.currency, profile.latest_month, profile.over_budget) == ("USD", "2024-01", True)
    assert profile.latest == 100
    assert profile.other_currencies == (Money(Decimal(95), "EUR"), Money(Decimal(7), "GBP"))
    assert [(entry.month, entry.currency) for entry in profile.entries] == [
        ("2024-01", "USD"),
        ("2024-02", "EUR"),
        ("2024-02", "GBP"),
        ("2024-03", "EUR"),
    ]


@pytest.mark.parametrize(
    ("newest", "default", "currency"),
    [(["EUR"], "USD", "EUR"), (["EUR", "USD"], "USD", "USD"), (["GBP", "EUR"], "USD", "EUR"), ([], "JPY", "JPY")],
)
def test_without_a_budget_the_newest_entry_decides_the_currency(newest: list[str], default: str, currency: str) -> None:
    """Of several in one month the default one, else the first by code; without entries the default one."""
    older = [cost("2023-01", 1, "CHF")] if newest else []
    parts = older + [cost("2024-01", 1, code) for code in newest]
    assert judged(parts, default=default).currency == currency


def test_a_budget_in_a_currency_without_entries_judges_nothing() -> None:
    """Nothing is converted: the cost is zero there, and the rest is told."""
    profile = judged([cost("2024-01", 500, "EUR")], budget=100)
    assert (profile.currency, profile.latest, profile.over_budget) == ("USD", Decimal(0), False)
    assert profile.other_currencies == (Money(Decimal(500), "EUR"),)


def test_the_average_is_as_fine_as_amounts_are_kept() -> None:
    """Eighteen decimals, halves up, no trailing zeros."""
    assert str(judged(monthly("2024-01", 10, 10, 11)).average) == "10.333333333333333333"
    assert str(judged(monthly("2024-01", 1, 1, 3)).average) == "1.666666666666666667"
    assert str(judged(monthly("2024-01", 100, 200)).average) == "150"
    assert judged([cost("2024-01", "0.000000000000000001")]).average == Decimal("0.000000000000000001")


@pytest.mark.parametrize(
    ("today", "forecast", "runway"),
    [
        (date(2024, 2, 1), "2900.00", 9.0),
        (date(2024, 2, 10), "290.00", 90.0),
        (date(2024, 2, 29), "100.00", 261.0),
        (date(2024, 3, 1), None, None),
    ],
)
def test_the_forecast_is_linear_by_day(today: date, forecast: str | None, runway: float | None) -> None:
    """100 so far of 1000: what the month comes to, and how long the budget lasts at that pace."""
    profile = judged([cost("2024-02", 100)], budget=1000, today=today)
    assert (str(profile.forecast) if profile.forecast else None, profile.budget_runway_days) == (forecast, runway)


def test_a_spent_budget_lasts_no_days_and_credits_spend_none() -> None:
    """Zero days, or nothing to tell."""
    today = date(2024, 2, 10)
    assert judged([cost("2024-02", 100)], budget=90, today=today).budget_runway_days == 0.0
    assert judged([cost("2024-02", -100)], budget=90, today=today).budget_runway_days is None
    assert judged([cost("2024-02", 100)], budget=0, today=today).budget_runway_days is None
    assert judged([cost("2024-02", 100)], today=today).budget_runway_days is None


@pytest.mark.parametrize(
    ("so_far", "severity", "excess"),
    [
        ("110", None, None),
        ("110.01", AnomalySeverity.MINOR, 10.0),
        ("119.99", AnomalySeverity.MINOR, 20.0),
        ("120", AnomalySeverity.MAJOR, 20.0),
        ("149.99", AnomalySeverity.MAJOR, 50.0),
        ("150", AnomalySeverity.CRITICAL, 50.0),
        ("90", None, None),
    ],
)
def test_an_anomaly_is_a_month_ahead_of_the_one_before(
    so_far: str, severity: AnomalySeverity | None, excess: float | None
) -> None:
    """January's 310 had come to 100 by the tenth; both sides of each threshold."""
    anomaly = judged([cost("2024-01", 310), cost("2024-02", so_far)], today=date(2024, 2, 10)).anomaly
    assert (anomaly.severity if anomaly else None, anomaly.excess_pct if anomaly else None) == (severity, excess)
    if anomaly:
        assert (anomaly.expected, anomaly.actual) == (Decimal("100.00"), Decimal(so_far))


@pytest.mark.parametrize(
    ("january", "february", "day"),
    [
        ("3100", "1000", 2),
        ("3.1", "2", 10),
        ("0", "1000", 10),
        ("-31", "1000", 10),
    ],
)
def test_small_early_and_incomparable_months_are_no_anomaly(january: str, february: str, day: int) -> None:
    """Before the third day, at one unit or less, or against nothing."""
    parts = [cost("2024-01", january), cost("2024-02", february)]
    assert judged(parts, today=date(2024, 2, day)).anomaly is None


def test_an_anomaly_needs_the_month_before_and_the_current_one() -> None:
    """An older month or an older year does not count; the third day does."""
    assert judged([cost("2023-12", 31), cost("2024-02", 900)], today=date(2024, 2, 10)).anomaly is None
    assert judged([cost("2023-12", 31), cost("2024-01", 900)], today=date(2024, 1, 3)).anomaly is not None
    assert judged([cost("2023-01", 31), cost("2023-02", 900)], today=date(2024, 2, 10)).anomaly is None


@given(st.lists(contributions, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(parts: list[Contribution], random: Random) -> None:
    """The same contributions in any order give the same profile."""
    shuffled = list(parts)
    random.shuffle(shuffled)
    today = date(2024, 3, 10)
    assert judged(parts, budget=100, today=today) == judged(shuffled, budget=100, today=today)


@given(st.lists(contributions, max_size=12))
def test_money_in_different_currencies_is_never_added(parts: list[Contribution]) -> None:
    """Leaving out every other currency leaves the judged figures as they are, to the last digit."""
    profile = judged(parts, budget=100)
    alone = judged([part for part in parts if part.currency == "USD"], budget=100)
    assert (profile.latest, profile.average, profile.change_pct) == (alone.latest, alone.average, alone.change_pct)
    assert "USD" not in {money.currency for money in profile.other_currencies}


@given(st.lists(contributions, max_size=12))
def test_entries_add_up_to_what_was_contributed(parts: list[Contribution]) -> None:
    """Nothing is lost between contributions and entries, in any currency."""
    for currency in ("USD", "EUR", "JPY"):
        entered = sum(entry.amount for entry in rules.monthly(parts) if entry.currency == currency)
        assert entered == sum(part.billed for part in parts if part.currency == currency)
