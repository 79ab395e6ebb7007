"""How the database's address is read, and what reaches the pool of connections."""

import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from opsgraph.settings import LARGEST_NUMBER, Settings, SettingsError
from opsgraph.storage.database import Database, async_url

POSTGRES = "postgresql://ops:secret@db.example:6432/ops"


def pool_of(url: str, **values: Any) -> QueuePool:
    """The pool of a database that nothing has connected to."""
    pool = Database(Settings(database_url=url, **values)).engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool


@pytest.mark.parametrize("url", [POSTGRES, "sqlite:///opsgraph.db"])
def test_the_pool_is_as_large_as_the_settings_say(url: str) -> None:
    """Ten connections and five more under load, unless said otherwise."""
    usual, chosen = pool_of(url), pool_of(url, pool_size=3, pool_overflow=1)
    assert (usual.size(), usual._max_overflow) == (10, 5)
    assert (chosen.size(), chosen._max_overflow) == (3, 1)


def test_connections_to_postgresql_are_renewed() -> None:
    """After five minutes, unless said otherwise."""
    assert pool_of(POSTGRES)._recycle == 300
    assert pool_of(POSTGRES, pool_recycle_seconds=7)._recycle == 7


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sqlite:///opsgraph.db", "sqlite+aiosqlite:///opsgraph.db"),
        ("sqlite:////var/lib/opsgraph.db", "sqlite+aiosqlite:////var/lib/opsgraph.db"),
        ("sqlite+pysqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        (POSTGRES, POSTGRES.replace("postgresql", "postgresql+asyncpg")),
        ("postgres://db/ops", "postgresql+asyncpg://db/ops"),
        ("postgresql+psycopg2://db/ops", "postgresql+asyncpg://db/ops"),
        ("postgresql:///ops?host=/run/postgresql", "postgresql+asyncpg:///ops?host=%2Frun%2Fpostgresql"),
        ("postgresql://db/ops?sslmode=require", "postgresql+asyncpg://db/ops?ssl=require"),
        ("postgresql://db/ops?ssl=verify-full", "postgresql+asyncpg://db/ops?ssl=verify-full"),
    ],
)
def test_addresses_as_people_write_them_are_understood(address: str, expected: str) -> None:
    """Whatever driver another tool wants to be named, and the parameter that other clients take for TLS."""
    assert async_url(address).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "is not a database address"),
        ("opsgraph.db", "is not a database address"),
        ("postgresql://db:port/ops", "is not a database address"),
        ("mysql://ops:secret@db/ops", "names mysql; use sqlite:///path or postgresql://"),
        ("http://example.org", "names http"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///opsgraph.db?mode=ro", "has parameters"),
        ("postgresql://ops:secret@db/ops?connect_timeout=5", "has the parameter connect_timeout; it takes host"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_reason(address: str, why: str) -> None:
    """The message names the setting, says what would do, and never shows a password."""
    with pytest.raises(SettingsError, match=why) as caught:
        Database(Settings(database_url=address))
    assert str(caught.value).startswith("OPSGRAPH_DATABASE_URL ")
    assert "secret" not in str(caught.value)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is an extra, which a plain installation does not have."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(SettingsError, match=r"pip install 'opsgraph\[postgres\]'"):
        Database(Settings(database_url=POSTGRES))


async def test_an_endless_busy_time_out_is_not_none(tmp_path: Path) -> None:
    """SQLite counts milliseconds in 32 bits, and would take what is larger for zero."""
    url = f"sqlite:///{tmp_path / 'opsgraph.db'}"
    database = Database(Settings(database_url=url, busy_timeout_seconds=LARGEST_NUMBER))
    async with database.reading() as session:
        assert (await session.execute(text("PRAGMA busy_timeout"))).scalar_one() == LARGEST_NUMBER
    await database.close()
