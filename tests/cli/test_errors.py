"""What the command line says when something is wrong: one clear line, never a traceback."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.util import CommandError as AlembicError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from opsgraph.cli.failures import CommandError, reported
from opsgraph.kernel.refusals import Conflict
from opsgraph.settings import SettingsError
from tests.support import databases
from tests.support.cli import refused

COMMANDS = [("serve", "--port", "0"), ("migrate",), ("migrate", "--check"), ("report",)]


def garbage(path: Path) -> None:
    """A file that is anything but a database."""
    path.write_bytes(b"not a database at all\n" * 1_000)


def folder(path: Path) -> None:
    """A folder where the file should be."""
    path.mkdir()


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize(
    ("make", "reason"), [(garbage, "file is not a database"), (folder, "unable to open database file")]
)
def test_a_file_that_is_no_database_is_named(
    make: Callable[[Path], None], reason: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """With SQLite's own reason."""
    make(tmp_path / "opsgraph.db")
    assert refused(tmp_path, *arguments) == f"opsgraph.db cannot be used: {reason}"


@pytest.mark.parametrize("place", ["missing/opsgraph.db", "file/opsgraph.db"])
@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("migrate",), ("report",)])
def test_a_file_that_cannot_be_made_is_named(place: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Because its folder is not there, or is none."""
    (tmp_path / "file").touch()
    message = refused(tmp_path, *arguments, OPSGRAPH_DATABASE_URL=f"sqlite:///{place}")
    assert message == f"{place} cannot be used: unable to open database file"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that not even root can write to")
@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("migrate",), ("report",)])
def test_a_folder_that_cannot_be_written_to_is_named(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """By the file that was to be made in it."""
    message = refused(tmp_path, *arguments, OPSGRAPH_DATABASE_URL="sqlite:////proc/opsgraph.db")
    assert message == "/proc/opsgraph.db cannot be used: unable to open database file"


def test_a_database_that_breaks_while_it_is_read_is_told_from_a_bug(sqlite_template: Path, tmp_path: Path) -> None:
    """A table that is gone, say; the statement stays out of the line."""
    databases.copied(sqlite_template, tmp_path)
    with closing(sqlite3.connect(tmp_path / "opsgraph.db")) as connection:
        connection.execute("DROP TABLE service_health")
    assert refused(tmp_path, "report") == "the database cannot be used: no such table: service_health"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CommandError("no"), "no"),
        (SettingsError("OPSGRAPH_X takes 1"), "OPSGRAPH_X takes 1"),
        (Conflict("it exists", "name"), "it exists"),
        (FileNotFoundError(2, "No such file or directory", "a.yaml"), "a.yaml: No such file or directory"),
        (ConnectionRefusedError(111, "refused"), "the database cannot be reached: [Errno 111] refused"),
        (TimeoutError(), "the database cannot be reached: TimeoutError"),
        (
            OperationalError("SELECT 1", {}, ValueError("gone\nDETAIL: away")),
            "the database cannot be reached: gone",
        ),
        (
            OperationalError("SELECT 1", {}, sqlite3.OperationalError("database or disk is full")),
            "the database cannot be used: database or disk is full",
        ),
        (InterfaceError("SELECT 1", {}, ValueError("odd")), "the database refused: odd"),
        (DBAPIError("SELECT 'secret'", {"a": "secret"}, ValueError("odd")), "the database refused: odd"),
        (AlembicError("odd"), "the database was made by another version of opsgraph: odd"),
        (CommandError("a \x1b[2Jtrap\u202e"), "a \\x1b[2Jtrap\\u202e"),
        (CommandError("two\nlines"), "two\nlines"),
    ],
)
def test_what_people_cause_or_meet_is_a_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with exit code 1; without statements, parameters or what could steer a terminal."""
    with pytest.raises(SystemExit) as end, reported():
        raise error
    assert end.value.code == 1
    assert capsys.readouterr() == ("", f"opsgraph: {line}\n")


def test_a_command_may_choose_its_exit_code() -> None:
    """Scripts tell failures apart by it."""
    with pytest.raises(SystemExit) as end, reported():
        raise CommandError("nothing could be read", 2)
    assert end.value.code == 2


@pytest.mark.parametrize("bug", [KeyError("x"), AssertionError("never"), RuntimeError("odd")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    """Whoever reports it needs it."""
    with pytest.raises(type(bug)) as caught, reported():
        raise bug
    assert caught.value is bug
