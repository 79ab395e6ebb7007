"""What an operation asks for, estimated before it runs: objects requested, multiplied by page sizes."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from graphql.utilities import value_from_ast_untyped
from strawberry.extensions import SchemaExtension

from opsgraph.graphql.documents import limit_error
from opsgraph.kernel.pages import DEFAULT_SIZE
from opsgraph.settings import Settings

LARGEST_LIST = 500
"""What a plain list that takes `first` holds at most, and if it is left out."""

LONGEST = "opsgraph.longest"
"""The key under which the metadata of a plain list that can be long says how many it has at most, or usually."""

_LISTED = frozenset({"nodes", "edges"})
_CEILING = 10**12  # beyond it nobody needs to know how much more it is


def limiting_cost(settings: Settings) -> type[SchemaExtension]:
    """The extension that refuses an operation whose estimated cost is over the limit."""

    class CostLimit(SchemaExtension):
        """Estimates before anything is loaded."""

        def on_execute(self) -> Iterator[None]:
            context = self.execution_context
            if context.graphql_document is not None:
                schema = context.schema._schema  # noqa: SLF001 - Strawberry has no public name for it
                estimate = Estimate(schema, context.graphql_document, context.variables or {})
                cost = estimate.of_operation(context.operation_name)
                if cost > settings.max_cost:
                    raise limit_error("cost", settings.max_cost, cost)
            yield

    return CostLimit


class Estimate:
    """The cost of a validated document with these variables.

    An object counts 1. A connection multiplies what is selected of its nodes by its page size; one of which only
    totalCount or pageInfo is selected counts 1. A plain list that takes `first` or says how long it gets multiplies as
    well; any other counts as one object, being short by design.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._document = document
        self._variables = dict(variables)
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._fragment_costs: dict[str, int] = {}
        self._listing_fragments: dict[str, bool] = {}

    def of_operation(self, name: str | None) -> int:
        """The cost of the operation of that name, or of the only one; 0 if there is none."""
        for definition in self._document.definitions:
            if isinstance(definition, OperationDefinitionNode) and _is_named(definition, name):
                self._variables = {**_defaults(definition), **self._variables}
                root = self._schema.get_root_type(definition.operation)
                return self._of_selections(definition.selection_set, root)
        return 0

    def _of_selections(self, selections: SelectionSetNode, parent: Any) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total += self._of_field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                total += self._of_selections(selection.selection_set, inner)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._of_fragment(selection.name.value)
        return min(total, _CEILING)

    def _of_fragment(self, name: str) -> int:
        if name not in self._fragment_costs:
            fragment = self._fragments[name]
            parent = self._schema.get_type(fragment.type_condition.name.value)
            self._fragment_costs[name] = self._of_selections(fragment.selection_set, parent)
        return self._fragment_costs[name]

    def _of_field(self, field: FieldNode, parent: Any) -> int:
        definition = getattr(parent, "fields", {}).get(field.name.value)
        returned = get_named_type(definition.type) if definition else None
        if definition is None or field.selection_set is None or not is_composite_type(returned):
            return 0
        inner = self._of_selections(field.selection_set, returned)
        if _is_connection(returned):
            size = self._page_size(field, DEFAULT_SIZE) if self._lists_nodes(field.selection_set) else 0
            return 1 + size * max(inner, 1)
        if _is_sized_list(definition):
            return self._page_size(field, LARGEST_LIST) * (1 + inner)
        return _longest(definition) * (1 + inner)

    def _lists_nodes(self, selections: SelectionSetNode) -> bool:
        for selection in selections.selections:
            if isinstance(selection, FieldNode) and selection.name.value in _LISTED:
                return True
            if isinstance(selection, InlineFragmentNode) and self._lists_nodes(selection.selection_set):
                return True
            if isinstance(selection, FragmentSpreadNode) and self._fragment_lists_nodes(selection.name.value):
                return True
        return False

    def _fragment_lists_nodes(self, name: str) -> bool:
        # Remembered, because fragments that spread each other twice make as many paths as there are subsets of them.
        if name not in self._listing_fragments:
            self._listing_fragments[name] = self._lists_nodes(self._fragments[name].selection_set)
        return self._listing_fragments[name]

    def _page_size(self, field: FieldNode, default: int) -> int:
        for argument in field.arguments or ():
            if argument.name.value in {"first", "last"}:
                size = value_from_ast_untyped(argument.value, self._variables)
                if isinstance(size, int | float):  # the Int of a variable may come as 200.0
                    return int(min(max(size, 0), LARGEST_LIST))
        return default


def _is_named(definition: OperationDefinitionNode, name: str | None) -> bool:
    return name is None or (definition.name is not None and definition.name.value == name)


def _defaults(definition: OperationDefinitionNode) -> dict[str, Any]:
    return {
        variable.variable.name.value: value_from_ast_untyped(variable.default_value)
        for variable in definition.variable_definitions or ()
        if variable.default_value is not None
    }


def _is_connection(returned: Any) -> bool:
    return isinstance(returned, GraphQLObjectType) and "pageInfo" in returned.fields


def _is_sized_list(definition: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(definition.type)) and "first" in definition.args


def _longest(definition: GraphQLField) -> int:
    declared = definition.extensions.get("strawberry-definition")
    longest: int = declared.metadata.get(LONGEST, 1) if declared else 1
    return longest
