"""The source files of the project, as the architecture tests read them."""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TypeAlias

from tests.packaging import ROOT

SRC = ROOT / "src" / "opsgraph"
TESTS = ROOT / "tests"
_OF_OTHERS = {"vendor", "node_modules", "__pycache__"}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = Function | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """A Python file of ours."""

    path: Path

    @cached_property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        """What that means."""
        return ast.parse(self.text)

    @property
    def functions(self) -> Iterator[Function]:
        """Every function, those within others included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        """Every comment with its line."""
        tokens = tokenize.generate_tokens(StringIO(self.text).readline)
        return ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)

    def at(self, line: int) -> str:
        """A place in it, as editors and people read it."""
        return f"{self.path.relative_to(ROOT)}:{line}"


def python_files(folder: Path) -> list[Source]:
    """Every Python file below a folder that was written here."""
    return [Source(path) for path in files(folder, ".py")]


def files(folder: Path, *suffixes: str) -> list[Path]:
    """Every file below a folder that was written here, by its kind."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in suffixes)
    return [path for path in found if _OF_OTHERS.isdisjoint(path.parts)]


def lines_of(node: Function) -> int:
    """How long a function is, its signature and docstring included."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
