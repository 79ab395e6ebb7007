"""From GraphQL inputs to the domains': what was left out stays out, and what no database can take is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar

import strawberry

from opsgraph.graphql.problems import camel_case
from opsgraph.kernel.refusals import Invalid

MOST_VALUES = 1_000
"""How many values one condition of a filter takes; each is a parameter of an SQL statement."""

TargetT = TypeVar("TargetT")
InputT = TypeVar("InputT")

Input = Annotated[
    InputT, strawberry.argument(description="What is wanted; the fields of its type say what each means.")
]
"""The one argument of a mutation."""


def given(source: Any, *, nulls: bool = True) -> dict[str, Any]:
    """The members of an input that the client gave, by name.

    Args:
        source: the input.
        nulls: whether an explicit null is given, too, as it is where it clears something.
    """
    values = {field.name: getattr(source, field.name) for field in fields(source)}
    return {
        name: value for name, value in values.items() if value is not strawberry.UNSET and (nulls or value is not None)
    }


def frozen(source: Any, target: type[TargetT], *ignored: str) -> TargetT:
    """A filter as the domain has it: hashable, with tuples for lists; null equals leaving out.

    Raises:
        Invalid: a list has more than 1,000 values.
    """
    values = given(source, nulls=False) if is_dataclass(source) else {}
    for name, value in values.items():
        if isinstance(value, list) and len(value) > MOST_VALUES:
            raise Invalid(f"{name} has {len(value):,} values; at most {MOST_VALUES:,} are accepted", ("filter", name))
    return target(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name not in ignored
        }
    )


def refuse_nul(arguments: Mapping[str, Any]) -> None:
    """Refuse U+0000 anywhere in the arguments of a field: PostgreSQL cannot even compare a text that contains it.

    Raises:
        Invalid: a text contains it; names the path.
    """
    for name, value in arguments.items():
        _refuse_nul(value, (name,))


def _refuse_nul(value: Any, path: tuple[str, ...]) -> None:
    if isinstance(value, str):
        if "\0" in value:
            place = ".".join(camel_case(part) for part in path)
            position = value.index("\0")
            raise Invalid(f"{place} contains the character U+0000 at position {position}, which is not accepted", path)
    elif isinstance(value, list | dict) or is_dataclass(value):
        for name, member in _members(value):
            _refuse_nul(name, path)
            _refuse_nul(member, (*path, name))


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, list):
        return ((str(place), member) for place, member in enumerate(value))
    return value.items() if isinstance(value, dict) else vars(value).items()
