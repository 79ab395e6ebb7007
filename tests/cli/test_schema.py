"""opsgraph schema prints the GraphQL schema."""

import subprocess
from pathlib import Path

from graphql import build_schema

from tests.packaging import ROOT
from tests.packaging.environments import surroundings
from tests.support.cli import OPSGRAPH, called


def test_it_prints_the_schema_as_the_repository_has_it(tmp_path: Path) -> None:
    """Byte for byte, which a reader of schema.graphql relies on; it is a schema to others as well."""
    outcome = called(tmp_path, "schema")
    assert (outcome.exit_code, outcome.errors) == (0, "")
    assert outcome.output == (ROOT / "schema.graphql").read_text()
    assert build_schema(outcome.output).query_type


def test_it_needs_no_database_and_no_settings(tmp_path: Path) -> None:
    """Nothing is opened or made."""
    outcome = called(tmp_path, "schema", OPSGRAPH_DATABASE_URL="nonsense", OPSGRAPH_AUTH="nonsense")
    assert outcome.exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_is_no_failure_to_speak_of(tmp_path: Path) -> None:
    """As with `opsgraph schema | head -1`: no traceback."""
    with subprocess.Popen(
        [OPSGRAPH, "schema"], cwd=tmp_path, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
