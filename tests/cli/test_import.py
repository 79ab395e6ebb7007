"""opsgraph import: what it prints, the exit codes that scripts rely on, and what is stored."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.cli import Outcome, called
from tests.support.contents import unchanged
from tests.support.importing import REAL_FILES, SAMPLES, component, needs_real_files, slo, written

CHARGES = SAMPLES / "focus" / "charges.csv"


async def imported(folder: Path, settings: Settings, *arguments: object) -> Outcome:
    """Run `opsgraph import` on the database of these settings."""
    url = settings.database_url
    words = ("import", *map(str, arguments))
    return await asyncio.to_thread(called, folder, *words, OPSGRAPH_DATABASE_URL=url)


async def report_of(folder: Path, settings: Settings) -> str:
    """What `opsgraph report` prints."""
    return (await asyncio.to_thread(called, folder, "report", OPSGRAPH_DATABASE_URL=settings.database_url)).output


@needs_real_files
async def test_published_catalog(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Counts, the refused file by name and reason, warnings; exit 1, because one was refused; again nothing new."""
    outcome = await imported(tmp_path, settings, "backstage", REAL_FILES / "backstage")
    lines = outcome.output.splitlines()
    assert (outcome.exit_code, outcome.errors) == (1, "")
    assert lines[:3] == [
        "teams: 2 created, 0 changed, 0 unchanged",
        "users: 4 created, 0 changed, 0 unchanged",
        "services: 6 created, 0 changed, 0 unchanged",
    ]
    assert lines[3].startswith(f"{REAL_FILES}/backstage/invalid-component.yaml:4: invalid component: metadata.name ")
    assert all(line.startswith(f"warning: {REAL_FILES}/backstage/") for line in lines[4:])
    again = (await imported(tmp_path, settings, "backstage", REAL_FILES / "backstage")).output.splitlines()
    assert again[2] == "services: 0 created, 0 changed, 6 unchanged"
    assert "petstore             sre     UNKNOWN" in await report_of(tmp_path, settings)


@needs_real_files
async def test_published_costs(database: Database, settings: Settings, tmp_path: Path) -> None:
    """The four lines that scripts read; the report shows the same."""
    outcome = await imported(tmp_path, settings, "focus", REAL_FILES / "focus" / "focus_sample.csv")
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert outcome.output.splitlines() == [
        "costs: 4 created, 0 changed, 0 unchanged",
        "billed 20.52 USD",
        "effective 14.98 USD",
        "untagged rows 289",
        "unallocated 20.52 USD",
    ]
    assert "unallocated cost 20.52 USD" in await report_of(tmp_path, settings)


@needs_real_files
async def test_published_slos(database: Database, settings: Settings, tmp_path: Path) -> None:
    """With warnings alone the exit code is 0; the report counts the SLOs."""
    outcome = await imported(tmp_path, settings, "openslo", REAL_FILES / "openslo")
    assert outcome.exit_code == 0
    assert outcome.output.splitlines()[:2] == [
        "services: 4 created, 0 changed, 0 unchanged",
        "slos: 5 created, 0 changed, 0 unchanged",
    ]
    assert "0/2" in await report_of(tmp_path, settings)


async def test_a_map_and_several_currencies(database: Database, settings: Settings, tmp_path: Path) -> None:
    """A line for each currency; the map's rules decide; a damaged line is named and the rest is stored."""
    await imported(tmp_path, settings, "openslo", written(tmp_path, "a.yaml", slo(service="checkout")))
    outcome = await imported(tmp_path, settings, "focus", "--map", SAMPLES / "focus" / "map.yaml", CHARGES)
    assert outcome.exit_code == 1
    assert outcome.output.splitlines() == [
        "costs: 3 created, 0 changed, 0 unchanged",
        "billed -3.50 EUR",
        "billed 12.10 USD",
        "effective 9.50 USD",
        "untagged rows 2",
        "unallocated 0.00 EUR",
        "unallocated 2.00 USD",
        f'{CHARGES}:6: BilledCost "lots" is not a number',
        f'warning: {CHARGES}:7: Tags "{{broken" is not a JSON object; the row is kept without tags',
    ]


async def test_a_header_alone_costs_nothing(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Scripts find their lines all the same."""
    path = tmp_path / "empty.csv"
    path.write_text(CHARGES.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    outcome = await imported(tmp_path, settings, "focus", path)
    assert (outcome.exit_code, outcome.output.splitlines()[1:]) == (
        0,
        ["billed 0.00 USD", "effective 0.00 USD", "untagged rows 0", "unallocated 0.00 USD"],
    )


@pytest.mark.parametrize("kind", ["backstage", "openslo", "focus"])
async def test_the_samples_with_each_option(kind: str, database: Database, settings: Settings, tmp_path: Path) -> None:
    """A dry run and a strict one store nothing and say so first; then the samples are stored, and again unchanged."""
    async with unchanged(database):
        dry = await imported(tmp_path, settings, kind, "--dry-run", SAMPLES / kind)
        assert dry.output.splitlines()[0] == "dry run: nothing is stored"
    damaged = written(tmp_path, "damaged.yaml", "{broken") if kind != "focus" else CHARGES
    async with unchanged(database):
        strict = await imported(tmp_path, settings, kind, "--strict", SAMPLES / kind, damaged)
        assert strict.exit_code == 1
        assert strict.output.splitlines()[0].startswith("nothing was stored: ")
    done = await imported(tmp_path, settings, kind, SAMPLES / kind)
    assert done.output.splitlines() == dry.output.splitlines()[1:]
    assert done.exit_code == dry.exit_code
    async with unchanged(database):
        await imported(tmp_path, settings, kind, SAMPLES / kind)


async def test_half_of_the_files_are_bad(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Each bad one is named with its reason and line; the good ones are there."""
    folder = tmp_path / "catalog"
    for number in range(3):
        written(folder, f"good-{number}.yaml", component(f"good-{number}"))
    written(folder, "syntax.yaml", "a: [1, 2\nb: }")
    written(folder, "twice.yaml", component("good-1"))
    (folder / "latin.yaml").write_bytes(b"title: K\xf6ln")
    outcome = await imported(tmp_path, settings, "backstage", folder)
    lines = [line.replace(f"{folder}/", "") for line in outcome.output.splitlines()]
    assert (outcome.exit_code, lines[2]) == (1, "services: 3 created, 0 changed, 0 unchanged")
    assert lines[3] == "latin.yaml:1: is not UTF-8 text: byte 0xF6 does not fit"
    assert lines[4].startswith("syntax.yaml:2: not valid YAML: ")
    assert lines[5].startswith("twice.yaml:1: good-1: component:default/good-1 is already defined at ")


async def test_nothing_could_be_read(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Exit 2, and why: no such path, no file of that ending, no text, no cost file."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "binary.yaml").write_bytes(b"\0\1\2")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for kind, path, reason in [
        ("backstage", "missing", "missing: there is no such file or folder"),
        ("openslo", "bare", "bare: holds no file that ends in .yaml or .yml"),
        ("backstage", "binary.yaml", "binary.yaml:1: is not UTF-8 text: it holds zero bytes"),
        ("focus", "bare", "bare: holds no file that ends in .csv or .csv.gz"),
        ("all", "bare", "bare: is not a folder that `opsgraph export all` wrote: it has no manifest.json"),
    ]:
        outcome = await imported(tmp_path, settings, kind, path)
        assert outcome == Outcome(2, f"nothing could be read\n{reason}\n", "")
    outcome = await imported(tmp_path, settings, "focus", "other.csv")
    assert outcome.exit_code == 2
    assert "other.csv:1: not a FOCUS file: it has no column BilledCost, " in outcome.output


async def test_json_has_the_whole_report(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Names, places and exact amounts, for programs; the exit code is the same."""
    outcome = await imported(tmp_path, settings, "focus", "--json", CHARGES)
    assert outcome.exit_code == 1
    report = json.loads(outcome.output)
    assert (report["stored"], report["dryRun"], report["read"], report["files"]) == (True, False, True, 1)
    assert report["costs"]["billed"] == [
        {"amount": "-3.5", "currency": "EUR"},
        {"amount": "12.10000000001", "currency": "USD"},
    ]
    assert (report["costs"]["rows"], report["costs"]["untaggedRows"]) == (4, 2)
    assert report["refusals"] == [
        {"file": str(CHARGES), "line": 6, "name": None, "reason": 'BilledCost "lots" is not a number'}
    ]
    services = json.loads((await imported(tmp_path, settings, "backstage", SAMPLES / "backstage", "--json")).output)
    assert services["kinds"]["services"]["createdNames"] == ["Checkout-Api", "good", "payments"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rules: [{tag: a, colour: red}]", "map.yaml:1: rules[0].colour is not known"),
        ("rules: []", "map.yaml:1: rules is missing or empty"),
        ("{", "map.yaml:1: not valid YAML: "),
        (None, "map.yaml: there is no such file or folder"),
    ],
)
async def test_a_map_that_is_wrong_imports_nothing(
    text: str | None, reason: str, database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Every mistake with its place, before any file is read; exit 2."""
    if text is not None:
        (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    async with unchanged(database):
        outcome = await imported(tmp_path, settings, "focus", "--map", "map.yaml", CHARGES)
    assert (outcome.exit_code, outcome.output) == (2, "")
    first, second, *_ = outcome.errors.splitlines()
    assert first == "opsgraph: nothing was imported, because the map cannot be used:"
    assert second.startswith(reason)


async def test_lines_are_lines_whatever_a_file_says(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Names with line breaks and escape sequences neither forge lines nor colour a terminal."""
    odd = tmp_path / "a\nservices: 9 created\x1b[31m.yaml"
    shutil.copy(SAMPLES / "backstage" / "broken.yaml", odd)
    outcome = await imported(tmp_path, settings, "backstage", odd)
    assert "\x1b" not in outcome.output
    assert [line for line in outcome.output.splitlines() if line.startswith("services:")] == [
        "services: 1 created, 0 changed, 0 unchanged"
    ]


def test_without_a_database_one_is_made(tmp_path: Path) -> None:
    """The file is created and migrated first, as every command does that works on the database."""
    path = written(tmp_path, "a.yaml", component("api"))
    assert called(tmp_path, "import", "backstage", str(path)).exit_code == 0
    assert (tmp_path / "opsgraph.db").is_file()
    assert "services 1 " in called(tmp_path, "report").output


@pytest.mark.parametrize("command", ["backstage", "openslo", "focus", "all"])
def test_help_shows_how(command: str, tmp_path: Path) -> None:
    """An example to copy, and every option."""
    outcome = called(tmp_path, "import", command, "--help")
    assert outcome.exit_code == 0
    assert f"opsgraph import {command} " in outcome.output
    assert all(option in outcome.output for option in ("--dry-run", "--strict", "--json"))
    assert ("--map" in outcome.output) == (command == "focus")
