"""The lock files: complete, pinned by hash, and free of addresses and of the machine that made them."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging import ROOT

RUNTIME, DEVELOPMENT, BUILD = "requirements.lock", "requirements-dev.lock", "requirements-build.lock"
LOCKS = (RUNTIME, DEVELOPMENT, BUILD)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, Requirement]:
    """Name -> pin of every package in a lock file."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = [Requirement(line.partition(" --hash")[0]) for line in lines]
    return {canonicalize_name(pin.name): pin for pin in found}


def wanted(lock: str) -> list[Requirement]:
    """What pyproject.toml asks of a lock file."""
    project, extras = PROJECT["project"], PROJECT["project"]["optional-dependencies"]
    texts = {
        RUNTIME: [*project["dependencies"], *extras["postgres"]],
        DEVELOPMENT: [*project["dependencies"], *extras["postgres"], *extras["dev"]],
        BUILD: PROJECT["build-system"]["requires"],
    }[lock]
    return [Requirement(text) for text in texts if not text.startswith("opsgraph")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    """Where packages come from is the business of whoever installs, not of the repository."""
    text = (ROOT / lock).read_text()
    assert re.findall(r"\w+://|@ |^-|--(?!hash=)[a-z]|(?<![\w.])/\w+", text, re.MULTILINE) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_has_a_hash(lock: str) -> None:
    """`pip install --require-hashes` refuses anything less."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_what_the_project_asks_for_is_locked_in_a_version_that_suits(lock: str) -> None:
    """Each requirement of pyproject.toml is pinned within its range; `make lock` after a change of it."""
    locked = pins(lock)
    unsuited = [
        str(want)
        for want in wanted(lock)
        if (pin := locked.get(canonicalize_name(want.name))) is None
        or not want.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True)
    ]
    assert unsuited == []


def test_development_runs_what_users_run() -> None:
    """The development lock holds every runtime package in the same version."""
    runtime, development = pins(RUNTIME), pins(DEVELOPMENT)
    assert {name: pin.specifier for name, pin in runtime.items()} == {
        name: development[name].specifier for name in runtime if name in development
    }


def test_the_lock_of_the_node_checks_names_no_address() -> None:
    """package-lock.json pins by integrity alone."""
    text = (ROOT / "tests/packaging/node/package-lock.json").read_text()
    assert '"integrity": "sha512-' in text
    assert '"resolved"' not in text
    assert "://" not in text
