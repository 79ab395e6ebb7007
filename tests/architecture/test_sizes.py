"""Files and functions stay small enough to read at a glance."""

from functools import cache
from pathlib import Path
from statistics import median

import pytest

from tests.packaging import ROOT
from tests.support.sources import SRC, TESTS, files, lines_of, python_files

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
USUAL_FUNCTION = 25
USUAL_SHARE = 0.9
MEDIAN_FUNCTION = 8
WRITTEN = (".py", ".js", ".css", ".html", ".graphql", ".mjs")

OF_OTHERS = {"tests/contract/contract.graphql"}


@cache
def functions() -> dict[str, int]:
    """How long each function is, by its place."""
    return {
        source.at(function.lineno): lines_of(function) for source in python_files(SRC) for function in source.functions
    }


@pytest.mark.parametrize("folder", [SRC, TESTS], ids=["src", "tests"])
def test_files_are_short(folder: Path) -> None:
    """A longer one holds more than its name says."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files(folder, *WRITTEN)}
    assert {path: n for path, n in lengths.items() if n > LONGEST_FILE and path not in OF_OTHERS} == {}


def test_no_function_is_long() -> None:
    """Signature and docstring count, because they are read as well."""
    assert {place: length for place, length in functions().items() if length > LONGEST_FUNCTION} == {}


def test_nearly_all_functions_fit_a_glance() -> None:
    """The rest is named, longest first."""
    longer = sorted(((length, place) for place, length in functions().items() if length > USUAL_FUNCTION), reverse=True)
    assert len(longer) <= (1 - USUAL_SHARE) * len(functions()), longer


def test_most_functions_are_a_few_lines() -> None:
    """Half of them or more."""
    assert median(functions().values()) <= MEDIAN_FUNCTION
