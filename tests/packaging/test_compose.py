"""compose.yaml starts what the documentation says, pinned, with no secret in it, reachable from this machine only."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.packaging import ROOT
from tests.packaging.dockerfile import only, stages

TEXT = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_services_are_the_database_a_migration_and_the_server() -> None:
    """Nothing else is required to run opsgraph."""
    assert set(SERVICES) == {"postgres", "migrate", "opsgraph"}


def test_images_are_pinned_exactly() -> None:
    """The database by its full version, ours by the version of the project."""
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert re.fullmatch(r"postgres:16\.\d+-[a-z]+", images["postgres"])
    assert {images["migrate"], images["opsgraph"]} == {f"opsgraph:{PROJECT['version']}"}


def test_the_password_comes_from_the_environment_or_nothing_starts() -> None:
    """Every place that needs it refuses an unset or empty one, and no default stands in the file."""
    uses = re.findall(r"\$\{OPSGRAPH_POSTGRES_PASSWORD[^}]*\}", TEXT)
    assert len(uses) == 2
    assert all(use.startswith("${OPSGRAPH_POSTGRES_PASSWORD:?") for use in uses)
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"] == uses[0] == uses[1]


def test_the_server_waits_for_the_migration_and_that_for_the_database() -> None:
    """A server never meets an old schema, a migration never a database that is still starting."""
    assert SERVICES["opsgraph"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["command"] == ["opsgraph", "migrate"]
    assert SERVICES["migrate"]["restart"] == "no"


def test_nothing_is_reachable_from_another_machine() -> None:
    """Without authentication the server binds loopback; so does the published port of the database."""
    command = SERVICES["opsgraph"]["command"]
    assert command[:4] == ["opsgraph", "serve", "--host", "127.0.0.1"]
    assert SERVICES["opsgraph"]["network_mode"] == "host"
    assert [port for port in SERVICES["postgres"]["ports"] if not port.startswith("127.0.0.1:")] == []


def test_the_health_check_asks_the_port_that_is_served() -> None:
    """Whatever OPSGRAPH_PORT says."""
    port = SERVICES["opsgraph"]["command"][-1]
    assert f"http://127.0.0.1:{port}/health/ready" in SERVICES["opsgraph"]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", ["migrate", "opsgraph"])
def test_our_containers_can_write_nothing_and_gain_nothing(name: str) -> None:
    """A read-only file system, no capability, no new privilege."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_data_of_the_database_outlives_its_container() -> None:
    """It stands on a named volume, where the image keeps it."""
    volumes = yaml.safe_load(TEXT)["volumes"]
    assert SERVICES["postgres"]["volumes"] == [f"{next(iter(volumes))}:/var/lib/postgresql/data"]


def test_the_command_is_one_of_the_image() -> None:
    """The compose file starts the program that the Dockerfile starts."""
    final = stages()[-1]
    assert SERVICES["opsgraph"]["command"][:2] == only(final, "CMD").argv[:2]
