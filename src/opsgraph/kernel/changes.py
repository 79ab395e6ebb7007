"""Partial input: what was left out stays as it is, an explicit null clears."""

from dataclasses import fields
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar


class Unset(Enum):
    """The type of `UNSET`: a value that was left out, as opposed to given as null."""

    UNSET = "UNSET"


UNSET: Literal[Unset.UNSET] = Unset.UNSET

ValueT = TypeVar("ValueT")

Maybe: TypeAlias = ValueT | Literal[Unset.UNSET]
"""A value that may have been left out."""


def given(values: Any, *names: str) -> dict[str, Any]:
    """The attributes of a dataclass that were given, by name; only the named ones if any are named."""
    wanted = names or tuple(field.name for field in fields(values))
    return {name: getattr(values, name) for name in wanted if getattr(values, name) is not UNSET}


def or_kept(value: Maybe[ValueT], kept: ValueT) -> ValueT:
    """The given value, or the one that was there."""
    return kept if value is UNSET else value
