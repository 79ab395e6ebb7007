"""opsgraph report: the same numbers as the API, as lines and as JSON, from the database or from a server."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from opsgraph.cli.report import DOCUMENT
from opsgraph.settings import Settings
from tests.journeys.test_worked_example import enter_worked_example
from tests.support import databases
from tests.support.api import Api, running
from tests.support.cli import Outcome, called, refused, served
from tests.support.clock import TestClock

TEAMS = ("[bold red]ops[/]", "[/unopened", "on :fire: duty", "x" * 200, "فريق الدفع", "支払いチーム", "\\[back]\\")


async def reported(folder: Path, settings: Settings, *arguments: str, **more: str) -> Outcome:
    """What the command says of the database of these settings."""
    url = settings.database_url
    return await asyncio.to_thread(called, folder, "report", *arguments, OPSGRAPH_DATABASE_URL=url, **more)


def undated(report: dict[str, Any]) -> dict[str, Any]:
    """A report without the instant it was put together."""
    assert report.pop("generatedAt").endswith("Z")
    return report


async def test_lines_for_people_and_scripts(api: Api, settings: Settings, tmp_path: Path) -> None:
    """Counts, sums and the mean; then a line a service, worst first."""
    await enter_worked_example(api)
    await api.do("saveService", name="new")
    outcome = await reported(tmp_path, settings)
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert [line.rstrip() for line in outcome.output.splitlines()] == [
        "overall CRITICAL",
        "services 3 (1 healthy, 0 degraded, 1 critical, 0 down, 1 unknown)",
        "slo breaches 1",
        "over budget 1",
        "governance compliant 1",
        "monthly cost 8000.00 USD",
        "unallocated cost 0",
        "alerts 0",
        "mean reliability score 72.5",
        "SERVICE      TEAM      HEALTH    SCORE  GOVERNANCE    MONTHLY COST  SLOS MET",
        "payments     fintech   CRITICAL     60  NEEDS_REVIEW   3500.00 USD       0/1",
        "new          -         UNKNOWN       -  NEEDS_REVIEW      0.00 USD       0/0",
        "api-gateway  platform  HEALTHY      85  COMPLIANT      4500.00 USD       1/1",
    ]


async def test_an_empty_platform(settings: Settings, api: Api, tmp_path: Path) -> None:
    """Zeros, and no table."""
    outcome = await reported(tmp_path, settings)
    assert outcome.exit_code == 0
    assert outcome.output.splitlines()[0] == "overall UNKNOWN"
    assert outcome.output.splitlines()[-1] == "mean reliability score 0.0"


async def test_json_is_what_the_api_says(api: Api, settings: Settings, tmp_path: Path) -> None:
    """Field by field, but for the instant."""
    await enter_worked_example(api)
    outcome = await reported(tmp_path, settings, "--json")
    answer = await api.data(DOCUMENT)
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert undated(json.loads(outcome.output)) == undated(answer["platformReport"])


@pytest.mark.parametrize("surroundings", [{}, {"FORCE_COLOR": "1", "COLUMNS": "40"}])
async def test_names_are_printed_whole_and_literally(
    surroundings: dict[str, str], api: Api, settings: Settings, tmp_path: Path
) -> None:
    """Brackets and colons are no markup; where no terminal is, nothing is cut, wrapped or coloured."""
    longest = "s" * 63
    for index, team in enumerate(TEAMS):
        await api.do("saveTeam", name=team)
        await api.do("saveService", name=f"{longest[:-2]}-{index}", team=team)
    outcome = await reported(tmp_path, settings, **surroundings)
    table = outcome.output.splitlines()[-len(TEAMS) :]
    assert [line.split("  ")[0] for line in table] == [f"{longest[:-2]}-{index}" for index in range(len(TEAMS))]
    assert [line.split("  ")[1] for line in table] == list(TEAMS)
    assert "\x1b" not in outcome.output


def test_a_running_server_is_asked_by_its_address(sqlite_template: Path, tmp_path: Path) -> None:
    """It says what its database says; by option or by setting, with a slash at the end, or by its API's address."""
    settings = Settings(database_url=databases.copied(sqlite_template, tmp_path), workers="off")

    async def fill() -> None:
        async with running(settings, TestClock()) as api:
            await enter_worked_example(api)

    asyncio.run(fill())
    own = called(tmp_path, "report")
    with served(tmp_path, OPSGRAPH_WORKERS="off") as server:
        theirs = called(tmp_path, "report", "--url", f"{server.url}/", OPSGRAPH_DATABASE_URL="nonsense")
        by_api = called(tmp_path, "report", "--url", f"{server.url}/graphql", OPSGRAPH_DATABASE_URL="nonsense")
        as_json = called(tmp_path, "report", "--json", OPSGRAPH_URL=server.url, OPSGRAPH_DATABASE_URL="nonsense")
        stranger = refused(tmp_path, "report", "--url", server.url, "--key", "made-up")
        server.stop()
        away = refused(tmp_path, "report", "--url", server.url)
    assert theirs == by_api == own
    assert json.loads(as_json.output)["totalServices"] == 2
    assert stranger == "the key in Authorization is not known here"
    assert away.startswith(f"no server can be reached at {server.url}: connection refused; see that it runs")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[str, list[str | None]]]:
    """The address of a server that always answers the same, and the keys that it is sent."""
    keys: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            keys.append(self.headers["authorization"])
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", keys
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>a login page</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"data": null}'),
        (200, b'{"data": []}'),
        (502, b'{"message": "bad gateway"}'),
        (500, b'{"errors": "all of them"}'),
        (500, b'{"errors": [{}]}'),
        (200, b"\xff\xfe\x00"),
    ],
)
def test_what_is_no_server_of_opsgraph_is_said_to_be_none(status: int, body: bytes, tmp_path: Path) -> None:
    """Whatever it answers with."""
    with answering(status, body) as (url, _):
        message = refused(tmp_path, "report", "--url", url)
    assert message.startswith(f"{url} did not answer as a server of opsgraph: ")


def test_what_a_server_says_of_an_error_is_passed_on(tmp_path: Path) -> None:
    """Without anything that could steer a terminal; the key has travelled as a bearer token."""
    body = json.dumps({"errors": [{"message": "no \x1b[31mway"}, {"message": "at all"}]}).encode()
    with answering(403, body) as (url, keys):
        message = refused(tmp_path, "report", OPSGRAPH_URL=url, OPSGRAPH_KEY="k-1")
    assert message == "no \\x1b[31mway"
    assert keys == ["Bearer k-1"]
