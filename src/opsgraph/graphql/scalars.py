"""The three custom scalars, strict in both directions."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal as ExactDecimal
from decimal import InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import (
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    value_from_ast_untyped,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from opsgraph.graphql.names import Names
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.text import shown

JSON = NewType("JSON", object)
"""Any JSON value."""

_RFC3339 = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?", re.ASCII)


def read_instant(value: Any) -> datetime:
    """Read an RFC 3339 instant with a zone into UTC; finer than a microsecond is cut.

    Raises:
        GraphQLError: another form (a bare year, no zone) or a date that does not exist.
    """
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError("DateTime takes RFC 3339 with a zone, such as 2024-05-01T12:00:00Z" + _given(value))
    day, time, fraction, zone = match.groups()
    text = f"{day}T{time}{(fraction or '')[:7]}{'+00:00' if zone in 'Zz' else zone}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise GraphQLError(f"DateTime {shown(value)} is not an instant that exists") from error


def write_instant(value: Any) -> str:
    """Write an aware instant as RFC 3339 with ``Z``."""
    return rfc3339(value)


def read_decimal(value: Any) -> ExactDecimal:
    """Read an exact decimal from a string or a number; never NaN or an infinity.

    Raises:
        GraphQLError: anything else.
    """
    text = value if isinstance(value, str) else repr(value) if _is_number(value) else ""
    if not _DECIMAL.fullmatch(text):
        raise GraphQLError(
            'Decimal takes a finite number, as a string such as "4200.50" or as a number' + _given(value)
        )
    try:
        return ExactDecimal(text)
    except InvalidOperation as error:
        raise GraphQLError(f"Decimal is not a number{_given(value)}") from error


def write_decimal(value: Any) -> str:
    """Write an exact decimal as plain digits, never with an exponent."""
    return format(ExactDecimal(value), "f")


def _instant_literal(node: ValueNode, _variables: Any = None) -> datetime:
    with _placed_at(node):
        return read_instant(node.value if isinstance(node, StringValueNode) else None)


def _decimal_literal(node: ValueNode, _variables: Any = None) -> ExactDecimal:
    with _placed_at(node):
        if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
            return read_decimal(node.value)
        return read_decimal(None)


def _json_literal(node: ValueNode, variables: Any = None) -> Any:
    try:
        return _plain(value_from_ast_untyped(node, variables))
    except ValueError as error:
        raise GraphQLError("JSON takes finite numbers of a sensible size", node) from error


def _plain(value: Any) -> Any:
    """A literal's value without the variables in it that were not given; an infinite number is a ValueError."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items() if member is not Undefined}
    if isinstance(value, list):
        return [None if member is Undefined else _plain(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("infinite")
    return value


@contextmanager
def _placed_at(node: ValueNode) -> Iterator[None]:
    """Say in an error where in the document the literal stands."""
    try:
        yield
    except GraphQLError as error:
        raise GraphQLError(error.message, node) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _given(value: Any) -> str:
    return f", not {shown(value)}" if isinstance(value, str) else ""


def _definition(name: str, description: str, **functions: Any) -> ScalarDefinition:
    definition: ScalarDefinition = strawberry.scalar(name=name, description=description, **functions)
    return definition


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _definition(
        "DateTime",
        "An instant: RFC 3339 with a zone, always written in UTC with Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_instant,
        parse_value=read_instant,
        parse_literal=_instant_literal,
    ),
    ExactDecimal: _definition(
        "Decimal",
        "An exact decimal number, written as a string of plain digits; never NaN or infinite.",
        serialize=write_decimal,
        parse_value=read_decimal,
        parse_literal=_decimal_literal,
    ),
    JSON: _definition(
        "JSON",
        "Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        parse_literal=_json_literal,
    ),
}
"""What the schema's configuration maps Python types to."""


def scalar_config(*, suggestions: bool) -> StrawberryConfig:
    """The schema's configuration with these scalars and names.

    Args:
        suggestions: whether error messages suggest names that exist.
    """
    return StrawberryConfig(scalar_map=SCALARS, name_converter=Names(), disable_field_suggestions=not suggestions)
