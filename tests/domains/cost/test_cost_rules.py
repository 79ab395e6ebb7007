"""What is accepted as cost."""

import re
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.cost import rules
from opsgraph.domains.cost.model import Contribution
from opsgraph.kernel.refusals import Invalid
from tests.support.cost import cost

months = st.builds(
    "{:04d}-{:02d}".format, st.integers(rules.FIRST_YEAR, rules.LAST_YEAR), st.integers(min_value=1, max_value=12)
)


@given(months)
def test_every_month_in_range_is_accepted(written: str) -> None:
    """YYYY-MM from 1970 to 2199."""
    assert rules.month(written) == written


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2024-13", 'month "2024-13" does not exist: months are 01 to 12'),
        ("2024-00", 'month "2024-00" does not exist: months are 01 to 12'),
        ("1969-12", 'month "1969-12" is out of range; years 1970 to 2199 are accepted'),
        ("2200-01", 'month "2200-01" is out of range; years 1970 to 2199 are accepted'),
        ("2024-3", 'month "2024-3" is not written YYYY-MM, such as 2024-03'),
        ("2024-03-01", 'month "2024-03-01" is not written YYYY-MM, such as 2024-03'),
        ("2024-03\n", r'month "2024-03\n" is not written YYYY-MM, such as 2024-03'),
        ("٢٠٢٤-٠٣", 'month "٢٠٢٤-٠٣" is not written YYYY-MM, such as 2024-03'),
        ("", 'month "" is not written YYYY-MM, such as 2024-03'),
        ("x" * 10_000, "is not written YYYY-MM, such as 2024-03"),
    ],
)
def test_what_is_no_month_is_refused_with_the_reason(written: str, reason: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(Invalid, match=re.escape(reason)) as caught:
        rules.month(written)
    assert caught.value.field == ("month",)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (cost("2024-01", "NaN"), "amount"),
        (cost("2024-01", "Infinity"), "amount"),
        (cost("2024-01", "1e18"), "amount"),
        (cost("2024-01", "1e-19"), "amount"),
        (cost("2024-01", 1, effective="-Infinity"), "effective_amount"),
        (cost("2024-01", 1, "XXX"), "currency"),
        (cost("2024-01", 1, ""), "currency"),
        (cost("2024-01", 1, origin=" "), "origin"),
        (cost("2024-01", 1, origin="x" * 501), "origin"),
        (cost("2024-01", 1, origin="nul\0"), "origin"),
        (cost("2024-1", 1), "month"),
    ],
)
def test_a_contribution_that_cannot_be_kept_is_refused(wrong: Contribution, field: str) -> None:
    """The refusal names the field."""
    with pytest.raises(Invalid) as caught:
        rules.contribution(wrong)
    assert caught.value.field == (field,)


def test_credits_are_amounts_and_currencies_have_no_case() -> None:
    """A negative amount is taken; the code is kept in capitals."""
    taken = rules.contribution(cost("2024-01", "-12.5", "eur"))
    assert (taken.billed, taken.currency) == (Decimal("-12.5"), "EUR")


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "sNaN", "Infinity", "1e18"])
def test_a_budget_is_a_number_from_zero(amount: str) -> None:
    """Negative and endless budgets are refused."""
    with pytest.raises(Invalid) as caught:
        rules.budget(Decimal(amount), "USD")
    assert caught.value.field == ("budget_monthly",)


def test_a_budget_of_minus_zero_is_zero() -> None:
    """Decimals know a negative zero; a budget does not."""
    assert str(rules.budget(Decimal("-0"), "usd").amount) == "0"


def test_what_replaces_origins_is_of_these_origins() -> None:
    """A contribution of another origin would stay behind on the next import; a sum can be too large."""
    with pytest.raises(Invalid, match="not among those that are replaced") as caught:
        rules.replacement({"focus:a"}, [cost("2024-01", 1, origin="focus:b")])
    assert caught.value.field == ("origin",)
    with pytest.raises(Invalid, match="too large"):
        rules.replacement({"manual"}, [cost("2024-01", "6e17"), cost("2024-01", "6e17")])


def test_what_is_given_twice_is_added_up() -> None:
    """Two spellings of a service become one contribution; another service stays apart."""
    one, other = UUID(int=1), UUID(int=2)
    parts = [cost("2024-01", 1, "usd", service=one), cost("2024-01", 2, service=one), cost("2024-01", 4, service=other)]
    added = rules.replacement({"manual"}, parts)
    assert [(part.service_id, part.billed) for part in added] == [(one, Decimal(3)), (other, Decimal(4))]
