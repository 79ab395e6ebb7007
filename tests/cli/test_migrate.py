"""opsgraph migrate: exit codes before and after, and what it says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from opsgraph.storage.migrating import newest_revision
from tests.support import databases
from tests.support.cli import called, refused

NEWEST = newest_revision()


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table; on SQLite the file is yet to be made."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with databases.postgres_database(request.getfixturevalue("postgres_server"), migrate_it=False) as url:
        yield url


def test_check_tells_by_its_exit_code_whether_there_is_work(empty_url: str, tmp_path: Path) -> None:
    """1 before and 0 after; migrating once more has nothing to do and succeeds."""
    steps = [("migrate", "--check"), ("migrate",), ("migrate", "--check"), ("migrate",)]
    outcomes = [called(tmp_path, *step, OPSGRAPH_DATABASE_URL=empty_url) for step in steps]
    assert [(outcome.exit_code, outcome.output.strip()) for outcome in outcomes] == [
        (1, f"the database is at revision none, behind {NEWEST}: run opsgraph migrate"),
        (0, f"the database was brought to revision {NEWEST}"),
        (0, f"the database is at revision {NEWEST}, the newest"),
        (0, f"the database is at revision {NEWEST}"),
    ]
    assert {outcome.errors for outcome in outcomes} == {""}


def test_check_changes_nothing(tmp_path: Path) -> None:
    """It does not even make the file that it misses."""
    assert called(tmp_path, "migrate", "--check").exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_the_default_is_a_file_in_the_working_directory(tmp_path: Path) -> None:
    """Which needs no setting."""
    assert called(tmp_path, "migrate").exit_code == 0
    assert (tmp_path / "opsgraph.db").is_file()


@pytest.mark.parametrize("arguments", [("migrate",), ("report",), ("serve", "--port", "0")])
def test_a_database_of_a_newer_version_is_left_alone(
    arguments: tuple[str, ...], sqlite_template: Path, tmp_path: Path
) -> None:
    """After a downgrade of opsgraph, say; it is told from a database that is behind."""
    url = databases.copied(sqlite_template, tmp_path)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    message = refused(tmp_path, *arguments, OPSGRAPH_DATABASE_URL=url)
    assert message.startswith("the database was made by another version of opsgraph")
    assert "9999" in message


@pytest.mark.parametrize("arguments", [("migrate",), ("migrate", "--check"), ("report",)])
def test_a_database_that_is_away_is_said_to_be(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """In one line, without the password."""
    away = "postgresql://opsgraph:hunter2@127.0.0.1:1/opsgraph"  # pragma: allowlist secret
    message = refused(tmp_path, *arguments, OPSGRAPH_DATABASE_URL=away)
    assert message.startswith("the database cannot be reached: ")
    assert "hunter2" not in message


def test_a_database_that_does_not_exist_is_named(postgres_server: str, tmp_path: Path) -> None:
    """PostgreSQL itself says so."""
    with databases.postgres_database(postgres_server, migrate_it=False) as gone:
        pass
    message = refused(tmp_path, "migrate", OPSGRAPH_DATABASE_URL=gone)
    assert message.startswith("the database refused: database ")
    assert message.endswith("does not exist")
