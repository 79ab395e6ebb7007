"""The running server speaks GraphQL over HTTP as the specification says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.node_packages import node, packages
from tests.packaging.serving import serving

AUDIT = Path(__file__).parent / "graphql_http_audit.mjs"
CHECKS = 61


@pytest.mark.node
def test_every_check_of_the_published_audit_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All 61 checks of the npm package graphql-http, the recommended ones included."""
    program, modules = node(), packages()
    opsgraph = Path(sys.executable).with_name("opsgraph")
    with serving(opsgraph, tmp_path) as url:
        audit = subprocess.run(
            [program, AUDIT, modules, f"{url}/graphql"], capture_output=True, text=True, timeout=120, check=False
        )
    with capsys.disabled():
        print(f"\n{audit.stdout}{audit.stderr}")  # noqa: T201 - the counts are part of what the check reports
    assert f"{CHECKS} of {CHECKS} ok, 0 notices, 0 warnings, 0 errors" in audit.stdout
    assert audit.returncode == 0
