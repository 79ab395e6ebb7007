"""A subscription that was asked for, made ready to run: parsed, valid, within the limits, its variables coerced."""

import json
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Hashable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    located_error,
    visit,
)
from graphql.execution import Executor, create_source_event_stream
from graphql.execution.collect_fields import collect_fields
from graphql.utilities import get_operation_ast, value_from_ast_untyped

from opsgraph.graphql.complexity import Estimate
from opsgraph.graphql.context import Context
from opsgraph.graphql.documents import limit_error
from opsgraph.graphql.requests import GraphQLRequest
from opsgraph.graphql.rights import ROLES, SHARED
from opsgraph.graphql.schema import Schema
from opsgraph.kernel.actor import Role

AFTER = "after"
"""The argument by which a field begins behind a cursor; without it, it begins now."""


class Unacceptable(Exception):  # noqa: N818 - named for the answer
    """A subscription that cannot be run, with what is wrong with it."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription ready to run.

    Attributes:
        executor: runs it; without a context of its own.
        field: its one root field, as the document has it.
        name: the name of that field.
        roles: any one of them is enough to run it.
        shared: whether identical ones may be run once for all.
        resume_after: the cursor that the client's headers name; it wins over the argument.
        replays: whether it begins behind a cursor.
        key: equal for those that give the same from now on, if rights are equal as well.
    """

    executor: Executor[Any]
    field: FieldNode
    name: str
    roles: frozenset[Role]
    shared: bool
    resume_after: str | None
    replays: bool
    key: Hashable

    async def events(self, context: Context) -> AsyncIterable[Any]:
        """Begin; gives the events as the field's resolver does.

        Raises:
            Unacceptable: the arguments are not right.
        """
        found = create_source_event_stream(self._run_by(context, None))
        stream = await found if isinstance(found, Awaitable) else found
        if isinstance(stream, ExecutionResult):
            raise Unacceptable(stream.errors or [])
        return stream

    async def execute(self, event: Any, context: Context) -> ExecutionResult:
        """What the subscription selects of one event."""
        result: Any = self._run_by(context, event).execute_operation(False)
        found: ExecutionResult = await result if isawaitable(result) else result
        return found

    def failed(self, error: Exception) -> list[GraphQLError]:
        """What ended the stream, as an error of its field."""
        if isinstance(error, Unacceptable):
            return error.errors
        return [located_error(error, [self.field], [(self.field.alias or self.field.name).value])]

    def _run_by(self, context: Context, event: Any) -> Executor[Any]:
        executor = self.executor.build_per_event_executor(event)
        executor.context_value = context
        return executor


def prepared(schema: Schema, request: GraphQLRequest, resume_after: str | None = None) -> Subscription | None:
    """Make a subscription ready; None if the request asks for something else, or for nothing that can be read.

    Raises:
        Unacceptable: it is a subscription and cannot be run.
    """
    core = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
    try:
        found = schema.documents.prepare(request.query, core)
    except GraphQLError:
        return None
    operation = get_operation_ast(found.document, request.operation_name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        return None
    executor = _executor(schema, found.document, found.errors, request)
    field = _root_field(executor, operation)
    metadata = _declared(executor, field).metadata
    after = next((argument for argument in field.arguments or () if argument.name.value == AFTER), None)
    return Subscription(
        executor=executor,
        field=field,
        name=field.name.value,
        roles=metadata[ROLES],
        shared=metadata[SHARED],
        resume_after=resume_after,
        replays=resume_after is not None or _is_given(executor, after),
        key=_key(request, found.document, after),
    )


def _executor(
    schema: Schema, document: DocumentNode, errors: list[GraphQLError], request: GraphQLRequest
) -> Executor[Any]:
    core = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
    limit = schema.settings.max_cost
    if not errors:
        cost = Estimate(core, document, request.variables or {}).of_operation(request.operation_name)
        errors = [limit_error("cost", limit, cost)] if cost > limit else []
    if not errors:
        kind = schema.execution_context_class or Executor
        built = kind.build(core, document, raw_variable_values=request.variables, operation_name=request.operation_name)
        if isinstance(built, Executor):
            return built
        errors = built
    schema.process_errors(errors)
    raise Unacceptable(errors)


def _root_field(executor: Executor[Any], operation: OperationDefinitionNode) -> FieldNode:
    """The one root field, in a fragment or not; validation has seen to it that there are no others."""
    root = executor.schema.subscription_type
    assert root is not None  # noqa: S101 - a document with a subscription would not be valid otherwise
    collected = collect_fields(executor.schema, executor.fragments, executor.variable_values, root, operation)
    return next(iter(collected.grouped_field_set.values()))[0].node


def _declared(executor: Executor[Any], field: FieldNode) -> Any:
    """The field as it was declared to Strawberry."""
    root = executor.schema.subscription_type
    assert root is not None  # noqa: S101 - as above
    return root.fields[field.name.value].extensions["strawberry-definition"]


def _is_given(executor: Executor[Any], argument: ArgumentNode | None) -> bool:
    if argument is None:
        return False
    return value_from_ast_untyped(argument.value, executor.variable_values.coerced) not in {None, Undefined}


def _key(request: GraphQLRequest, document: DocumentNode, after: ArgumentNode | None) -> Hashable:
    """Text, operation and variables, but for the variable that says where to begin and nothing else."""
    variables = dict(request.variables or {})
    if after is not None and isinstance(after.value, VariableNode):
        name = after.value.name.value
        if _uses(document)[name] == 2:  # its definition, and here
            variables.pop(name, None)
    return request.query, request.operation_name, _canonical(variables)


def _canonical(variables: Mapping[str, Any]) -> str:
    return json.dumps(variables, sort_keys=True)


def _uses(document: DocumentNode) -> Counter[str]:
    counter = _Variables()
    visit(document, counter)
    return counter.counted


class _Variables(Visitor):
    """Counts the places where each variable is named."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.counted[node.name.value] += 1
