"""Expressions over manifests, and what evaluates them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opsgraph.domains.readiness.model.manifests import FieldType

LENGTH = 2_000
"""How many characters an expression has at most."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an expression came to: a truth value, or why there is none.

    Attributes:
        undecided: it was not evaluated, for others took what there is for one call; another call may get to it.
    """

    value: bool | None = None
    error: str | None = None
    undecided: bool = False


class Expressions(Protocol):
    """Compiles and evaluates CEL expressions, within limits of time, steps and memory."""

    async def check(self, expression: str, fields: Mapping[str, FieldType]) -> None:
        """Accept an expression over variables of these names and types that is true or false.

        Raises:
            Invalid: it does not compile, names something unknown, is of another type or breaks a limit; the message
                and the details (`line`, `column`) say where.
            Conflict: no expression can be compiled here now; says why.
        """
        ...

    async def evaluate(
        self, expressions: Sequence[str], fields: Mapping[str, FieldType], bindings: Sequence[Mapping[str, Any]]
    ) -> list[list[Evaluated]]:
        """The value of each expression under each binding: one list a binding, in the order of the expressions.

        Never raises for what an expression does, nor where none can be evaluated: that is an error in its place. Of
        many bindings some may be left undecided, of one none.
        """
        ...
