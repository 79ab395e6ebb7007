"""The help of every command teaches, and costs little."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from opsgraph.cli.commands import COMMANDS, imported
from opsgraph.cli.main import app
from tests.packaging.environments import run
from tests.support.cli import called

HEAVY = ("alembic", "sqlalchemy", "starlette", "strawberry", "uvicorn")
IMPORTED = f"""
import atexit, sys
atexit.register(lambda: print("imported:", *sorted({set(HEAVY)} & sys.modules.keys())))
from opsgraph.cli.main import main
main()
"""


def every_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands by their path, those within others included."""
    yield (), get_group(app)
    for name in COMMANDS:
        command = imported(name)
        yield (name,), command
        yield from (((name, inner), found) for inner, found in getattr(command, "commands", {}).items())


EVERY = dict(every_command())


def words(text: str) -> str:
    """A text without frames and line breaks."""
    return " ".join(text.replace("│", " ").split())


def first_paragraph(command: Any) -> str:
    """What a command does, in short."""
    return words(command.help.partition("\n\n")[0])


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_says_what_a_command_and_its_options_do(path: tuple[str, ...], tmp_path: Path) -> None:
    """And exits with 0, whatever the settings are."""
    outcome = called(tmp_path, *path, "--help", OPSGRAPH_AUTH="nonsense")
    said = words(outcome.output)
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert said.startswith(" ".join(("Usage: opsgraph", *path)))
    assert len(first_paragraph(EVERY[path])) > 20
    assert first_paragraph(EVERY[path]) in said
    for option in EVERY[path].params:
        assert option.help
        assert words(option.help) in said
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_commands_says_what_each_one_says(tmp_path: Path) -> None:
    """Though none of them is imported for it."""
    said = words(called(tmp_path, "--help").output)
    assert {name: command.summary for name, command in COMMANDS.items()} == {
        name: first_paragraph(EVERY[name,]) for name in COMMANDS
    }
    assert all(f"{name} {command.summary}" in said for name, command in COMMANDS.items())
    assert "Start with `opsgraph demo`" in said


def test_the_help_of_serve_leads_to_the_settings(tmp_path: Path) -> None:
    """They are many, and stand in one place."""
    assert "docs/settings.md" in called(tmp_path, "serve", "--help").output


def test_without_arguments_it_helps(tmp_path: Path) -> None:
    """With a usage error's exit code, for scripts that lost their argument."""
    outcome = called(tmp_path)
    assert outcome.exit_code == 2
    assert all(name in outcome.output for name in COMMANDS)


def test_the_version(tmp_path: Path) -> None:
    """Its name and a number."""
    outcome = called(tmp_path, "--version")
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert outcome.output.removeprefix("opsgraph ").strip().replace(".", "").isalnum()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("serv",), "Did you mean 'serve'?"),
        (("--nonsense",), "--nonsense"),
        (("serve", "--nonsense"), "--nonsense"),
        (("serve", "extra"), "extra"),
        (("report", "--url"), "--url"),
        (("import", "nonsense", "a.yaml"), "No such command 'nonsense'"),
        (("import", "focus"), "PATH"),
        (("export",), "openslo"),
    ],
)
def test_what_is_mistyped_is_named(arguments: tuple[str, ...], named: str, tmp_path: Path) -> None:
    """With exit code 2, and nothing done."""
    outcome = called(tmp_path, *arguments)
    assert outcome.exit_code == 2
    assert named in words(outcome.output + outcome.errors)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "needed"),
    [("--help", ""), ("--version", ""), ("nonsense", ""), ("schema", "sqlalchemy strawberry")],
)
def test_nothing_is_imported_that_is_not_needed(argument: str, needed: str, tmp_path: Path) -> None:
    """Help, the version and typing errors answer at once; the schema needs no server."""
    result = run([sys.executable, "-c", IMPORTED, argument], tmp_path)
    assert result.stdout.splitlines()[-1].removeprefix("imported:").strip() == needed
