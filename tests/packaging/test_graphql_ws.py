"""The npm client graphql-ws follows, is cut off, and goes on where it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.node_packages import node, packages
from tests.packaging.serving import serving

CLIENT = Path(__file__).parent / "graphql_ws_client.mjs"
ALERTS, CUTS = 60, 6


@pytest.mark.node
def test_graphql_ws_is_cut_off_and_misses_nothing(tmp_path: Path) -> None:
    """Every alert once and in order over several connections; queries and errors share the socket with the feed."""
    program, modules = node(), packages()
    with serving(Path(sys.executable).with_name("opsgraph"), tmp_path) as url:
        client = subprocess.run(
            [program, CLIENT, modules, f"{url}/graphql", str(ALERTS), str(CUTS)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert client.returncode == 0, client.stderr
    told = json.loads(client.stdout)
    assert told["messages"] == [f"alert {number}" for number in range(1, ALERTS + 1)]
    assert told["connections"] > CUTS
    assert told["answer"] == {"data": {"alerts": {"totalCount": ALERTS}}}
    assert told["errors"][0]["extensions"] == {"code": "BAD_INPUT"}
    assert told["again"] == {"data": {"viewer": {"name": "local"}}}
