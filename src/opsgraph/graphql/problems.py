"""Refusals as data: the `Problem` member of every mutation's union."""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import strawberry
from strawberry.schema.exception_handlers import ExceptionHandler
from strawberry.types.field import StrawberryField

from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.refusals import Refusal, RefusalCode

FREE = frozenset({"annotations", "labels", "values"})
"""The inputs that take JSON: what is beneath them is called as the client called it."""


@strawberry.type(description="An expected refusal: nothing was changed.")
class Problem:
    """An expected refusal."""

    code: RefusalCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, for people: one sentence that names what was refused.")
    field: list[str] | None = strawberry.field(description="The path of the offending input, if one is to blame.")
    details: JSON | None = strawberry.field(description="What a program needs to react, such as what is allowed.")


class RefusalHandler(ExceptionHandler[Refusal, Problem]):
    """Turns a refusal raised in a mutation into the `Problem` of its union."""

    def handle(self, exception: Refusal, *, field: StrawberryField, info: strawberry.Info[Any, Any]) -> Problem:  # noqa: ARG002 - the protocol's
        """Make the problem; the path of the input begins with the argument it came in."""
        return problem_of(exception, [argument.graphql_name or argument.python_name for argument in field.arguments])


def problem_of(refusal: Refusal, arguments: list[str]) -> Problem:
    """The problem that tells of a refusal, for a field with these arguments."""
    path = _called(refusal.field) if refusal.field else None
    if path and "input" in arguments and path[0] not in arguments:
        path = ["input", *path]
    return Problem(
        code=refusal.code,
        message=message_of(refusal),
        field=path,
        details=JSON(refusal.details) if refusal.details else None,
    )


def message_of(refusal: Refusal) -> str:
    """A refusal's message, in which the offending input is called as the client calls it."""
    message = refusal.message
    for name in _named_here(refusal.field or ()):
        message = message.replace(name, camel_case(name))
    return message


def camel_case(name: str) -> str:
    """A Python name as GraphQL writes it."""
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)


def _called(path: Iterable[str]) -> list[str]:
    """A path as the client calls it."""
    parts = list(path)
    ours = len(list(_named_here(parts)))
    return [camel_case(part) for part in parts[:ours]] + parts[ours:]


def _named_here(path: Iterable[str]) -> Iterable[str]:
    """The parts of a path that have their names from the schema, but for one that takes JSON."""
    return takewhile(lambda part: part not in FREE, path)
