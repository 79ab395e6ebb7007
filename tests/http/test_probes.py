"""Liveness and readiness tell an orchestrator the truth."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import QueuePool, text

from opsgraph.http import probes
from opsgraph.settings import Settings
from opsgraph.storage.migrating import newest_revision
from tests.support import databases
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.statements import statements

PASSWORD = "hunter2"  # pragma: allowlist secret
NOBODY_LISTENS = f"postgresql://opsgraph:{PASSWORD}@127.0.0.1:1/opsgraph"


@pytest.fixture
def unmigrated_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that has nothing in it, not even tables."""
    if database_kind == "sqlite":
        (tmp_path / "empty.db").touch()
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    with databases.postgres_database(request.getfixturevalue("postgres_server"), migrate_it=False) as url:
        yield url


@asynccontextmanager
async def on(url: str, clock: TestClock) -> AsyncIterator[Api]:
    """The application on the database at this address."""
    async with running(Settings(database_url=url, workers="off", log_level="warning"), clock) as api:
        yield api


def reason(response: httpx.Response) -> str:
    """Why an answer says that requests cannot be served now."""
    answer = response.json()
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert answer.keys() == {"status", "reason"}
    assert answer["status"] == "unready"
    found: str = answer["reason"]
    return found


async def test_it_is_ready_with_a_database_that_is_there_and_current(api: Api) -> None:
    """200 without a reason."""
    response = await api.http.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_it_is_not_ready_with_a_database_that_has_no_tables(unmigrated_url: str, clock: TestClock) -> None:
    """The reason says where the database is, where it should be, and what to do."""
    async with on(unmigrated_url, clock) as api:
        response = await api.http.get("/health/ready")
    assert reason(response) == f"the database is at revision none, not {newest_revision()}: run opsgraph migrate"


async def test_it_is_not_ready_with_a_database_of_another_version(settings: Settings, clock: TestClock) -> None:
    """Behind or ahead: this version was not made for it. Once that is mended it is ready, without a restart."""
    revision = text("UPDATE alembic_version SET version_num = :revision")
    async with running(settings, clock) as api:
        async with api.core.database.engine.begin() as connection:
            await connection.execute(revision, {"revision": "9999"})
        response = await api.http.get("/health/ready")
        async with api.core.database.engine.begin() as connection:
            await connection.execute(revision, {"revision": newest_revision()})
        again = await api.http.get("/health/ready")
    assert reason(response).startswith("the database is at revision 9999, not")
    assert again.status_code == 200


async def test_it_is_not_ready_while_the_database_does_not_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so after a while instead of waiting for ever; afterwards it is ready again."""
    monkeypatch.setattr(probes, "READY_WITHIN_SECONDS", 0.05)
    async with AsyncExitStack() as stack:
        for _ in range(api.core.settings.pool_size + api.core.settings.pool_overflow):
            await stack.enter_async_context(api.core.database.reading())
        response = await api.http.get("/health/ready")
        alive = await api.http.get("/health")
    monkeypatch.undo()
    assert reason(response) == "the database did not answer in time"
    assert alive.status_code == 200
    assert (await api.http.get("/health/ready")).status_code == 200


async def test_it_is_not_ready_without_the_file(sqlite_template: Path, tmp_path: Path, clock: TestClock) -> None:
    """Even though connections from before would go on; no empty file is made, and with the file back it is ready."""
    path = tmp_path / "opsgraph.db"
    async with on(databases.copied(sqlite_template, tmp_path), clock) as api:
        assert (await api.http.get("/health/ready")).status_code == 200
        path.rename(tmp_path / "elsewhere.db")
        response = await api.http.get("/health/ready")
        assert not path.exists()
        (tmp_path / "elsewhere.db").rename(path)
        assert (await api.http.get("/health/ready")).status_code == 200
    assert reason(response) == "the database file does not exist"


async def test_it_is_not_ready_where_nobody_listens(clock: TestClock) -> None:
    """The reason names the kind of failure and no part of the address."""
    async with on(NOBODY_LISTENS, clock) as api:
        response = await api.http.get("/health/ready")
    assert reason(response).startswith("the database cannot be reached: ")
    assert "opsgraph" not in response.text
    assert PASSWORD not in response.text


async def test_it_is_alive_without_a_database(clock: TestClock) -> None:
    """To restart the process would not bring the database back."""
    async with on(NOBODY_LISTENS, clock) as api:
        response = await api.http.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_being_alive_asks_the_database_nothing(api: Api) -> None:
    """Not one statement, and not one connection."""
    with statements(api.core.database) as seen:
        assert (await api.http.get("/health")).status_code == 200
    assert seen == []
    pool = api.core.database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedin() + pool.checkedout() == 0


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_probes_are_asked_by_get_or_head(api: Api, path: str) -> None:
    """HEAD says the same without a body; anything else is refused."""
    head = await api.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (await api.http.post(path)).status_code == 405
