"""Parsing, validation and the limits that need no variables, remembered per query text.

Limits are checked before validation, because validating a hostile document is what they protect from.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
)
from graphql.validation import ASTValidationRule, NoSchemaIntrospectionCustomRule
from graphql.validation.validate import ValidationAbortedError
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from opsgraph.settings import Settings

LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
_MOST_REMEMBERED = 500
_LONGEST_REMEMBERED = 20_000
_CHARACTERS_REMEMBERED = 500_000
"""A document takes up to 300 times its text in memory, so that the number of texts alone would not bound it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document and what validation found wrong with it."""

    document: DocumentNode
    errors: list[GraphQLError]


class Documents:
    """Prepares query texts as the settings say and remembers the latest ones."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._remembered: OrderedDict[str, Prepared] = OrderedDict()
        self._characters = 0
        self._rules = _rules(introspection=settings.introspection == "on")

    def prepare(self, text: str, schema: GraphQLSchema) -> Prepared:
        """Parse, check the limits and validate.

        Raises:
            GraphQLError: a syntax error, or a limit was exceeded; validation errors are in the result.
        """
        prepared = self._remembered.get(text)
        if prepared is not None:
            self._remembered.move_to_end(text)
            return prepared
        document = self._parse(text)
        check_limits(document, self._settings)
        errors = [_as_found(error) for error in validate_document(schema, document, self._rules)]
        prepared = Prepared(document, errors)
        if len(text) <= _LONGEST_REMEMBERED:
            self._remember(text, prepared)
        return prepared

    def _remember(self, text: str, prepared: Prepared) -> None:
        self._remembered[text] = prepared
        self._characters += len(text)
        while len(self._remembered) > _MOST_REMEMBERED or self._characters > _CHARACTERS_REMEMBERED:
            forgotten, _ = self._remembered.popitem(last=False)
            self._characters -= len(forgotten)

    def _parse(self, text: str) -> DocumentNode:
        limit = self._settings.max_tokens
        try:
            return parse(text, max_lexical_tokens=limit, max_comments=limit)
        except GraphQLError as error:
            if error.message.startswith(("Syntax Error: Document contains more than", "Syntax Error: Source contains")):
                raise limit_error("tokens", limit) from error
            if error.message.startswith("Syntax Error: Document is nested too deeply"):
                raise limit_error("levels of depth", self._settings.max_depth) from error
            raise


def preparing(documents: Documents) -> type[SchemaExtension]:
    """The extension that hands prepared documents to the executor."""

    class PreparedDocuments(SchemaExtension):
        """Replaces Strawberry's own parsing and validation."""

        def on_parse(self) -> Iterator[None]:
            context = self.execution_context
            self._prepared = documents.prepare(context.query or "", context.schema._schema)  # noqa: SLF001 - no other way
            if context._provided_operation_name is None:  # noqa: SLF001 - Strawberry hides that none was named
                _refuse_ambiguity(self._prepared.document)
            context.graphql_document = self._prepared.document
            yield

        def on_validate(self) -> Iterator[None]:
            self.execution_context.pre_execution_errors = self._prepared.errors
            yield

    return PreparedDocuments


def limit_error(what: str, limit: int, value: int | None = None) -> GraphQLError:
    """The error that names a limit, how much it allows and how much was found."""
    found = "more" if value is None else f"{value:,}"
    return GraphQLError(
        f"the operation exceeds the limit of {limit:,} {what}: it has {found}",
        extensions={"code": LIMIT_EXCEEDED, "limit": what, "maximum": limit, "value": value},
    )


def check_limits(document: DocumentNode, settings: Settings) -> None:
    """Refuse a document that is too deep or has too many aliases or directives.

    Raises:
        GraphQLError: names the limit and the value.
    """
    measured = _Measured(document)
    for what, limit, value in (
        ("levels of depth", settings.max_depth, measured.depth),
        ("aliases", settings.max_aliases, measured.aliases),
        ("directives", settings.max_directives, measured.directives),
    ):
        if value > limit:
            raise limit_error(what, limit, value)


class _Measured:
    """Depth, aliases and directives of a document; introspection does not count as depth."""

    def __init__(self, document: DocumentNode) -> None:
        self.aliases = 0
        self.directives = 0
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._fragment_depths: dict[str, int] = {}
        self.depth = 0
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
                self.directives += len(definition.directives or ())
                self._count(definition.selection_set)
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self.depth = max(self.depth, self._depth(definition.selection_set))

    def _count(self, selections: SelectionSetNode) -> None:
        for selection in selections.selections:
            self.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self.aliases += selection.alias is not None
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                self._count(selection.selection_set)

    def _depth(self, selections: SelectionSetNode) -> int:
        deepest = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                deepest = max(deepest, self._fragment_depth(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                deepest = max(deepest, self._depth(selection.selection_set))
            elif isinstance(selection, FieldNode) and not selection.name.value.startswith("__"):
                inner = self._depth(selection.selection_set) if selection.selection_set else 0
                deepest = max(deepest, 1 + inner)
        return deepest

    def _fragment_depth(self, name: str) -> int:
        if name not in self._fragment_depths and name in self._fragments:
            self._fragment_depths[name] = 0  # a fragment that contains itself is validation's matter
            self._fragment_depths[name] = self._depth(self._fragments[name].selection_set)
        return self._fragment_depths.get(name, 0)


def _as_found(error: GraphQLError) -> GraphQLError:
    """An error of validation in our words where the library's tell of its own workings."""
    if isinstance(error, ValidationAbortedError):
        message = "the operation repeats too many fields or fragments, or has too many errors, to be validated"
        return GraphQLError(message, extensions={"code": LIMIT_EXCEEDED})
    if error.original_error is None:
        return error
    # A literal that Python cannot read, such as an Int of 5,000 digits: the document's fault, not a bug of ours.
    return GraphQLError(error.message.replace(f", but encountered error '{error.original_error}'", ""), error.nodes)


def _refuse_ambiguity(document: DocumentNode) -> None:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) > 1:
        raise GraphQLError(
            f"the document has {len(operations)} operations; name the one to run in operationName",
            extensions={"code": "BAD_INPUT"},
        )


def _rules(*, introspection: bool) -> tuple[type[ASTValidationRule], ...]:
    return specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
