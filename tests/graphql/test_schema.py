"""The schema as a file: what the code says, described throughout, and keeping what clients rely on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from graphql import build_schema as parsed_schema
from graphql.type import GraphQLNamedType, is_introspection_type

from opsgraph.graphql.schema import printed_schema

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "schema.graphql"
CHECK = ROOT / "tests" / "contract" / "check"


def undescribed(kind: GraphQLNamedType) -> Iterator[str]:
    """What has no description in a type: itself, its fields, their arguments, its values."""
    if not kind.description:
        yield kind.name
    for name, field in getattr(kind, "fields", {}).items():
        if not field.description:
            yield f"{kind.name}.{name}"
        yield from (f"{kind.name}.{name}({arg}:)" for arg, a in getattr(field, "args", {}).items() if not a.description)
    yield from (f"{kind.name}.{name}" for name, value in getattr(kind, "values", {}).items() if not value.description)


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the contract's check as `make check-contract` does, in a folder with a schema.graphql."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run([CHECK], cwd=folder, capture_output=True, text=True, check=False, env={"PATH": path})


def test_the_file_is_what_the_code_says() -> None:
    """`opsgraph schema > schema.graphql` was run after the last change."""
    assert SCHEMA.read_text(encoding="utf-8") == printed_schema()


def test_everything_in_the_schema_is_described() -> None:
    """Types, fields, arguments, enum values and input fields, as the printed schema has them."""
    kinds = parsed_schema(printed_schema()).type_map.values()
    assert [missing for kind in kinds if not is_introspection_type(kind) for missing in undescribed(kind)] == []


def test_a_missing_description_is_found() -> None:
    """Wherever it is missing."""
    kinds = parsed_schema("type Query { a(b: Int): E } enum E { F } input G { h: Int } union U = Query").type_map
    found = {missing for name in ("Query", "E", "G", "U") for missing in undescribed(kinds[name])}
    assert found == {"Query", "Query.a", "Query.a(b:)", "E", "E.F", "G", "G.h", "U"}


def test_the_contract_is_kept() -> None:
    """What is there of it has its names and types."""
    result = check(ROOT)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("0 breaches of the contract; ")


def test_a_breach_of_the_contract_is_found(tmp_path: Path) -> None:
    """Another type, a missing interface, a new required argument; a part that is not there yet is only counted."""
    text = (
        printed_schema().replace("score: Float", "score: Int", 1).replace("type Team implements Node", "type Team", 1)
    )
    (tmp_path / "schema.graphql").write_text(text.replace("viewer: Viewer", "viewer(key: ID!): Viewer", 1))
    result = check(tmp_path)
    assert result.returncode == 1
    *breaches, summary = result.stdout.splitlines()
    assert set(breaches) == {
        "breach: A required argument Query.viewer(key:) was added.",
        "breach: Field Reliability.score changed type from Float to Int.",
        "breach: Team no longer implements interface Node.",
    }
    assert summary.startswith("3 breaches of the contract; ")
