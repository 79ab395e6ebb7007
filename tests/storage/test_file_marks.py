"""SQLite files that are kept for one purpose."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from opsgraph.storage.file_marks import NotOursError, claim, empty

MARK, OTHER_MARK = 41, 42


def run(path: Path, *statements: str) -> None:
    """Change a file as any program would."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def tables(path: Path) -> list[str]:
    """The tables of a file."""
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]


@pytest.mark.parametrize("name", ["new.db", "with space, 100% and #?.db"])
def test_a_new_file_is_claimed_and_stays_claimed(tmp_path: Path, name: str) -> None:
    """The first time makes it, later times accept what it holds by then."""
    path = tmp_path / name
    claim(path, MARK)
    run(path, "CREATE TABLE ours (id INTEGER)")
    claim(path, MARK)
    assert tables(path) == ["ours"]
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_without_tables_is_claimed(tmp_path: Path) -> None:
    """Such as one that a process left that ended before it wrote anything."""
    path = tmp_path / "empty.db"
    path.touch()
    claim(path, MARK)
    with pytest.raises(NotOursError):
        claim(path, OTHER_MARK)


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (id INTEGER)", f"PRAGMA application_id = {OTHER_MARK}"])
def test_what_holds_something_else_is_not_touched(tmp_path: Path, statement: str) -> None:
    """Not one byte of it changes, and no file appears beside it."""
    path = tmp_path / "theirs.db"
    run(path, statement)
    before = path.read_bytes()
    with pytest.raises(NotOursError, match=r"theirs\.db holds other data"):
        claim(path, MARK)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A text, a folder, a file in a folder that does not exist: the message names it."""
    text = tmp_path / "notes.txt"
    text.write_text("These are notes, and long enough to be taken for a header of a hundred bytes. " * 20)
    for path in (text, tmp_path, tmp_path / "nowhere" / "demo.db"):
        with pytest.raises(NotOursError, match=path.name):
            claim(path, MARK)
    assert text.read_text().startswith("These are notes")


def test_emptying_leaves_a_claimed_file_without_tables(tmp_path: Path) -> None:
    """References between tables do not matter; whoever has it open sees the same."""
    path = tmp_path / "ours.db"
    claim(path, MARK)
    run(path, "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO one DEFAULT VALUES")
    run(path, "CREATE TABLE two (one_id INTEGER REFERENCES one (id))", "INSERT INTO two VALUES (1)")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM two").fetchone() == (1,)
        empty(path)
        assert other.execute("SELECT name FROM sqlite_schema WHERE name IN ('one', 'two')").fetchall() == []
    claim(path, MARK)


def test_a_file_that_cannot_be_written_is_not_emptied(tmp_path: Path) -> None:
    """The message names it and says why."""
    with pytest.raises(NotOursError, match="cannot be emptied"):
        empty(tmp_path / "nowhere" / "demo.db")
