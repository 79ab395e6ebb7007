"""Money is exact, and never mixes currencies."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsgraph.kernel.money import CURRENCIES, Money, add_up, amount_of, currency_of, to_cents
from opsgraph.kernel.refusals import Invalid

MOST_UNITS = 10**18 - 1
ValueT = TypeVar("ValueT")


@st.composite
def amounts(draw: st.DrawFn) -> Decimal:
    """Every amount that is accepted: up to 18 digits on either side of the point."""
    sign, units = draw(st.sampled_from(["", "-"])), draw(st.integers(0, MOST_UNITS))
    fraction = draw(st.text("0123456789", max_size=18))
    return Decimal(f"{sign}{units}.{fraction}")


MONEY = st.builds(Money, amounts(), st.sampled_from(["EUR", "USD", "JPY"]))


def half_away_from_zero(value: Fraction) -> Fraction:
    """To hundredths, by whole numbers alone."""
    cents = value * 100
    return Fraction(floor(cents + Fraction(1, 2)) if cents >= 0 else ceil(cents - Fraction(1, 2)), 100)


def outcome(accept: Callable[..., ValueT], *values: Any) -> ValueT | Invalid:
    """What is made of values, or why they are refused."""
    try:
        return accept(*values)
    except Invalid as refusal:
        return refusal


@given(amounts())
def test_amounts_are_taken_as_they_are(amount: Decimal) -> None:
    """With all their digits."""
    assert str(amount_of(amount)) == str(amount)


@given(st.decimals())
def test_an_amount_is_taken_whole_or_refused(value: Decimal) -> None:
    """What is taken is below 10^18 and a whole number of 10^-18, so that it is kept exactly."""
    taken = outcome(amount_of, value, "billed")
    if isinstance(taken, Invalid):
        assert taken.field == ("billed",)
        return
    assert str(taken) == str(value)
    assert abs(Fraction(taken)) < 10**18
    assert (Fraction(taken) * 10**18).denominator == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "finite number"),
        ("sNaN", "finite number"),
        ("Infinity", "finite number"),
        ("-Infinity", "finite number"),
        ("1E+18", "under 10\\^18"),
        ("-1E+18", "under 10\\^18"),
        ("9E+999999", "under 10\\^18"),
        ("1E-19", "19 decimals; at most 18"),
        ("0." + "0" * 18 + "1", "19 decimals; at most 18"),
        ("1." + "0" * 250 + "1", "251 decimals; at most 18"),
        ("1E-999999", "999999 decimals; at most 18"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(text: str, reason: str) -> None:
    """However many digits it hides behind."""
    with pytest.raises(Invalid, match=reason):
        amount_of(Decimal(text))


@pytest.mark.parametrize("text", ["0", "-0", "0E-30", "0E+30", "1.50" + "0" * 300, "1E+17", "-1E-18", "9" * 18])
def test_zeros_at_the_end_do_not_count(text: str) -> None:
    """Nor does how a number is written."""
    assert amount_of(Decimal(text)) == Decimal(text)


@given(st.lists(MONEY, max_size=20))
def test_sums_are_exact_and_of_one_currency_each(given_: list[Money]) -> None:
    """As many as there are currencies, in their order, and not a fraction of a cent is lost."""
    expected: defaultdict[str, Fraction] = defaultdict(Fraction)
    for money in given_:
        expected[money.currency] += Fraction(money.amount)
    assert [(total.currency, Fraction(total.amount)) for total in add_up(given_)] == sorted(expected.items())


@given(st.lists(MONEY, max_size=8), st.randoms())
def test_the_order_of_addends_does_not_matter(given_: list[Money], random: Random) -> None:
    """As it would with floats."""
    assert add_up(random.sample(given_, len(given_))) == add_up(given_)


def test_nothing_adds_up_to_nothing() -> None:
    """There is no currency to say zero in."""
    assert add_up([]) == []


@given(amounts())
@example(Decimal("0.005"))
@example(Decimal("-0.005"))
@example(Decimal("2.675"))
@example(Decimal("999999999999999999.995"))
def test_cents_round_halves_away_from_zero(amount: Decimal) -> None:
    """As invoices do, and not to even; always with two decimals."""
    cents = to_cents(amount)
    assert Fraction(cents) == half_away_from_zero(Fraction(amount))
    assert cents.as_tuple().exponent == -2
    assert Money(amount, "EUR").rounded() == Money(cents, "EUR")


@given(amounts())
def test_rounding_is_the_same_for_credits(amount: Decimal) -> None:
    """And rounding once more changes nothing."""
    assert to_cents(-amount) == -to_cents(amount)
    assert str(to_cents(to_cents(amount))) == str(to_cents(amount))


@pytest.mark.parametrize("text", ["-0.001", "-0", "0", "-0E-18", "0.004"])
def test_what_rounds_to_zero_has_no_sign(text: str) -> None:
    """Nobody is billed -0.00."""
    assert str(to_cents(Decimal(text))) == "0.00"


@given(MONEY)
def test_the_precision_around_does_not_matter(money: Money) -> None:
    """A caller's decimal context, which other libraries may set, changes no result."""
    with localcontext() as context:
        context.prec = 3
        narrow = (to_cents(money.amount), add_up([money, money]), amount_of(money.amount))
    assert narrow == (to_cents(money.amount), add_up([money, money]), amount_of(money.amount))


@given(st.sampled_from(sorted(CURRENCIES)), st.sampled_from([str.lower, str.upper, str.title]))
def test_currencies_in_any_case(code: str, spelled: type[str]) -> None:
    """They come back in capitals."""
    assert currency_of(spelled(code)) == code


@given(st.text(max_size=5))
@example("u\u017fd")  # a long s, whose capital is S
@example("eur\n")
@example("EURO")
@example("XXX")
def test_nothing_else_is_a_currency(text: str) -> None:
    """Whatever its capitals look like."""
    code = outcome(currency_of, text, "budget_currency")
    if isinstance(code, Invalid):
        assert code.field == ("budget_currency",)
        assert "ISO 4217" in code.message
    else:
        assert text.isascii()
        assert text.upper() == code
        assert code in CURRENCIES
