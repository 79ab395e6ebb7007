"""Everything public says what it is."""

import ast
from collections.abc import Iterator

from tests.support.sources import SRC, TESTS, Definition, Source, python_files


def public(source: Source) -> Iterator[tuple[str, ast.Module | Definition]]:
    """A module and its public classes, functions and methods, each with its place."""
    yield source.at(1), source.tree
    yield from _public_within(source, source.tree)


def _public_within(source: Source, parent: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Definition]]:
    for node in parent.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{source.at(node.lineno)} {node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public_within(source, node)


def test_what_is_public_has_a_docstring() -> None:
    """Modules, classes, functions and methods."""
    named = (member for source in python_files(SRC) for member in public(source))
    assert [place for place, node in named if not ast.get_docstring(node)] == []


def test_tests_say_what_they_show() -> None:
    """Each module and each test function, in words that a failure can be understood by."""
    sources = [source for source in python_files(TESTS) if source.text]
    silent = [source.at(1) for source in sources if not ast.get_docstring(source.tree)]
    silent += [
        f"{source.at(function.lineno)} {function.name}"
        for source in sources
        for function in source.functions
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert silent == []
