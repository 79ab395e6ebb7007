"""Exporting everything and taking it back, on both databases and from one to the other."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput, TeamInput
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.governance.rules import KEYS
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.refusals import Conflict
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.snapshots import snapshot
from opsgraph.workflows.export_format import FILES, MANIFEST
from opsgraph.workflows.exporting import records
from opsgraph.workflows.exporting.everything import export_everything
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.cost import cost as contribution
from tests.support.everything import DEPLOYMENTS, make_everything, run, written
from tests.support.importing import STRICT, counts, emptied, reasons

LATER = ("duties", "manifests")
"""What the first version that exported did not have."""


@pytest.fixture
async def other(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A second, empty database."""
    (tmp_path / "other").mkdir()
    opened = Database(Settings(database_url=databases.copied(sqlite_template, tmp_path / "other")))
    yield opened
    await opened.close()


async def test_everything_survives(database: Database, clock: TestClock, tmp_path: Path, other: Database) -> None:
    """Export, import elsewhere, export: the same bytes; so after emptying the database; again changes nothing."""
    await make_everything(database, clock)
    first = await written(database, clock, tmp_path / "first")
    assert json.loads(first["counts"]) == {
        "teams": 2,
        "users": 2,
        "services": 4,
        "slos": 4,
        "budgets": 2,
        "costs": 5,
        "duties": 2,
        "governance": 4,
        "reliability": 2,
        "manifests": 2,
        "deployments": DEPLOYMENTS + 1,
    }
    async with unchanged(database):
        report = await run(database, clock, tmp_path / "first")
        assert {kind: tally[2] for kind, tally in counts(report).items()} == json.loads(first["counts"])
    await emptied(database)
    for number, target in enumerate((database, other)):
        report = await run(target, clock, tmp_path / "first")
        assert (report.refused, report.warned, report.stored) == (0, 0, True)
        assert {kind: tally[0] for kind, tally in counts(report).items()} == json.loads(first["counts"])
        assert await written(target, clock, tmp_path / f"again-{number}") == first
        async with unchanged(target):
            await run(target, clock, tmp_path / "first")


async def test_a_service_archived_on_one_side_only(
    database: Database, clock: TestClock, tmp_path: Path, other: Database
) -> None:
    """Active here and archived there becomes archived since then; archived here and active there is refused."""
    await make_everything(database, clock)
    first = await written(database, clock, tmp_path / "first")
    async with other.transaction(LOCAL, clock.now()) as tx:
        await catalog.save_service(tx, ServiceInput("old"))
        await catalog.save_service(tx, ServiceInput("web"))
        await catalog.archive_service(tx, "web")
    report = await run(other, clock, tmp_path / "first")
    assert reasons(report.refusals) == [
        'services.jsonl: web: service "web" is archived; restore it before changing it',
    ]
    services = (await written(other, clock, tmp_path / "second"))["services.jsonl"].splitlines()
    old = next(line for line in first["services.jsonl"].splitlines() if '"old"' in line and '"archivedAt":"' in line)
    assert old in services


async def test_what_is_not_in_the_folder_stays(
    database: Database, clock: TestClock, tmp_path: Path, other: Database
) -> None:
    """Other services, their hand-made costs and members; an imported origin becomes what the folder says."""
    await make_everything(database, clock)
    await written(database, clock, tmp_path / "first")
    async with other.transaction(LOCAL, clock.now()) as tx:
        for name in ("mine", "api"):
            await catalog.save_service(tx, ServiceInput(name))
        await cost.record_cost(tx, CostInput("mine", "2024-01", Decimal(7)), "USD")
        await cost.replace_origins(tx, {"focus:b"}, [contribution("2024-05", 9, origin="focus:b")])
    report = await run(other, clock, tmp_path / "first")
    assert (counts(report)["services"], report.kinds["costs"].removed) == ((3, 1, 0), 1)
    second = await written(other, clock, tmp_path / "second")
    assert (
        '{"origin":"manual","service":"mine","month":"2024-01","currency":"USD","billed":"7"' in second["costs.jsonl"]
    )
    assert [line for line in second["costs.jsonl"].splitlines() if "focus:b" in line] == [
        '{"origin":"focus:b","service":null,"month":"2024-01","currency":"USD","billed":"2","effective":null}'
    ]


async def test_damage_is_named_and_the_rest_is_taken(
    database: Database, clock: TestClock, tmp_path: Path, other: Database
) -> None:
    """A broken line, a line of another kind, a missing file, a truncated one: by file, line and name."""
    await make_everything(database, clock)
    folder = tmp_path / "first"
    await written(database, clock, folder)
    _edit(folder / "teams.jsonl", 0, "{broken")
    _edit(folder / "users.jsonl", 0, '{"name":"ada","email":"nowhere"}')
    _edit(folder / "governance.jsonl", 0, '{"service":"api","check":"luck","passed":true}')
    _edit(folder / "budgets.jsonl", 0, '{"service":"nobody","amount":"1","currency":"USD"}')
    _edit(folder / "manifests.jsonl", 0, '{"service":"api","values":{"metrics":1}}')
    _edit(folder / "duties.jsonl", 0, '{"key":"runbook","description":"It is.","evidence":7}')
    _edit(folder / "deployments.jsonl", 0, None)
    (folder / "reliability.jsonl").unlink()
    report = await run(other, clock, folder)
    asked = ", ".join([*KEYS, "restore_test"])
    assert [reason for reason in reasons(report.refusals) if not reason.startswith("services")] == [
        'budgets.jsonl: nobody: there is no service called "nobody"',
        "duties.jsonl: runbook: evidence is a number, not a text",
        f'governance.jsonl: api: there is no governance check called "luck"; there are {asked}',
        "manifests.jsonl: api: metrics is 1; it takes true or false",
        "reliability.jsonl: None: there is no such file or folder",
        "teams.jsonl: None: not valid JSON: Expecting property name enclosed in double quotes, at column 2",
        'users.jsonl: ada: email "nowhere" is not a mail address',
    ]
    assert reasons(report.warnings) == [
        f"deployments.jsonl: None: holds {DEPLOYMENTS} deployments; the manifest says {DEPLOYMENTS + 1}",
        'slos.yaml: availability: the catalog had no service "Api"; it was created',
    ]
    assert counts(report)["slos"] == (4, 0, 0)
    async with unchanged(other):
        assert not (await run(other, clock, folder, STRICT)).stored


def _edit(path: Path, line: int, text: str | None) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[line : line + 1] = [] if text is None else [text]
    path.write_text("\n".join(lines), encoding="utf-8")


async def test_the_lines_of_an_origin_stand_together(other: Database, clock: TestClock, tmp_path: Path) -> None:
    """A second group of one origin would replace the first, so it is refused."""
    await export_everything(other, clock.now(), tmp_path / "first")
    lines = [
        json.dumps({"origin": origin, "service": None, "month": "2024-01", "currency": "USD", "billed": "1"})
        for origin in ("a", "b", "a", "manual")
    ]
    (tmp_path / "first" / "costs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    report = await run(other, clock, tmp_path / "first")
    assert [(finding.line, finding.reason) for finding in report.refusals] == [
        (3, 'the lines of "a" do not stand together; these would replace those above'),
        (4, "service is missing; what is recorded by hand has one"),
    ]


async def test_an_origin_has_one_name(other: Database, clock: TestClock, tmp_path: Path) -> None:
    """An entity that is known here by another name is refused, not made twice."""
    async with other.transaction(LOCAL, clock.now()) as tx:
        await catalog.save_service(tx, ServiceInput("gateway", origin="backstage:component:default/api"))
    async with other.transaction(LOCAL, clock.now(), dry_run=True) as tx:
        await catalog.rename_service(tx, "gateway", "api")
    await export_everything(other, clock.now(), tmp_path / "first")
    async with other.transaction(LOCAL, clock.now()) as tx:
        await catalog.rename_service(tx, "gateway", "api")
    report = await run(other, clock, tmp_path / "first")
    assert reasons(report.refusals) == [
        'services.jsonl: gateway: what came from "backstage:component:default/api" is called "api" here'
    ]


async def test_a_folder_that_is_no_export_is_refused(other: Database, clock: TestClock, tmp_path: Path) -> None:
    """Without a manifest, with that of something else, or of a version to come."""
    folder = tmp_path / "first"
    await export_everything(other, clock.now(), folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for text, reason in [
        (json.dumps({**manifest, "version": 2}), "manifest.json is of version 2; this opsgraph reads 1"),
        (json.dumps({**manifest, "format": "x"}), "manifest.json does not say that this is an opsgraph-export"),
        ("[" * 100_000, "manifest.json is not valid JSON"),
    ]:
        (folder / MANIFEST).write_text(text, encoding="utf-8")
        report = await run(other, clock, folder)
        assert (report.read, report.stored, [each.reason for each in report.refusals]) == (False, False, [reason])
    (folder / MANIFEST).unlink()
    assert "it has no manifest.json" in (await run(other, clock, folder)).refusals[0].reason


async def test_an_export_goes_into_a_folder_of_its_own(other: Database, clock: TestClock, tmp_path: Path) -> None:
    """Never among other files, and never over one."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    for path in (tmp_path / "full", tmp_path / "full" / "mine.txt"):
        with pytest.raises(Conflict, match=r"an export goes into a folder of its own"):
            await export_everything(other, clock.now(), path)
    counts_ = await export_everything(other, clock.now(), tmp_path / "deep" / "folder")
    assert counts_ == dict.fromkeys(FILES, 0)


async def test_an_export_sees_one_moment(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """What is written while it runs is in none of its files."""
    await make_everything(database, clock)
    before = await written(database, clock, tmp_path / "before")
    texts = []
    async with snapshot(database) as session:
        texts.append([record async for record in records.teams(session)])
        async with database.transaction(LOCAL, clock.now()) as tx:
            await catalog.save_team(tx, TeamInput("later"))
            await catalog.save_service(tx, ServiceInput("later", team="later"))
        texts.append([record async for record in records.services(session)])
    assert [len(found) for found in texts] == [before["teams.jsonl"].count("\n"), before["services.jsonl"].count("\n")]


async def test_an_export_of_an_older_opsgraph_is_whole(
    database: Database, clock: TestClock, tmp_path: Path, other: Database
) -> None:
    """What it did not know of is not missing: its manifest does not promise it."""
    await make_everything(database, clock)
    folder = tmp_path / "first"
    await written(database, clock, folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for kind in LATER:
        (folder / FILES[kind]).unlink()
        del manifest["counts"][kind]
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    report = await run(other, clock, folder)
    assert (report.refused, report.warned, report.stored) == (0, 0, True)
    assert counts(report)["services"] == (4, 0, 0)
