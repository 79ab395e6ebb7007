"""Habits that the project does without."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.sources import SRC, TESTS, Source, python_files

TEST_SOURCES = python_files(TESTS)
EVERYTHING = [*python_files(SRC), *TEST_SOURCES]
PUT_OFF = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
EXCUSE = re.compile(r"\b(noqa|type: ignore|pragma: no cover|nosec|pylint:|mypy:)")
REASONED = re.compile(
    r"# (noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* - |type: ignore\[[a-z-]+(, ?[a-z-]+)*\]  # |pragma: no cover - )\S"
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "lib"}


def comments(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Every comment that has something, with its place."""
    for source in EVERYTHING:
        if pattern.search(source.text):
            yield from ((source.at(line), text) for line, text in source.comments if pattern.search(text))


def test_nothing_is_put_off() -> None:
    """What is to be done is done, decided against, or written down where decisions are."""
    assert list(comments(PUT_OFF)) == []


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    """Behind the rule that it names."""
    assert [(place, text) for place, text in comments(EXCUSE) if not REASONED.search(text)] == []


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# noqa: S105 - made up", True),
        ("# noqa: S105, S106 - made up", True),
        ("# type: ignore[arg-type]  # the library has no types", True),
        ("# noqa: S105", False),
        ("# noqa", False),
        ("# noqa - because", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore  # because", False),
    ],
)
def test_what_counts_as_a_reason(comment: str, reasoned: bool) -> None:
    """A rule without a reason does not, nor a reason without a rule."""
    assert EXCUSE.search(comment)
    assert bool(REASONED.search(comment)) == reasoned


def sleeps(tree: ast.AST) -> Iterator[int]:
    """The lines in which code waits for time to pass; to sleep for 0 is to let others go first."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sleep":
            waits = [ast.unparse(argument) for argument in node.args]
            if waits != ["0"]:
                yield node.lineno


def test_tests_wait_for_conditions_and_not_for_time() -> None:
    """Or they move the clock: what waits for time is slow at best and flaky at worst."""
    assert [source.at(line) for source in TEST_SOURCES for line in sleeps(source.tree)] == []


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        ("time.sleep(1)", True),
        ("await asyncio.sleep(0.01)", True),
        ("sleep(seconds)", True),
        ("await asyncio.sleep(0)", False),
        ("clock.move(seconds=1)", False),
    ],
)
def test_what_counts_as_waiting_for_time(code: str, waits: bool) -> None:
    """However it is imported."""
    assert bool(list(sleeps(ast.parse(code)))) == waits


def test_no_module_is_named_for_nothing_in_particular() -> None:
    """Modules are named for what they hold."""
    named = {source.at(1): {source.path.stem, *source.path.parent.parts} for source in EVERYTHING}
    assert [place for place, names in named.items() if names & VAGUE] == []


def test_packages_hand_nothing_on() -> None:
    """Everything has one address: the `__init__.py` of a package imports none of ours, unless for a stated effect."""
    packages = [source for source in EVERYTHING if source.path.name == "__init__.py"]
    found = [
        f"{source.at(node.lineno)} {ast.unparse(node)}"
        for source in packages
        for node in source.tree.body
        if re.match(r"(import|from) (opsgraph|tests|\.)", ast.unparse(node)) and not _for_effect(source, node)
    ]
    assert found == []


def _for_effect(source: Source, node: ast.stmt) -> bool:
    return bool(re.search(r"# noqa: F401 - \S", source.text.splitlines()[node.lineno - 1]))
