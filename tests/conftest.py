"""Fixtures for every test: real databases, one clock, and a `Database` on each kind.

Tests that take `database` (or anything built on it) run on SQLite and on PostgreSQL; those in tests/graphql and
tests/journeys run on SQLite, and `.ci/run` runs them on PostgreSQL as well; those of the demonstration run on SQLite,
where it is kept. OPSGRAPH_TEST_DATABASE=sqlite or =postgresql runs everything on that one.
"""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support import databases
from tests.support.api import Api, running
from tests.support.clock import TestClock

KINDS = ("sqlite", "postgresql")
ON_SQLITE = frozenset({"graphql", "journeys", "test_pulse.py", "test_demonstration.py"})

# A deadline would measure the machine, not the code; the same examples each time where nobody is there to look.
hypothesis.settings.register_profile(
    "opsgraph",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("opsgraph")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever needs a database on the kinds that it is meant for."""
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", kinds_for(metafunc.definition.path), scope="session")


def kinds_for(path: Path) -> Sequence[str]:
    """The databases that a file's tests run on: what touches storage on both, the rest on SQLite."""
    if only := os.environ.get("OPSGRAPH_TEST_DATABASE"):
        return [only]
    return KINDS[:1] if ON_SQLITE.intersection(path.parts) else KINDS


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[Path]:
    """A migrated SQLite file to copy."""
    with databases.sqlite_template() as path:
        yield path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL server."""
    with databases.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test process."""
    with databases.postgres_database(postgres_server) as url:
        yield url


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated and empty database of the kind under test."""
    if database_kind == "sqlite":
        return databases.copied(request.getfixturevalue("sqlite_template"), tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings as in production, but for the database and a small pool."""
    return Settings(database_url=database_url, pool_size=3, workers="off", log_level="warning")


@pytest.fixture
async def database(settings: Settings, database_kind: str) -> AsyncIterator[Database]:
    """A `Database` without reactions; a PostgreSQL one is emptied afterwards."""
    opened = Database(settings)
    yield opened
    await opened.close()
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


@pytest.fixture
async def no_deadlock(database_url: str, database_kind: str) -> AsyncIterator[None]:
    """Fail if PostgreSQL breaks a deadlock meanwhile, even if its victim tries again and succeeds.

    SQLite has one writer, who waits for nobody.
    """
    if database_kind == "sqlite":
        yield
        return
    before = await databases.deadlocks(database_url)
    yield
    assert await databases.deadlocks(database_url) == before


@pytest.fixture
def clock() -> TestClock:
    """A clock that stands still until the test moves it."""
    return TestClock()


@pytest.fixture
async def api(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Api]:
    """The whole application on an empty database, with a client that every role is granted."""
    async with running(settings, clock) as started:
        yield started
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)
