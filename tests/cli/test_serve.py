"""opsgraph serve: where it binds, what it refuses, what it logs and how it stops."""

import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from opsgraph.app import build
from opsgraph.cli.logs import log_as
from opsgraph.settings import PREFIX, Settings
from tests.packaging.environments import run
from tests.packaging.serving import query
from tests.support import databases
from tests.support.cli import STOPS_WITHIN_SECONDS, Server, called, logging_restored, refused, served

PASSWORD = "hunter2"  # pragma: allowlist secret
AWAY = f"postgresql://opsgraph:{PASSWORD}@127.0.0.1:1/opsgraph"
REPORT = "{ platformReport { totalServices } }"
NUMBERS = [PREFIX + field.name.upper() for field in fields(Settings) if isinstance(field.default, int)]


@contextmanager
def logged(**values: Any) -> Iterator[StringIO]:
    """What is logged within the block under these settings."""
    with logging_restored(), redirect_stderr(StringIO()) as log:
        log_as(Settings(**values))
        yield log


def fail_with(secret: str) -> None:
    """Log the failure of a function that has a secret in a variable."""
    try:
        "".index(secret)
    except ValueError:
        structlog.get_logger("opsgraph.test").exception("failed")


def lines(log: str) -> list[dict[str, Any]]:
    """The lines of a log, each of them a JSON object."""
    return [json.loads(line) for line in log.splitlines()]


def test_the_first_start_makes_the_database_and_sigterm_ends_it_well(tmp_path: Path) -> None:
    """An SQLite file is made and migrated, requests are answered, and a stop that was asked for exits with 0."""
    with served(tmp_path) as server:
        answer = query(server.url, REPORT)
        log = server.stop()
    assert answer == {"data": {"platformReport": {"totalServices": 0}}}
    assert server.process.returncode == 0, log
    assert (tmp_path / "opsgraph.db").is_file()
    assert called(tmp_path, "migrate", "--check").exit_code == 0


def test_the_log_has_a_json_line_for_each_request(tmp_path: Path) -> None:
    """With the request's id, the one that its sender gave if there is one, as the answer's header has it."""
    with served(tmp_path) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        given = client.get("/health", headers={"x-request-id": "from-the-sender"})
        made = client.post("/graphql", json={"query": REPORT})
        log = lines(server.stop())
    requests = {line["request_id"]: line for line in log if line["event"] == "request"}
    assert given.headers["x-request-id"] == "from-the-sender"
    assert list(requests) == ["from-the-sender", made.headers["x-request-id"]]
    assert [(line["path"], line["status"]) for line in requests.values()] == [("/health", 200), ("/graphql", 200)]
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in log)


@contextmanager
def in_flight(server: Server, body: bytes) -> Iterator[socket.socket]:
    """A connection with a request that the server has begun to serve and whose body is yet to be sent."""
    head = (
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(server.address, timeout=STOPS_WITHIN_SECONDS) as sender:
        sender.sendall(head.encode())
        assert sender.recv(1_000).startswith(b"HTTP/1.1 100")  # which the server says once it waits for the body
        yield sender


def test_sigterm_lets_a_request_in_flight_finish(tmp_path: Path) -> None:
    """It is answered whole, while nobody else is let in any more."""
    body = json.dumps({"query": REPORT}).encode()
    with served(tmp_path) as server, in_flight(server, body) as sender:
        server.process.terminate()
        server.log_until("Shutting down")
        sender.sendall(body)
        answer = sender.makefile("rb").read()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address)
        assert server.process.wait(STOPS_WITHIN_SECONDS) == 0
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"data":{"platformReport":{"totalServices":0}}}')


def test_a_request_that_never_ends_does_not_keep_it(tmp_path: Path) -> None:
    """After OPSGRAPH_SHUTDOWN_SECONDS it is answered as failed; the end is still a good one."""
    with served(tmp_path, OPSGRAPH_SHUTDOWN_SECONDS="1") as server, in_flight(server, b"{}") as sender:
        log = server.stop()
        assert sender.recv(1_000).startswith(b"HTTP/1.1 500")
    assert server.process.returncode == 0, log
    lines(log)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "127.example.com", ""])  # noqa: S104 - refused
def test_other_machines_are_not_let_in_without_authentication(host: str, tmp_path: Path) -> None:
    """The refusal says how to get a key, and comes before anything is made."""
    message = refused(tmp_path, "serve", "--host", host)
    assert message.startswith(f"{host} can be reached from other machines and no authentication is configured")
    assert "`opsgraph keys create`" in message
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused(tmp_path, "serve", "--port", port)
    assert message.startswith(f"cannot listen on 127.0.0.1:{port}: Address already in use")
    assert message.endswith("choose another with --port")


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 64, "2001:db8::1"])
def test_an_address_that_is_not_of_this_machine_is_named(host: str, tmp_path: Path) -> None:
    """Nor is one that no machine could have a reason for a traceback."""
    called(tmp_path, "keys", "create", "ana", "--role", "viewer")
    assert f"cannot listen on {host}:8000: " in refused(tmp_path, "serve", "--host", host)


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_what_is_no_port_is_a_usage_error(port: str, tmp_path: Path) -> None:
    """Exit code 2, naming the option."""
    outcome = called(tmp_path, "serve", "--port", port)
    assert outcome.exit_code == 2
    assert "--port" in outcome.errors


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("OPSGRAPH_AUTH", "none", "auto or required"),
        ("OPSGRAPH_AUTH", "", "auto or required"),
        ("OPSGRAPH_WORKERS", "2", "on or off"),
        ("OPSGRAPH_LOG_LEVEL", "INFO", "debug or info or warning or error"),
        ("OPSGRAPH_LOG_FORMAT", "text", "json or console"),
        ("OPSGRAPH_GRAPHIQL", "true", "on or off"),
        ("OPSGRAPH_INTROSPECTION", "0", "on or off"),
        ("OPSGRAPH_CURRENCY", "EURO", "an ISO 4217 code"),
        *((name, value, "a whole number from ") for name in NUMBERS for value in ("-1", "many")),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, takes: str, tmp_path: Path) -> None:
    """In one line that tells what it takes, and what it was given."""
    message = refused(tmp_path, "serve", "--port", "0", **{name: value})
    assert message.startswith(f"{name} takes {takes}")
    assert message.endswith(f"not {value!r}")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "is not a database address"),
        ("opsgraph.db", "is not a database address"),
        (f"mysql://root:{PASSWORD}@localhost/opsgraph", "names mysql; use sqlite:///path or postgresql://"),
        ("sqlite://", "names no file; use sqlite:///path"),
        ("sqlite:///:memory:", "names no file; use sqlite:///path"),
        ("sqlite:///opsgraph.db?mode=ro", "has parameters, and SQLite takes none"),
        (f"postgresql://opsgraph:{PASSWORD}@localhost:port/opsgraph", "is not a database address"),
        (f"postgresql://opsgraph:{PASSWORD}@localhost/opsgraph?nonsense=1", "has the parameter nonsense; it takes"),
    ],
)
def test_a_database_address_that_cannot_be_used_is_explained(address: str, reason: str, tmp_path: Path) -> None:
    """Without repeating the password that is in it."""
    message = refused(tmp_path, "serve", "--port", "0", OPSGRAPH_DATABASE_URL=address)
    assert message.startswith(f"OPSGRAPH_DATABASE_URL {reason}")
    assert PASSWORD not in message


def test_postgresql_that_is_behind_is_not_served(postgres_server: str, tmp_path: Path) -> None:
    """It is migrated by a command of its own, which is named."""
    with databases.postgres_database(postgres_server, migrate_it=False) as url:
        message = refused(tmp_path, "serve", "--port", "0", OPSGRAPH_DATABASE_URL=url)
    assert message == "the database is at revision none: run `opsgraph migrate`"


def test_postgresql_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """In one line that keeps the password to itself."""
    message = refused(tmp_path, "serve", "--port", "0", OPSGRAPH_DATABASE_URL=AWAY)
    assert message.startswith("the database cannot be reached: ")
    assert PASSWORD not in message


async def test_the_log_of_a_failure_keeps_the_password_to_itself() -> None:
    """The traceback has no local variables, where the driver has it; the line has the id that the client was told."""
    with logged(database_url=AWAY) as log:
        app = build(Settings(database_url=AWAY))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            answer = (await client.post("/graphql", json={"query": REPORT})).json()
        await app.state.core.close()
        failures = [line for line in lines(log.getvalue()) if line["level"] == "error"]
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert {line["request_id"] for line in failures} == {answer["errors"][0]["extensions"]["requestId"]}
    frames = [frame for line in failures for trace in line["exception"] for frame in trace["frames"]]
    assert any("asyncpg" in frame["filename"] for frame in frames)
    assert not any("locals" in frame for frame in frames)
    assert PASSWORD not in log.getvalue()


def test_the_console_format_is_for_people() -> None:
    """Lines of text with a plain traceback, and no local variables either."""
    with logged(log_format="console") as log:
        structlog.get_logger("opsgraph.test").info("begun", step=1)
        fail_with("pass" + PASSWORD)
    begun, failed, *traceback = log.getvalue().splitlines()
    assert "begun" in begun
    assert "failed" in failed
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ValueError: substring not found"
    assert PASSWORD not in log.getvalue()


def test_libraries_log_in_the_same_form() -> None:
    """What they say comes as JSON too, from the chosen level on."""
    with logged(log_level="warning") as log:
        logging.getLogger("a.library").info("small talk")
        logging.getLogger("a.library").warning("Beware of %s", "dogs")
    (line,) = lines(log.getvalue())
    assert (line["event"], line["level"], line["logger"]) == ("Beware of dogs", "warning", "a.library")


def test_python_m_opsgraph_is_the_same_command(tmp_path: Path) -> None:
    """For where the script is not on the path."""
    result = run([sys.executable, "-m", "opsgraph", "--version"], tmp_path)
    assert result.stdout.startswith("opsgraph ")
