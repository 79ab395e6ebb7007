"""opsgraph incidents at a terminal, and against a running server."""

import asyncio
import json
from pathlib import Path

import pytest

from opsgraph.domains.alerts.model import Severity
from opsgraph.kernel.actor import LOCAL
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.api import running
from tests.support.cli import called, refused, served
from tests.support.clock import TestClock
from tests.support.incidents import make_incident, opened
from tests.support.terminals import seen

TITLE = "[b]lines\x1b[2J " + "and words " * 10


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """A folder with a database of two incidents, one of them with a note of two lines."""
    settings = Settings(database_url=databases.copied(sqlite_template, tmp_path), workers="off")

    async def fill() -> None:
        async with running(settings, TestClock()) as api:
            await opened(api, "payments", "CRITICAL")
            await api.data('mutation { addIncidentNote(input: {number: 1, content: "one\\ntwo"}) { __typename } }')
            async with api.core.database.transaction(LOCAL, api.core.clock.now()) as tx:
                await make_incident(tx, "search", Severity.LOW, title=TITLE)

    asyncio.run(fill())
    return tmp_path


def test_people_see_colours_and_their_own_time(folder: Path) -> None:
    """What is long is wrapped, in its column; what a message brings does not steer the terminal."""
    listed = seen(folder, "incidents", "list")
    assert "\x1b[1;31mCRITICAL\x1b[0m" in listed
    assert "2024-03-15 21:00" in listed
    assert "[b]lines\\x1b[2J" in listed
    assert "\x1b[2J" not in listed
    assert len(listed.splitlines()) > 3


def test_people_see_notes_as_they_were_written(folder: Path) -> None:
    """Line by line."""
    shown = [line.rstrip() for line in seen(folder, "incidents", "show", "1").splitlines()]
    assert "opened 2024-03-15 21:00:00" in shown
    assert shown[shown.index("2024-03-15 21:00:00  local   one") + 1].lstrip() == "two"


def test_a_running_server_is_asked_by_its_address(folder: Path) -> None:
    """It does what the command does on its database, and it alone is asked."""
    own = called(folder, "incidents", "list")
    with served(folder, OPSGRAPH_WORKERS="off") as server:
        remote = {"OPSGRAPH_URL": server.url, "OPSGRAPH_DATABASE_URL": "nonsense"}
        assert called(folder, "incidents", "list", **remote) == own
        acknowledged = called(folder, "incidents", "ack", "1", "9", "--note", "on it", **remote)
        stranger = refused(folder, "incidents", "ack", "1", "--key", "made-up", **remote)
        odd = refused(folder, "incidents", "ack", "1", "--key", "schlüssel", **remote)
        shown = json.loads(called(folder, "incidents", "show", "1", "--json", **remote).output)
        server.stop()
        away = refused(folder, "incidents", "show", "1", **remote)
    assert acknowledged == (
        1,
        "1 ACKNOWLEDGED payments: payments is in trouble\n",
        "opsgraph: there is no incident 9\n",
    )
    assert [note["content"] for note in shown["notes"]["nodes"]] == ["one\ntwo", "on it"]
    assert stranger == "the key in Authorization is not known here"
    assert odd == "the key has characters that no key has"
    assert (
        away
        == f"no server can be reached at {server.url}: connection refused; see that it runs and that --url is right"
    )
