"""DateTime, Decimal and JSON: what is read is what was written, and nothing else is taken."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, SourceLocation
from hypothesis import assume, example, given
from hypothesis import strategies as st

from opsgraph.graphql.scalars import (
    JSON,
    SCALARS,
    read_decimal,
    read_instant,
    scalar_config,
    write_decimal,
    write_instant,
)

INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - the zone is drawn beside it
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the zone is drawn beside it
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
EXACT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40) + 1, max_value=10**40 - 1)
NAMES = st.from_regex(r"[_a-zA-Z][_a-zA-Z0-9]{0,8}", fullmatch=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), FINITE, st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=15,
)
WORDS = {None: "null", True: "true", False: "false"}


@strawberry.type
class Query:
    """Gives back what it gets."""

    @strawberry.field
    def instant(self, value: datetime) -> datetime:
        """An instant."""
        return value

    @strawberry.field
    def amount(self, value: Decimal) -> Decimal:
        """A decimal."""
        return value

    @strawberry.field
    def anything(self, value: JSON) -> JSON:
        """A JSON value."""
        return value


ECHO = strawberry.Schema(query=Query, config=scalar_config(suggestions=True))


def echoed(field: str, literal: str) -> Any:
    """What a field gives back for a literal."""
    result = ECHO.execute_sync(f"{{ {field}(value: {literal}) }}")
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data[field]


def literal(value: Any) -> str:
    """A JSON value as GraphQL writes it: keys without quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(member) for member in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\u{{{ord(character):x}}}" for character in value) + '"'
    return WORDS[value] if value is None or isinstance(value, bool) else repr(value)


@given(INSTANTS)
def test_an_instant_is_read_back_as_it_was_written(value: datetime) -> None:
    """From every zone, to the microsecond, in UTC with Z."""
    written = write_instant(value)
    assert written.endswith("Z")
    assert read_instant(written) == read_instant(value.isoformat()) == value
    assert read_instant(written).tzinfo is UTC
    assert echoed("instant", f'"{value.isoformat()}"') == written


@given(INSTANTS, st.text("0123456789", min_size=1, max_size=9))
def test_what_is_finer_than_a_microsecond_is_cut(value: datetime, fraction: str) -> None:
    """RFC 3339 has any number of digits; nine are taken, six are kept."""
    whole = value.replace(microsecond=0)
    base, zone = whole.isoformat()[:19], whole.isoformat()[19:]
    kept = int(fraction[:6].ljust(6, "0"))
    assert read_instant(f"{base}.{fraction}{zone}") == whole + timedelta(microseconds=kept)


@given(st.text())
@example("2024-01-01T00:00:00")
@example("2024-W01-1T00:00:00Z")
@example("2024-01-01T00:00:00Z\n")
@example("\uff12\uff10\uff12\uff14-01-01T00:00:00Z")
@example("2024-01-01T00:00:00+00:00:00")
def test_any_other_text_is_no_instant(text: str) -> None:
    """It is refused in our words, whatever it is."""
    with pytest.raises(GraphQLError, match="DateTime"):
        read_instant(text)


@given(EXACT)
def test_a_decimal_is_read_back_as_it_was_written(value: Decimal) -> None:
    """Digit for digit, with its trailing zeros, without an exponent; as a text and as a number."""
    written = write_decimal(value)
    assume(len(written.partition(".")[2]) <= 40)
    assert set(written) <= set("-.0123456789")
    assert read_decimal(written) == value
    assert echoed("amount", f'"{written}"') == echoed("amount", written) == written


@given(FINITE, st.integers(-(10**39), 10**39))
def test_a_number_is_taken_for_its_shortest_decimal(fraction: float, whole: int) -> None:
    """0.1 is 0.1 and not what a double makes of it."""
    assume(1e-39 < abs(fraction) < 1e39)
    assert read_decimal(fraction) == Decimal(repr(fraction))
    assert read_decimal(whole) == whole


@given(st.one_of(st.text(), st.sampled_from([None, True, False, [], {}, math.nan, math.inf, -math.inf])))
@example("1_000")
@example("\uff11")
@example("1\n")
@example("0x1")
@example("--1")
@example("1e+")
@example("9" * 41)
@example("1." + "0" * 41)
def test_any_other_value_is_no_decimal(value: Any) -> None:
    """Not NaN, not an infinity, not true; a text only if it is one number."""
    assume(not isinstance(value, str) or not re.fullmatch("-?[0-9]{1,40}", value))
    with pytest.raises(GraphQLError, match="Decimal takes a finite number"):
        read_decimal(value)


@given(VALUES)
def test_a_json_value_is_read_back_as_it_was_written(value: Any) -> None:
    """As a variable and as a literal, whatever it consists of."""
    variable = ECHO.execute_sync("query ($value: JSON!) { anything(value: $value) }", {"value": value})
    if value is None:
        assert variable.errors
        return
    assert variable.data == {"anything": value}
    assert echoed("anything", literal(value)) == value


def test_json_literals_may_hold_variables() -> None:
    """Those that were not given are left out, and null in a list."""
    document = "query ($a: String, $b: String) { anything(value: {a: $a, b: $b, c: [1, $a, $b]}) }"
    result = ECHO.execute_sync(document, {"a": "x"})
    assert result.data == {"anything": {"a": "x", "c": [1, "x", None]}}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 5_000])
def test_numbers_that_no_json_can_hold_are_refused_with_their_place(number: str) -> None:
    """Infinite ones would come back as null, enormous ones cannot even be read."""
    result = ECHO.execute_sync(f"{{\n  anything(value: {{a: [{number}]}}) }}")
    assert result.errors is not None
    assert "JSON takes " in result.errors[0].message
    assert result.errors[0].locations == [SourceLocation(2, 19)]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("instant", "2024"),
        ("instant", "[]"),
        ("instant", '"x"'),
        ("amount", '"x"'),
        ("amount", "true"),
        ("amount", "{}"),
    ],
)
def test_a_wrong_literal_is_refused_with_its_place(field: str, wrong: str) -> None:
    """Line and column of the literal itself."""
    errors = ECHO.execute_sync(f"{{\n {field}(value: {wrong}) }}").errors
    assert errors is not None
    assert errors[0].locations == [SourceLocation(2, len(field) + 10)]


def test_each_scalar_says_what_it_is() -> None:
    """With its specification, where there is one."""
    assert {scalar.name for scalar in SCALARS.values()} == {"DateTime", "Decimal", "JSON"}
    assert all(scalar.description for scalar in SCALARS.values())
