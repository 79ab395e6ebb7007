"""opsgraph incidents: what people see of incidents and do about them, on the database at hand."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from opsgraph.cli.incident_lines import described
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.commands.notes import add_note
from opsgraph.domains.incidents.model import NoteInput
from opsgraph.kernel.actor import LOCAL
from opsgraph.settings import Settings
from tests.support.api import Api
from tests.support.cli import Outcome, called
from tests.support.clock import TestClock
from tests.support.incidents import make_incident, opened

HEAD = "NUMBER  STATUS  SEVERITY  SERVICE   ALERTS  ASSIGNEE  OPENED                TITLE"


class Commands:
    """The command on the database of a test.

    Args:
        folder: where it runs.
        settings: which database.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._url = settings.database_url

    async def run(self, *arguments: str, **more: str) -> Outcome:
        """How it ends."""
        wanted = ("incidents", *arguments)
        return await asyncio.to_thread(called, self._folder, *wanted, OPSGRAPH_DATABASE_URL=self._url, **more)

    async def lines(self, *arguments: str, **more: str) -> list[str]:
        """What it prints, when all goes well."""
        outcome = await self.run(*arguments, **more)
        assert (outcome.exit_code, outcome.errors) == (0, ""), outcome
        return outcome.output.splitlines()

    async def refusal(self, *arguments: str) -> str:
        """The line by which it says that it did nothing."""
        outcome = await self.run(*arguments)
        assert (outcome.exit_code, outcome.output) == (1, ""), outcome
        (line,) = outcome.errors.splitlines()
        return line.removeprefix("opsgraph: ")

    async def numbers(self, *arguments: str) -> list[int]:
        """The numbers of the incidents that it lists."""
        return [int(line.split()[0]) for line in (await self.lines("list", *arguments))[1:]]


@pytest.fixture
def incidents(tmp_path: Path, settings: Settings) -> Commands:
    """The command on this test's database."""
    return Commands(tmp_path, settings)


async def make(api: Api, service: str = "api", severity: Severity = Severity.HIGH, **values: Any) -> int:
    """Store an incident beneath the rules; gives its number."""
    async with api.core.database.transaction(LOCAL, api.core.clock.now()) as tx:
        return (await make_incident(tx, service, severity, **values)).number


async def test_a_line_for_each_newest_first(api: Api, incidents: Commands, clock: TestClock) -> None:
    """Under the names of the columns, in UTC."""
    await opened(api, "payments", "CRITICAL")
    clock.move(minutes=1)
    await opened(api, "api")
    assert await incidents.lines("list") == [
        HEAD,
        "2       OPEN    HIGH      api       0       -         2024-03-15T12:01:00Z  api is in trouble",
        "1       OPEN    CRITICAL  payments  0       -         2024-03-15T12:00:00Z  payments is in trouble",
    ]


async def test_without_incidents_there_are_no_lines(api: Api, incidents: Commands) -> None:
    """But the names of the columns; an empty list as JSON."""
    assert len(await incidents.lines("list")) == 1
    assert await incidents.lines("list", "--json") == ["[]"]


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--order", "oldest"], [1, 2, 3]),
        (["--order", "severity"], [2, 3, 1]),
        (["--status", "resolved"], [3]),
        (["--status", "OPEN", "--status", "resolved"], [3, 2, 1]),
        (["--unresolved"], [2, 1]),
        (["--severity", "critical", "--severity", "low"], [2, 1]),
        (["--service", "API"], [1]),
        (["--team", "money"], [2]),
        (["--assignee", "ana"], []),
        (["--search", "PAY"], [2]),
        (["--severity", "low", "--service", "payments"], []),
    ],
)
async def test_conditions(
    api: Api, incidents: Commands, clock: TestClock, arguments: Sequence[str], numbers: Sequence[int]
) -> None:
    """All hold; of one that is repeated, any value does; words are taken in any case."""
    await api.do("saveTeam", name="money")
    await api.do("saveService", name="payments", team="money")
    for service, severity in (("api", "LOW"), ("payments", "CRITICAL"), ("search", "HIGH")):
        await opened(api, service, severity)
        clock.move(minutes=1)
    await incidents.lines("resolve", "3")
    assert await incidents.numbers(*arguments) == list(numbers)


async def test_as_many_as_are_wanted(api: Api, incidents: Commands) -> None:
    """Page by page where they are many; how many there are besides is said where it does not mix with the lines."""
    async with api.core.database.transaction(LOCAL, api.core.clock.now()) as tx:
        for number in range(1, 206):
            await make_incident(tx, number=number)
    some = await incidents.run("list", "--limit", "3")
    assert len(some.output.splitlines()) == 1 + 3
    assert (some.exit_code, some.errors) == (0, "opsgraph: 3 of 205 incidents; --limit shows more\n")
    assert sorted(await incidents.numbers("--limit", "1000")) == list(range(1, 206))


async def test_names_are_printed_whole_and_literally(api: Api, incidents: Commands) -> None:
    """Nothing breaks a line, steers a terminal or is taken for markup; a line is as long as it is."""
    title = "[bold]two\nlines\x1b[2J\u2028of 支払い " + "x" * 900
    await make(api, title=title, service="支払い:fire:")
    _, line = await incidents.lines("list", FORCE_COLOR="1", COLUMNS="40")
    assert line.split("  ")[-1] == "[bold]two\\nlines\\x1b[2J\\u2028of 支払い " + "x" * 900
    assert "  支払い:fire:  " in line
    (found,) = json.loads("\n".join(await incidents.lines("list", "--json")))
    assert found["title"] == title


async def test_an_incident_is_told_from_its_opening_to_its_end(api: Api, incidents: Commands, clock: TestClock) -> None:
    """Facts, alerts, notes and timeline."""
    await api.do("saveTeam", name="money")
    await api.do("saveService", name="payments", team="money")
    await api.do("saveService", name="shop", dependsOn=["payments"])
    for _ in range(2):
        await ingested(api, service="payments", severity="page", message="5xx\nspike")
    await api.data(ACKNOWLEDGED)
    clock.move(hours=1, seconds=62)
    await api.data(RESOLVED)
    assert (await incidents.lines("show", "1"))[:14] == [
        "incident 1",
        "title 5xx",
        "status RESOLVED",
        "may become nothing else",
        "severity CRITICAL",
        "service payments",
        "team money",
        "assignee -",
        "source api",
        "opened 2024-03-15T12:00:00Z",
        "acknowledged 2024-03-15T12:00:00Z after 0 s",
        "resolved 2024-03-15T13:01:02Z after 1 h 1 min",
        "affects shop",
        "alerts 1",
    ]
    assert (await incidents.lines("show", "1"))[14:] == [
        "",
        "STATUS    SEVERITY  TIMES  SINCE                 MESSAGE",
        "RESOLVED  CRITICAL  2x     2024-03-15T12:00:00Z  5xx\\nspike",
        "",
        "WRITTEN               AUTHOR  NOTE",
        "2024-03-15T12:00:00Z  local   on it",
        "",
        "AT                    WHAT            WHO    DETAIL",
        "2024-03-15T12:00:00Z  CREATED         local  CRITICAL: 5xx",
        "2024-03-15T12:00:00Z  ALERT_ATTACHED  local  1 alert",
        "2024-03-15T12:00:00Z  STATUS_CHANGED  local  OPEN -> ACKNOWLEDGED",
        "2024-03-15T12:00:00Z  NOTED           local  on it",
        "2024-03-15T13:01:02Z  STATUS_CHANGED  local  ACKNOWLEDGED -> RESOLVED",
        "2024-03-15T13:01:02Z  ALERT_RESOLVED  local  1 alert",
    ]


ACKNOWLEDGED = 'mutation { acknowledgeIncident(input: {number: 1, note: "on it"}) { __typename } }'
RESOLVED = "mutation { resolveIncident(input: {number: 1}) { __typename } }"


async def ingested(api: Api, **alert: str) -> None:
    """Report an alert."""
    document = "mutation ($input: IngestAlertInput!) { ingestAlert(input: $input) { __typename } }"
    assert await api.data(document, input=alert) == {"ingestAlert": {"__typename": "IngestedAlert"}}


async def test_a_long_story_is_told_to_its_end(api: Api, incidents: Commands) -> None:
    """All notes and the whole timeline, which are more than a page."""
    number = await opened(api)
    async with api.core.database.transaction(LOCAL, api.core.clock.now()) as tx:
        for index in range(203):
            await add_note(tx, NoteInput(number, f"note {index}"))
    found = json.loads("\n".join(await incidents.lines("show", str(number), "--json")))
    written = [f"note {index}" for index in range(203)]
    assert sorted(note["content"] for note in found["notes"]["nodes"]) == sorted(written)
    assert [entry["type"] for entry in found["timeline"]["nodes"]] == ["CREATED", *["NOTED"] * 203]


async def test_several_are_moved_at_once_and_a_refused_one_stops_no_other(api: Api, incidents: Commands) -> None:
    """What was done is on standard output, what was not on standard error and in the exit code."""
    for service in ("a", "b", "c"):
        await opened(api, service)
    assert await incidents.lines("ack", "1", "2", "2") == [
        "1 ACKNOWLEDGED a: a is in trouble",
        "2 ACKNOWLEDGED b: b is in trouble",
    ]
    assert await incidents.lines("resolve", "1", "--note", "over") == ["1 RESOLVED a: a is in trouble"]
    outcome = await incidents.run("ack", "1", "3", "99", "2")
    assert outcome.exit_code == 1
    assert outcome.output.splitlines() == ["3 ACKNOWLEDGED c: c is in trouble", "2 ACKNOWLEDGED b: b is in trouble"]
    assert sorted(outcome.errors.splitlines()) == [
        "opsgraph: incident 1 is RESOLVED and cannot become ACKNOWLEDGED; allowed: nothing",
        "opsgraph: there is no incident 99",
    ]
    assert "over" in (await incidents.lines("show", "1"))[-1]


async def test_notes(api: Api, incidents: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument, or piped in with whatever a program writes; on a resolved incident, too."""
    await opened(api)
    await incidents.lines("resolve", "1")
    assert await incidents.lines("note", "1", "rolled back") == ["1 RESOLVED api: api is in trouble"]
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO("\x1b[31mred\x1b[0m\tand\r\n\xffé\n\n".encode("latin-1"))))
    await incidents.lines("note", "1", "-")
    found = json.loads("\n".join(await incidents.lines("show", "1", "--json")))
    contents = [note["content"] for note in found["notes"]["nodes"]]
    assert contents == ["rolled back", "\\x1b[31mred\\x1b[0m\tand\n��"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "7"], "there is no incident 7"),
        (["note", "7", "text"], "there is no incident 7"),
        (["note", "1", " "], "content is empty; it takes 1 to 10,000 characters"),
        (["ack", "1", "--note", ""], "note is empty; it takes 1 to 10,000 characters"),
        (["ack", *map(str, range(1, 202))], "numbers has 201 incidents; at most 200 are changed at once"),
    ],
)
async def test_what_is_refused_is_a_line(api: Api, incidents: Commands, arguments: Sequence[str], said: str) -> None:
    """With exit code 1, and nothing done."""
    await opened(api)
    assert await incidents.refusal(*arguments) == said
    assert await incidents.numbers("--status", "open") == [1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["show"], "NUMBER"),
        (["show", "x"], "NUMBER"),
        (["show", "0"], "NUMBER"),
        (["ack", "1", "99999999999"], "NUMBER"),
        (["ack"], "NUMBER"),
        (["note", "1"], "TEXT"),
        (["list", "--status", "odd"], "--status"),
        (["list", "--unresolved", "--status", "open"], "--unresolved"),
        (["list", "--limit", "0"], "--limit"),
    ],
)
def test_what_is_mistyped_is_named(arguments: Sequence[str], named: str, tmp_path: Path) -> None:
    """With exit code 2, before any database is looked for."""
    outcome = called(tmp_path, "incidents", *arguments)
    assert outcome.exit_code == 2
    assert named in outcome.errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ({"from": "OPEN", "to": "RESOLVED", "reason": "all ended"}, "OPEN -> RESOLVED (all ended)"),
        ({"from": None, "to": "ana"}, "nobody -> ana"),
        ({"count": 2, "alerts": []}, "2 alerts"),
        ({"part": "escalation", "reason": "KeyError: x"}, "escalation: KeyError: x"),
        ({"minutes": 5}, '{"minutes": 5}'),
    ],
)
def test_what_a_timeline_tells(detail: Mapping[str, Any], shown: str) -> None:
    """Entries of kinds that are yet to come are shown as they are."""
    assert described(detail) == shown
