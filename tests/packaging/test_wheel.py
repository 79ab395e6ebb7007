"""The wheel alone, installed outside the checkout, is a working opsgraph."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.packaging import ROOT
from tests.packaging.environments import built_wheel, environment_with, run, succeeded
from tests.packaging.serving import get, query, serving


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return built_wheel(tmp_path_factory.mktemp("dist"))


def test_the_wheel_carries_what_it_needs_at_run_time(wheel: Path) -> None:
    """Migrations, GraphiQL with its examples and licences are inside; tests and tools are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    web = ROOT / "src" / "opsgraph" / "web"
    assert {f"opsgraph/{path.relative_to(web.parent)}" for path in web.rglob("*.*") if path.suffix != ".pyc"} <= names
    scripts = {f"opsgraph/_migrations/versions/{path.name}" for path in (ROOT / "migrations/versions").glob("*.py")}
    assert scripts
    assert scripts | {"opsgraph/_migrations/env.py"} <= names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"opsgraph"}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name, version, licence text and every requirement of pyproject.toml stand in its metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    info = f"opsgraph-{project['version']}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{info}/METADATA").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert f"Version: {project['version']}" in metadata
    assert [line for line in project["dependencies"] if f"Requires-Dist: {line}" not in metadata] == []
    assert licence == (ROOT / "LICENSE").read_text()


def test_the_wheel_alone_migrates_serves_and_answers(wheel: Path, tmp_path: Path) -> None:
    """With nothing but the wheel and the locked requirements: migrate, serve, ask, see GraphiQL."""
    bin_folder = environment_with(wheel, tmp_path / "environment")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    opsgraph = bin_folder / "opsgraph"
    succeeded(run([opsgraph, "migrate"], elsewhere))
    succeeded(run([opsgraph, "migrate", "--check"], elsewhere))
    schema = succeeded(run([opsgraph, "schema"], elsewhere))
    assert schema.strip() == (ROOT / "schema.graphql").read_text().strip()
    with serving(opsgraph, elsewhere) as url:
        assert query(url, "{ platformReport { totalServices } }") == {"data": {"platformReport": {"totalServices": 0}}}
        page = get(f"{url}/graphiql").decode()
        assets = re.findall(r'"(/static/[^"]+)"', page)
        assert assets
        assert [asset for asset in assets if not get(url + asset)] == []
