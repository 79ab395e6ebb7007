"""The package's docstring is its map: it names what exists, and nothing else."""

import re
from pathlib import Path

import opsgraph
from tests.packaging import ROOT
from tests.support.sources import SRC

MAP = opsgraph.__doc__ or ""
NAMED = {
    name
    for names in re.findall(r"^ {4,}(?:-> )?([a-z_]+(?: \| [a-z_]+)*) {2,}\S", MAP, re.MULTILINE)
    for name in names.split(" | ")
}
"""The first word of each line of the map, and those beside it."""


def members(folder: Path) -> set[str]:
    """The modules and packages of a package."""
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_map_names_every_package_and_domain() -> None:
    """And none that is gone."""
    assert sorted(members(SRC) | members(SRC / "domains")) == sorted(NAMED)


def test_the_guide_that_the_map_leads_to_exists() -> None:
    """Where it says more."""
    assert [name for name in re.findall(r"docs/[\w/]+\.md", MAP) if not (ROOT / name).is_file()] == []
