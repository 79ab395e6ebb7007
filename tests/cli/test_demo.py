"""`opsgraph demo`, as people run it."""

import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import orjson
import pytest

from opsgraph.app import build_core
from opsgraph.cli import demo
from opsgraph.cli.failures import CommandError
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.actor import SYSTEM
from opsgraph.workflows.demo.pulse import BEAT
from tests.packaging.environments import run, surroundings
from tests.packaging.serving import get, query
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.waiting import LONG_ENOUGH_SECONDS

OPSGRAPH = Path(sys.executable).parent / "opsgraph"
STARTS_WITHIN_SECONDS = 60
COSTS = "{ platformReport { totalMonthlyCost { amount } } }"


@contextmanager
def demonstrating(folder: Path, **settings: str) -> Iterator[list[str]]:
    """What a running demonstration printed, once it has printed all; it is ended with the block."""
    command = [str(OPSGRAPH), "demo", "--port", "0"]
    with (
        (folder / "errors.log").open("wb") as errors,
        subprocess.Popen(
            command, cwd=folder, env=surroundings(settings), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        late = Timer(STARTS_WITHIN_SECONDS, process.kill)
        late.start()
        try:
            yield printed(process)
        finally:
            late.cancel()
            process.terminate()
    assert (folder / "errors.log").read_text() == ""


def printed(process: "subprocess.Popen[str]") -> list[str]:
    """The lines that a process prints, up to the last one that it has to say."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            return lines
    raise AssertionError(f"it ended: {lines}")


def sent(curl: str) -> Any:
    """The data that a curl command, as printed, is answered with."""
    program, _, url, _, header, _, body = shlex.split(curl)
    assert program == "curl"
    name, _, value = header.partition(": ")
    request = urllib.request.Request(url, body.encode(), {name: value})  # noqa: S310 - what the demonstration printed
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with directly.open(request, timeout=LONG_ENOUGH_SECONDS) as response:
        return orjson.loads(response.read())["data"]


def test_it_says_where_to_look_and_keeps_moving(tmp_path: Path) -> None:
    """The page is there, the commands work as printed, and the cost is another one within ten seconds."""
    with demonstrating(tmp_path, OPSGRAPH_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as lines:
        before = monotonic()
        url = next(line.removeprefix("opsgraph serves ") for line in lines if line.startswith("opsgraph serves"))
        first = query(url, COSTS)
        assert lines[0] == "Loading the demonstration ..."
        assert f"It is kept in {tmp_path}/opsgraph-demo.db; --fresh starts over." in lines
        assert b"Platform" in get(f"{url}/")
        critical, unready, broken = (sent(line.strip()) for line in lines if line.strip().startswith("curl"))
        assert {node["name"] for node in critical["services"]["nodes"]} == {"fraud-detection", "payments", "shipping"}
        verdicts = {node["name"]: node["readiness"] for node in unready["services"]["nodes"]}
        assert verdicts.keys() == {"checkout", "notifications", "orders", "shipping"}
        shipping = verdicts["shipping"]
        assert (shipping["decision"], shipping["effectiveDecision"]) == ("NO_GO", "CONDITIONAL_GO")
        assert "encryption" in [result["check"]["name"] for result in shipping["toGo"]]
        assert broken["saveSlo"]["service"]["health"] == {"status": "CRITICAL", "points": 4}
        while query(url, COSTS) == first:
            assert monotonic() - before < LONG_ENOUGH_SECONDS
    assert timedelta(seconds=10) > 2 * BEAT


def refused(folder: Path, *arguments: str) -> str:
    """What the command says when it refuses: one line, and exit code 1."""
    result = run([OPSGRAPH, "demo", *arguments], folder, timeout=60)
    assert result.returncode == 1, result.stdout
    assert len(result.stdout.splitlines()) == 1
    return result.stdout


def test_a_database_with_other_data_is_left_alone(sqlite_template: Path, tmp_path: Path) -> None:
    """A real database, even an empty one, is not touched, with --fresh neither."""
    real = tmp_path / "opsgraph.db"
    shutil.copy(sqlite_template, real)
    before = real.read_bytes()
    for more in ((), ("--fresh",)):
        message = refused(tmp_path, "--port", "0", "--database", "opsgraph.db", *more)
        assert message == f"opsgraph: {real} holds other data; choose another file with --database\n"
    assert real.read_bytes() == before


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused(tmp_path, "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}" in message
    assert "choose another with --port" in message
    assert list(tmp_path.iterdir()) == []


def test_it_is_not_served_to_other_machines(tmp_path: Path) -> None:
    """Whoever reaches it may change everything, so only this machine does."""
    assert "0.0.0.0 can be reached from other machines" in refused(tmp_path, "--host", "0.0.0.0")  # noqa: S104 - refused
    assert list(tmp_path.iterdir()) == []


async def test_a_second_start_goes_on_with_the_file(tmp_path: Path) -> None:
    """What was changed stays, and when it was loaded is known; --fresh loads it again."""
    path = tmp_path / "demo.db"
    settings = demo.settings_for(path)
    loaded = await demo.prepare(settings, path, fresh=False)
    core = build_core(settings)
    async with core.database.transaction(SYSTEM, START) as tx:
        await make_service(tx, "mine")
        await catalog.rename_service(tx, "api-gateway", "door")
    again = await demo.prepare(settings, path, fresh=False)
    assert abs(again - loaded) < timedelta(milliseconds=1)
    async with core.database.reading() as session:
        assert await catalog_services.service_by_name(session, "mine") is not None
    assert await demo.prepare(settings, path, fresh=True) > loaded
    async with core.database.reading() as session:
        assert await catalog_services.service_by_name(session, "mine") is None
        assert await catalog_services.service_by_name(session, "api-gateway") is not None
    await core.close()


async def test_a_file_of_a_newer_version_is_named(tmp_path: Path) -> None:
    """It can be started over, which is said."""
    path = tmp_path / "demo.db"
    settings = demo.settings_for(path)
    await demo.prepare(settings, path, fresh=False)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(CommandError, match="made by another version of opsgraph: start over with --fresh"):
        await demo.prepare(settings, path, fresh=False)
    await demo.prepare(settings, path, fresh=True)


@pytest.mark.parametrize(("days", "said"), [(0, False), (3, False), (4, True), (400, True)])
def test_data_that_has_aged_is_pointed_out(days: int, said: bool) -> None:
    """After some days the months and windows that it was made for are over."""
    text = demo.introduction(Path("/tmp/demo.db"), START, START + timedelta(days=days))  # noqa: S108 - not opened
    assert (f"loaded {days} days ago" in text) == said
    assert "13 services of 5 teams" in text


def test_settings_of_the_environment_hold_where_they_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log level does; database, workers and authentication are the demonstration's own."""
    monkeypatch.setenv("OPSGRAPH_LOG_LEVEL", "debug")
    monkeypatch.setenv("OPSGRAPH_DATABASE_URL", "mysql://elsewhere")
    monkeypatch.setenv("OPSGRAPH_WORKERS", "off")
    monkeypatch.setenv("OPSGRAPH_AUTH", "required")
    settings = demo.settings_for(tmp_path / "demo.db")
    assert (settings.log_level, settings.log_format) == ("debug", "console")
    assert settings.database_url == f"sqlite:///{tmp_path}/demo.db"
    assert (settings.workers, settings.auth) == ("on", "auto")
