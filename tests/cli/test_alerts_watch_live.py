"""opsgraph alerts watch on real servers: through kills and restarts, from the first event to the last."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.environments import surroundings
from tests.support.cli import OPSGRAPH, called
from tests.support.killing import Mortal, Sender, asked, mortal
from tests.support.scripted import data, following, result, stream
from tests.support.terminals import seen
from tests.support.waiting import LONG_ENOUGH_SECONDS

ALERTS = "{ alerts(first: 200) { nodes { id status } totalCount } }"


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Let commands hear of Ctrl-C: what a shell starts in the background ignores it, and so does what that starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@asynccontextmanager
async def watching(folder: Path, url: str, *arguments: str) -> AsyncIterator[Process]:
    """The command, once it follows; killed when the block ends."""
    command = ("alerts", "watch", "--url", url, *arguments)
    process = await asyncio.create_subprocess_exec(
        OPSGRAPH, *command, cwd=folder, env=surroundings(), stdout=PIPE, stderr=PIPE
    )
    try:
        assert process.stderr
        assert await process.stderr.readline() == f"opsgraph: watching {url}; Ctrl-C ends it\n".encode()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def events(process: Process, count: int) -> list[dict[str, Any]]:
    """The next events that it prints as JSON."""
    assert process.stdout
    async with asyncio.timeout(2 * LONG_ENOUGH_SECONDS):
        return [json.loads(await process.stdout.readline()) for _ in range(count)]


async def ended(process: Process, by: signal.Signals = signal.SIGINT) -> tuple[str, str]:
    """What it still prints, and says, when Ctrl-C or another signal ends it."""
    process.send_signal(by)
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        output, errors = await process.communicate()
    assert process.returncode == 128 + by, errors
    return output.decode(), errors.decode()


async def resolve(folder: Path, database_url: str, *numbers: str) -> None:
    """Resolve incidents on the database itself, whether a server runs or not."""
    outcome = await asyncio.to_thread(
        called, folder, "incidents", "resolve", *numbers, OPSGRAPH_DATABASE_URL=database_url
    )
    assert (outcome.exit_code, outcome.errors) == (0, "")


async def under_load(server: Mortal, folder: Path, database_url: str) -> None:
    """Alerts are sent without a pause, while the server is killed, incidents are resolved, and it is started again."""
    sender = Sender(server, "sender", size=2)
    sending = asyncio.create_task(sender.run())
    for kill in (1, 2):
        await sender.until(20 * kill)
        await server.kill()
        if kill == 1:
            await resolve(folder, database_url, "1", "2")
        await server.start()
    await sender.until(60)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.usefixtures("database")  # which leaves PostgreSQL empty behind it
async def test_no_event_is_lost_and_none_comes_twice(database_url: str, tmp_path: Path) -> None:
    """While the server is killed under load, and what happened meanwhile; nor once the command was ended itself."""
    async with mortal(tmp_path, OPSGRAPH_DATABASE_URL=database_url) as server:
        async with watching(tmp_path, server.url, "--json") as watch:
            await under_load(server, tmp_path, database_url)
            alerts = (await asked(server.url, ALERTS))["alerts"]
            resolved = [alert["id"] for alert in alerts["nodes"] if alert["status"] == "RESOLVED"]
            shown = await events(watch, alerts["totalCount"] + len(resolved))
            output, errors = await ended(watch)
        told = [(event["kind"], event["alert"]["id"]) for event in shown]
        assert resolved
        assert sorted(told) == sorted(
            [*(("FIRED", alert["id"]) for alert in alerts["nodes"]), *(("RESOLVED", key) for key in resolved)]
        )
        assert all(told.index(("FIRED", key)) < told.index(("RESOLVED", key)) for key in resolved)
        assert output == ""
        assert errors.count("not connected any more, trying again") == errors.count("connected again") > 0
        said, cursor = errors.splitlines()[-1].rsplit(maxsplit=1)
        assert said == "opsgraph: to go on from here: opsgraph alerts watch --after"
        assert cursor == shown[-1]["cursor"]
        await asyncio.to_thread(called, tmp_path, "alerts", "send", "--url", server.url, *ONE_MORE)
        again = ("alerts", "watch", "--url", server.url, "--after", cursor, "--count", "1")
        assert (await asyncio.to_thread(called, tmp_path, *again)).output.endswith("\tone more\n")


ONE_MORE = ("--service", "api", "--severity", "high", "--message", "one more")


async def test_a_server_that_stops_is_waited_for(sqlite_template: Path, tmp_path: Path) -> None:
    """A restart that was asked for loses nothing either, though nothing had happened before it."""
    async with mortal(tmp_path) as server, watching(tmp_path, server.url, "--json", "--count", "1") as watch:
        assert server.process
        server.process.terminate()
        assert await server.process.wait() == 0
        await server.start()
        await asyncio.to_thread(called, tmp_path, "alerts", "send", "--url", server.url, *ONE_MORE)
        (event,) = await events(watch, 1)
        assert event["alert"]["message"] == "one more"
        assert event["alert"]["incident"] == {"number": 1}
        assert await watch.wait() == 0


FIRED = {
    "cursor": "one",
    "at": "2024-03-15T12:00:00Z",
    "kind": "FIRED",
    "alert": {"severity": "CRITICAL", "serviceName": "api", "message": "[b]5xx\x1b[2J", "incident": {"number": 7}},
}
SCRIPT = [data(feedCursor="now"), stream(result("one", {"data": {"alertFeed": FIRED}}), held=True)]


async def test_whoever_ends_it_is_told_where_to_go_on(tmp_path: Path) -> None:
    """A service manager sends SIGTERM; the cursor of the last event, or of where it began."""
    for answers, cursor in ((SCRIPT, "one"), ([data(feedCursor="now"), stream(held=True)], "now")):
        with following(answers) as script:
            async with watching(tmp_path, script.url, "--json") as watch:
                await events(watch, 1 if cursor == "one" else 0)
                _, errors = await ended(watch, signal.SIGTERM)
        assert errors == f"opsgraph: to go on from here: opsgraph alerts watch --after {cursor}\n"


def test_people_see_colours_and_their_own_time(tmp_path: Path) -> None:
    """Nothing that a message brings steers the terminal."""
    with following(SCRIPT) as script:
        shown = seen(tmp_path, "alerts", "watch", "--url", script.url, "--count", "1")
    assert "2024-03-15 21:00:00" in shown
    assert "\x1b[1;31mCRITICAL\x1b[0m" in shown
    assert "[b]5xx\\x1b[2J" in shown
    assert "\x1b[2J" not in shown
    assert "incident 7" in shown


@pytest.mark.parametrize("arguments", [(), ("--json",)])
async def test_whoever_reads_may_stop_reading(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """As `head` does: it ends without a word."""
    with following([SCRIPT[0], stream(*[result("one", {"data": {"alertFeed": FIRED}})] * 2_000)]) as script:
        async with watching(tmp_path, script.url, *arguments) as watch:
            assert watch.stdout
            assert await watch.stdout.readline()
            watch.stdout._transport.close()  # type: ignore[attr-defined]  # a reader has no way to say that it is done
            assert watch.stderr
            async with asyncio.timeout(LONG_ENOUGH_SECONDS):
                assert b"Traceback" not in await watch.stderr.read()
                assert await watch.wait() == 1
