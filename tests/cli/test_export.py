"""opsgraph export: to standard output, to a file, to a folder; and back."""

import asyncio
from pathlib import Path

from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.cli import Outcome, called
from tests.support.contents import unchanged
from tests.support.importing import SAMPLES, emptied, slo, written


async def opsgraph(folder: Path, settings: Settings, *arguments: object) -> Outcome:
    """Run a command on the database of these settings."""
    url = settings.database_url
    return await asyncio.to_thread(called, folder, *map(str, arguments), OPSGRAPH_DATABASE_URL=url)


def names(folder: Path) -> list[str]:
    """What a folder holds."""
    return [path.name for path in folder.iterdir()]


async def test_slos_go_out_and_come_back(database: Database, settings: Settings, tmp_path: Path) -> None:
    """What is printed imports again, into this database and into an empty one, and is printed again to the byte."""
    await opsgraph(tmp_path, settings, "import", "openslo", SAMPLES / "openslo")
    printed = await opsgraph(tmp_path, settings, "export", "openslo")
    assert (printed.exit_code, printed.errors) == (0, "")
    path = tmp_path / "slos.yaml"
    assert await opsgraph(tmp_path, settings, "export", "openslo", "--output", path) == Outcome(0, "", "")
    assert path.read_text(encoding="utf-8") == printed.output
    async with unchanged(database):
        again = await opsgraph(tmp_path, settings, "import", "openslo", path)
        assert again.output.splitlines()[1] == "slos: 0 created, 0 changed, 4 unchanged"
    await emptied(database)
    await opsgraph(tmp_path, settings, "import", "openslo", path)
    assert (await opsgraph(tmp_path, settings, "export", "openslo")).output == printed.output


async def test_one_service(database: Database, settings: Settings, tmp_path: Path) -> None:
    """By its name in any case; one that is not there is named, and nothing is printed or written."""
    await opsgraph(tmp_path, settings, "import", "openslo", written(tmp_path, "a.yaml", slo("a"), slo("b", "api")))
    printed = await opsgraph(tmp_path, settings, "export", "openslo", "--service", "API")
    assert printed.output.count("kind: SLO") == 1
    assert "service: api" in printed.output
    assert await opsgraph(tmp_path, settings, "export", "openslo", "--service", "x", "--output", "x.yaml") == Outcome(
        1, "", 'opsgraph: there is no service called "x"\n'
    )
    assert not any("x.yaml" in name for name in names(tmp_path))


async def test_a_file_that_cannot_be_written(database: Database, settings: Settings, tmp_path: Path) -> None:
    """One line that names it."""
    outcome = await opsgraph(tmp_path, settings, "export", "openslo", "--output", tmp_path / "nowhere" / "a.yaml")
    assert (outcome.exit_code, outcome.output) == (1, "")
    assert "No such file or directory" in outcome.errors
    assert outcome.errors.count("\n") == 1


async def test_everything_goes_out_and_comes_back(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Into a folder, said kind by kind; taken back into an empty database it gives equal files."""
    for kind in ("backstage", "openslo", "focus"):
        await opsgraph(tmp_path, settings, "import", kind, SAMPLES / kind)
    outcome = await opsgraph(tmp_path, settings, "export", "all", "first")
    assert outcome.output.splitlines()[2:4] == ["services: 5 in first/services.jsonl", "slos: 4 in first/slos.yaml"]
    full = await opsgraph(tmp_path, settings, "export", "all", "first")
    assert full == Outcome(1, "", "opsgraph: first is not empty; an export goes into a folder of its own\n")
    await emptied(database)
    back = await opsgraph(tmp_path, settings, "import", "all", "first")
    assert (back.exit_code, back.output.splitlines()[2]) == (0, "services: 5 created, 0 changed, 0 unchanged")
    await opsgraph(tmp_path, settings, "export", "all", "second")
    files = [name for name in names(tmp_path / "first") if name != "manifest.json"]
    assert len(files) == 11
    for name in files:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
