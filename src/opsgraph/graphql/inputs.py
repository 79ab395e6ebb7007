"""From GraphQL inputs to the domains': what was left out stays out."""

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import strawberry

TargetT = TypeVar("TargetT")


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
    """A filter as the domain has it: hashable, with tuples for lists; null equals leaving out."""
    values = given(source, nulls=False) if is_dataclass(source) else {}
    return target(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name not in ignored
        }
    )
