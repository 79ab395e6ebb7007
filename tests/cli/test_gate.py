"""opsgraph gate: exit codes that a pipeline can trust, on a database, on a server, and in a shell script."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from opsgraph.cli import gate
from opsgraph.kernel.clock import SystemClock
from opsgraph.settings import Settings
from tests.packaging import ROOT
from tests.packaging.environments import surroundings
from tests.support import databases
from tests.support.api import running
from tests.support.cli import OPSGRAPH, called, served
from tests.support.clock import TestClock
from tests.support.gates import fill
from tests.support.readiness import acted
from tests.support.terminals import seen
from tests.support.verdicts import EVERYTHING

SCRIPT = """
for service in ready nearly blocked unknown unasked; do
    opsgraph gate "$service" >/dev/null 2>&1
    echo "$service $?"
done
opsgraph gate nearly --allow-conditional >/dev/null && echo "nearly may go"
opsgraph gate overridden >/dev/null && echo "overridden may go"
opsgraph gate >/dev/null 2>&1 || echo "usage $?"
if opsgraph gate blocked >/dev/null; then echo shipped; else echo stopped; fi
OPSGRAPH_URL=http://127.0.0.1:9 opsgraph gate ready >/dev/null 2>&1 || echo "down $?"
"""
SAID = [
    *("ready 0", "nearly 1", "blocked 2", "unknown 3", "unasked 3"),
    *("nearly may go", "overridden may go", "usage 3", "stopped", "down 3"),
]


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of such services, to be copied."""
    settings = Settings(
        database_url=databases.copied(sqlite_template, tmp_path_factory.mktemp("filled")), workers="off"
    )
    asyncio.run(fill(settings))
    return Path(settings.database_url.removeprefix("sqlite:///"))


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """A folder with a database of such services."""
    databases.copied(filled, tmp_path)
    return tmp_path


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH with nothing but opsgraph in it."""
    alone = tmp_path_factory.mktemp("tools")
    (alone / "opsgraph").symlink_to(OPSGRAPH)
    return alone


def test_each_exit_code_in_a_shell_script_against_a_running_server(folder: Path, tools: Path) -> None:
    """As a pipeline has it."""
    with served(folder, OPSGRAPH_WORKERS="off") as server:
        environment = surroundings({"OPSGRAPH_URL": server.url})
        script = subprocess.run(
            ["sh", "-c", SCRIPT],
            cwd=tools,
            env={**environment, "PATH": f"{tools}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert script.stdout.splitlines() == SAID, script.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("ready",), 0),
        (("READY",), 0),
        (("nearly",), 1),
        (("nearly", "--allow-conditional"), 0),
        (("blocked",), 2),
        (("blocked", "--allow-conditional"), 2),
        (("overridden",), 0),
        (("unasked",), 3),
        (("unknown",), 3),
        (("ready", "--timeout", "soon"), 3),
        (("ready", "twice"), 3),
        (("--nonsense",), 3),
        ((), 3),
    ],
)
def test_each_exit_code_on_the_database(folder: Path, arguments: tuple[str, ...], exit_code: int) -> None:
    """Without any server; what is no verdict says why on standard error and nothing else."""
    outcome = called(folder, "gate", *arguments)
    assert outcome.exit_code == exit_code, outcome
    if exit_code == gate.UNDECIDED:
        assert (outcome.output, outcome.errors != "") == ("", True)
    else:
        assert outcome.errors == ""


def test_the_steps_of_the_guide_do_what_they_say(folder: Path, tools: Path) -> None:
    """The pipelines are YAML; what they run stops for NO_GO alone where they say so."""
    guide = (ROOT / "docs" / "gate.md").read_text()
    steps = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)]
    assert steps[0]["jobs"]["deploy"]["needs"] == "readiness"
    assert steps[2]["readiness"]["allow_failure"] == {"exit_codes": [gate.EXIT_CODES[gate.Decision.CONDITIONAL_GO]]}
    script = steps[1][0]["run"]
    address = f"sqlite:///{folder / 'opsgraph.db'}"
    environment = surroundings({"OPSGRAPH_DATABASE_URL": address})
    ended = {}
    for service in ("ready", "nearly", "blocked", "unknown"):
        ran = subprocess.run(
            ["bash", "-e", "-c", script.replace("checkout", service)],
            env={**environment, "PATH": f"{tools}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        ended[service] = (ran.returncode, ran.stdout.count("::warning::"))
    assert ended == {"ready": (0, 0), "nearly": (0, 1), "blocked": (2, 0), "unknown": (0, 1)}


def test_a_reader_that_goes_away_changes_no_exit_code(folder: Path) -> None:
    """Such as head, in a pipeline that looks at each command's."""
    with subprocess.Popen(
        [OPSGRAPH, "gate", "blocked"],
        cwd=folder,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 2)


def test_a_crash_is_no_verdict(folder: Path) -> None:
    """Although the exit code of a traceback would read as CONDITIONAL_GO."""
    with patch.object(gate, "print_verdict", side_effect=ZeroDivisionError("boom")):
        outcome = called(folder, "gate", "ready")
    assert (outcome.exit_code, outcome.output) == (3, "")
    assert "boom" in outcome.errors
    assert outcome.errors.splitlines()[-1] == "opsgraph: no verdict: ZeroDivisionError"


def test_settings_that_cannot_be_used_are_no_verdict(folder: Path) -> None:
    """Nor is a database that is none."""
    (folder / "notes.txt").write_text("nothing of the kind")
    for address in ("nonsense", f"sqlite:///{folder / 'notes.txt'}"):
        outcome = called(folder, "gate", "ready", OPSGRAPH_DATABASE_URL=address)
        assert (outcome.exit_code, outcome.output, len(outcome.errors.splitlines())) == (3, "", 1)


def test_a_table_that_a_log_keeps_readable(folder: Path) -> None:
    """What blocks comes first; no colours, no wrapped lines; what to do stands at the end."""
    lines = called(folder, "gate", "blocked").output.splitlines()
    assert lines[0].split() == ["SERVICE", "DECISION", "PASSED", "POLICY", "EVALUATED"]
    assert lines[1].split()[:3] == ["blocked", "NO_GO", "93%"]
    assert lines[3].split() == ["OUTCOME", "CATEGORY", "CHECK", "REASON"]
    assert lines[4].split()[:4] == ["FAILED", "SECURITY", "encryption", "BLOCKS:"]
    assert lines[-2] == "The least that has to pass for a GO:"
    assert lines[-1].startswith("  encryption: ")
    assert "\x1b" not in "".join(lines)


def test_what_people_decided_is_in_the_open(folder: Path) -> None:
    """With who, until when, and why."""
    overridden = called(folder, "gate", "overridden").output.splitlines()
    assert overridden[1].split()[:2] == ["overridden", "GO"]
    assert overridden[2].startswith("overridden: the verdict is NO_GO, GO counts until 20")
    assert overridden[2].endswith("; asked for by Eda, approved by Apo: the audit is on Monday")
    nearly = called(folder, "gate", "nearly").output.splitlines()
    assert nearly[2].startswith("exempt from metrics until 20")
    assert nearly[2].endswith(", granted by Apo: no traffic yet")
    assert any(line.split()[:3] == ["SKIPPED", "OBSERVABILITY", "metrics"] for line in nearly)


def test_an_override_that_counts_no_more_says_why(folder: Path) -> None:
    """Whoever relied on it sees when and by what it ended."""
    ended = called(folder, "gate", "ended").output.splitlines()
    assert ended[1].split()[:2] == ["ended", "NO_GO"]
    assert re.fullmatch(r"override to GO by Apo ended 20\d\d-.*: new blocker: authentication", ended[2])
    rejected = called(folder, "gate", "rejected").output.splitlines()
    assert rejected[2] == "override to GO asked for by Eda rejected by Apo: look again"
    override = json.loads(called(folder, "gate", "ended", "--json").output)["override"]
    assert (override["active"], override["state"]) == (False, "ended")
    assert (override["ended_at"][:2], override["ended_reason"]) == ("20", "new blocker: authentication")


def test_json_for_scripts(folder: Path) -> None:
    """One object; the exit code is the same."""
    outcome = called(folder, "gate", "nearly", "--json")
    found = json.loads(outcome.output)
    assert outcome.exit_code == 1
    assert {name: found[name] for name in ("service", "decision", "verdict", "pass_rate", "blockers", "to_go")} == {
        "service": "nearly",
        "decision": "conditional_go",
        "verdict": "conditional_go",
        "pass_rate": "86%",
        "blockers": [],
        "to_go": ["dashboards"],
    }
    assert [line.partition(":")[0] for line in found["conditions"]] == ["dashboards", "load_tested"]
    by_check: dict[str, Any] = {result["check"]: result for result in found["results"]}
    assert by_check["encryption"]["hard_blocker"] is True
    assert (by_check["metrics"]["outcome"], by_check["dashboards"]["category"]) == ("skipped", "observability")
    assert [each["check"] for each in found["exemptions"]] == ["metrics"]
    override = json.loads(called(folder, "gate", "overridden", "--json").output)["override"]
    assert (override["active"], override["requested_by"], override["approved_by"]) == (True, "Eda", "Apo")


def test_people_see_colours(folder: Path) -> None:
    """At a terminal."""
    assert "\x1b[1;32mGO" in seen(folder, "gate", "ready")


def test_waiting_ends_when_the_service_may_go(folder: Path) -> None:
    """Or when time has run out, with the last verdict."""
    with patch.object(gate, "_PAUSE_SECONDS", 0.05):
        outcome = called(folder, "gate", "blocked", "--wait", "--timeout", "2")
        assert (outcome.exit_code, "NO_GO" in outcome.output) == (2, True)
        assert outcome.errors.startswith("opsgraph: blocked is NO_GO; asking again in 0.05 s\n")
        assert called(folder, "gate", "ready", "--wait").errors == ""


def test_waiting_outlasts_a_server_that_is_away(folder: Path) -> None:
    """Until time has run out: then there is no verdict."""
    with patch.object(gate, "_PAUSE_SECONDS", 0.05):
        outcome = called(folder, "gate", "ready", "--wait", "--timeout", "0.5", "--url", "http://127.0.0.1:9")
    assert (outcome.exit_code, outcome.output) == (3, "")
    *before, last = outcome.errors.splitlines()
    assert all(line.endswith("; asking again in 0.05 s") for line in before)
    assert (len(before) >= 1, "asking again" in last) == (True, False)


def test_waiting_sees_what_changes_meanwhile(folder: Path) -> None:
    """Such as a team that declares what was missing."""
    asked_again = 0

    async def mended(_seconds: float) -> None:
        nonlocal asked_again
        asked_again += 1
        settings = Settings(database_url=f"sqlite:///{folder / 'opsgraph.db'}", workers="off")
        async with running(settings, TestClock(SystemClock().now())) as api:
            await acted(api, "declareManifest", service="blocked", values=dict(EVERYTHING))

    with patch("opsgraph.cli.gate.asyncio.sleep", mended):
        outcome = called(folder, "gate", "blocked", "--wait")
    assert (outcome.exit_code, asked_again) == (0, 1)
