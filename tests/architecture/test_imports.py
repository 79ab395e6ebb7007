"""Who may import whom: the contracts hold for what there is, cover all of it, and bite."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.packaging import ROOT
from tests.packaging.environments import surroundings
from tests.support.sources import SRC

LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
DOMAINS = sorted(path.parent.name for path in (SRC / "domains").glob("*/__init__.py"))

VIOLATIONS = {
    "packages are layered": ("http/probes.py", "import opsgraph.graphql.errors"),
    "domains are layered": ("domains/cost/model.py", "import opsgraph.domains.slo.model"),
    "files of a domain are layered": ("domains/slo/model.py", "import opsgraph.domains.slo.rules.acceptance"),
    "rules and models are pure": ("domains/cost/formats/focus.py", "import httpx"),
    "the kernel and the settings know nothing of frameworks": ("settings.py", "import starlette.config"),
    "commands are called by edges and workflows, never by another domain": (
        "domains/health/commands.py",
        "import opsgraph.domains.catalog.commands",
    ),
    "there are no import cycles": ("graphql/scalars.py", "import opsgraph.graphql.schema"),
    **{
        f"the tables of {domain} are its own": ("workflows/health.py", f"import opsgraph.domains.{domain}.tables")
        for domain in DOMAINS
    },
    "the tables of events are its own": ("workflows/health.py", "import opsgraph.events.tables"),
}
"""For each contract a file and a line in it that breaks the contract."""


def broken(folder: Path) -> list[str]:
    """The contracts that the package below a folder breaks, and what the linter says of them."""
    result = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env=surroundings({"PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in result.stdout, result.stdout + result.stderr
    found = [line.removesuffix(" BROKEN") for line in result.stdout.splitlines() if line.endswith(" BROKEN")]
    assert bool(result.returncode) == bool(found), result.stdout
    return found and [*found, result.stdout]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a copy of what the linter looks at."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    others = shutil.ignore_patterns("vendor", "__pycache__", "static")
    shutil.copytree(SRC, tmp_path / "src" / "opsgraph", ignore=others)
    return tmp_path


def test_the_contracts_hold() -> None:
    """All of them, now."""
    assert broken(ROOT) == []


def test_every_contract_is_shown_to_bite() -> None:
    """By a violation below."""
    assert {contract["name"] for contract in CONTRACTS} == VIOLATIONS.keys()


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_violation_is_found(contract: str, checkout: Path) -> None:
    """One line is enough."""
    file, line = VIOLATIONS[contract]
    with (checkout / "src" / "opsgraph" / file).open("a") as source:
        source.write(f"\n{line}\n")
    found = broken(checkout)
    assert contract in found, found


@pytest.mark.parametrize(
    ("place", "contract"),
    [
        ("domains/novelties/__init__.py", "domains are layered"),
        ("domains/slo/extra.py", "files of a domain are layered"),
    ],
)
def test_what_has_no_place_in_the_layers_is_found(place: str, contract: str, checkout: Path) -> None:
    """A new domain, or a file that domains do not have."""
    path = checkout / "src" / "opsgraph" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text('"""New."""\n')
    assert contract in broken(checkout)


def test_every_domain_is_under_every_contract_that_is_about_domains() -> None:
    """Those that name domains one by one name each of them."""
    by_name = {contract["name"]: contract for contract in CONTRACTS}
    containers = {f"opsgraph.domains.{domain}" for domain in DOMAINS}
    assert set(by_name["files of a domain are layered"]["containers"]) == containers
    for domain in DOMAINS:
        contract = by_name[f"the tables of {domain} are its own"]
        assert contract["protected_modules"] == [f"opsgraph.domains.{domain}.tables"]
        assert contract["allowed_importers"] == [f"opsgraph.domains.{domain}", "opsgraph.metadata"]


def test_every_package_has_its_layer() -> None:
    """Whatever stands at the top of opsgraph."""
    (layers,) = (contract["layers"] for contract in CONTRACTS if contract["name"] == "packages are layered")
    named = {name.strip("()") for layer in layers for name in layer.split(" | ")}
    top = {path.stem for path in SRC.glob("*.py") if not path.stem.startswith("__")}
    top |= {path.parent.name for path in SRC.glob("*/__init__.py")}
    assert {f"opsgraph.{name}" for name in top} - named == set()
