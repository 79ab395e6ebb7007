"""opsgraph alerts send: an alert from a script, answered once it is committed."""

import json
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.environments import run
from tests.packaging.serving import query
from tests.support import databases
from tests.support.cli import Server, called, refused, served
from tests.support.scripted import Answer, following

ALERTS = "{ alerts { nodes { serviceName severity status message labels annotations startsAt occurrences } } }"
HEAVY = ("alembic", "sqlalchemy", "starlette", "strawberry", "uvicorn")
IMPORTED = f"""
import atexit, sys
atexit.register(lambda: print("imported:", *sorted({set(HEAVY)} & sys.modules.keys())))
from opsgraph.cli.main import main
main()
"""


@pytest.fixture
def server(sqlite_template: Path, tmp_path: Path) -> Iterator[Server]:
    """A running server on an empty database."""
    databases.copied(sqlite_template, tmp_path)
    with served(tmp_path, OPSGRAPH_WORKERS="off") as running:
        yield running


def sent(folder: Path, server: Server, *arguments: str) -> list[str]:
    """The lines that it prints when all goes well, without the alert's id."""
    outcome = called(folder, "alerts", "send", "--url", server.url, *arguments)
    assert (outcome.exit_code, outcome.errors) == (0, ""), outcome
    lead, alert, number = outcome.output.splitlines()
    assert alert == "alert -" or len(alert) > 30
    return [lead, number]


def stored(server: Server) -> list[dict[str, Any]]:
    """The alerts that the server has, oldest first."""
    alerts: list[dict[str, Any]] = query(server.url, ALERTS)["data"]["alerts"]["nodes"]
    return alerts[::-1]


def test_an_alert_fires_is_counted_and_ends(server: Server, tmp_path: Path) -> None:
    """Each time it says what that led to; by its content or by a key of its own."""
    alert = ("--service", "api", "--severity", "P1", "--message", "5xx spike")
    assert sent(tmp_path, server, *alert) == ["outcome NEW_INCIDENT", "incident 1"]
    assert sent(tmp_path, server, *alert) == ["outcome DEDUPLICATED", "incident 1"]
    assert sent(tmp_path, server, *alert, "--dedup-key", "k") == ["outcome ATTACHED", "incident 1"]
    assert sent(tmp_path, server, *alert, "--resolve") == ["outcome RESOLVED", "incident 1"]
    by_key = ("--service", "api", "--dedup-key", "k", "--resolve")
    assert sent(tmp_path, server, *by_key) == ["outcome RESOLVED", "incident 1"]
    assert sent(tmp_path, server, *by_key) == ["outcome IGNORED", "incident -"]
    assert [alert["status"] for alert in stored(server)] == ["RESOLVED", "RESOLVED"]


def test_everything_that_is_told_is_kept(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is piped in with colours is escaped, not refused: somebody wants to be paged."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO("\x1b[31mdisk\x1b[0m é\nfull\n".encode())))
    labels = ("--label", "zone=a=b", "--label", "empty=", "--annotation", "runbook=https://wiki/é")
    began = ("--starts-at", "2026-01-31T13:00:00+01:00")
    given = ("--service", "backup", "--severity", "warning", "--message", "-", *labels, *began, "--json")
    outcome = called(tmp_path, "alerts", "send", *given, OPSGRAPH_URL=f"{server.url}/")
    result = json.loads(outcome.output)
    assert (result["outcome"], result["incidentNumber"]) == ("NEW_INCIDENT", 1)
    assert stored(server) == [
        {
            "serviceName": "backup",
            "severity": "MEDIUM",
            "status": "FIRING",
            "message": "\\x1b[31mdisk\\x1b[0m é\nfull",
            "labels": {"zone": "a=b"},
            "annotations": {"runbook": "https://wiki/é"},
            "startsAt": "2026-01-31T12:00:00Z",
            "occurrences": 1,
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--severity", "bad", "--message", "x"],
            'severity "bad" is not known here; use critical, high, medium, low, ',
        ),
        (["--severity", "high"], "message is missing or empty"),
        (["--message", "x"], "severity is missing or empty"),
        (["--severity", "high", "--message", "x", "--starts-at", "noon"], "startsAt"),
        (["--severity", "high", "--message", "x", "--key", "made-up"], "the key in Authorization is not known here"),
    ],
)
def test_what_the_server_refuses_is_a_line(server: Server, tmp_path: Path, arguments: Sequence[str], said: str) -> None:
    """In the server's words."""
    message = refused(tmp_path, "alerts", "send", "--url", server.url, "--service", "api", *arguments)
    assert message.startswith(said)
    assert stored(server) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--service"),
        (["--service", "a", "--label", "odd"], "NAME=VALUE"),
        (["--service", "a", "--label", "=odd"], "NAME=VALUE"),
        (["--service", "a", "--annotation", "a=1", "--annotation", "a=2"], "twice"),
    ],
)
def test_what_is_mistyped_is_named(arguments: Sequence[str], named: str, tmp_path: Path) -> None:
    """With exit code 2, and nothing sent."""
    outcome = called(tmp_path, "alerts", "send", *arguments)
    assert outcome.exit_code == 2
    assert named in outcome.errors


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("<html>", 404), "did not answer as a server of opsgraph: it sent what is not JSON"),
        (Answer("{}", 404), "did not answer as a server of opsgraph: status 404"),
        (Answer('{"results": []}'), "did not answer as a server of opsgraph: status 200"),
        (Answer('{"results": [7]}'), "did not answer as a server of opsgraph: status 200"),
        (Answer("[]"), "did not answer as a server of opsgraph: status 200"),
        (Answer("{}", cut=True), "ended before there was a whole answer; see that --url is right"),
        (Answer('{"results": [], "refused": [], "error": "the database is away"}', 503), "the database is away"),
    ],
)
def test_nothing_else_is_taken_for_success(answer: Answer, said: str, tmp_path: Path) -> None:
    """Only an answer that says what the alert led to is one."""
    with following([answer]) as script:
        message = refused(tmp_path, "alerts", "send", "--url", script.url, "--service", "a")
    assert said in message
    assert script.paths == ["/webhooks/alerts"]


def test_without_an_address_the_server_of_this_machine_is_asked(tmp_path: Path) -> None:
    """Never the database: it is servers that take in alerts."""
    assert "[default: http://127.0.0.1:8000]" in called(tmp_path, "alerts", "send", "--help").output
    assert "[default: http://127.0.0.1:8000]" in called(tmp_path, "alerts", "watch", "--help").output
    assert list(tmp_path.iterdir()) == []


def test_a_script_does_not_wait_for_the_application(tmp_path: Path) -> None:
    """Nothing of it is imported."""
    with following([Answer('{"error": "no"}', 400), Answer('{"errors": [{"message": "no"}]}', 400)]) as script:
        said = [
            run([sys.executable, "-c", IMPORTED, *command, "--url", script.url], tmp_path).stdout
            for command in (("alerts", "send", "--service", "a"), ("incidents", "list"))
        ]
    assert said == ["opsgraph: no\nimported:\n"] * 2
