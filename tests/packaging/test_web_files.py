"""The GraphiQL page and what it loads: complete, from this server alone, and as others published it."""

import hashlib
import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from graphql.language import OperationDefinitionNode

from tests.packaging import ROOT

WEB = ROOT / "src" / "opsgraph" / "web"
VENDOR = WEB / "vendor" / "graphiql"
PAGE = (WEB / "graphiql.html").read_text()
SCRIPT = (WEB / "static" / "graphiql.js").read_text()
EXAMPLES = sorted((WEB / "static" / "examples").glob("*.graphql"))


def test_vendor_files_are_what_was_published() -> None:
    """Each file of others stands in VERSIONS.md with its sum, and nothing else stands in the folder."""
    rows = re.findall(r"^\| (\S+) \| .* \| ([0-9a-f]{64}) \|$", (VENDOR / "VERSIONS.md").read_text(), re.MULTILINE)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    texts = {name for name in files if name.startswith("LICENSE") or name == "VERSIONS.md"}
    assert {name: digest for name, digest in files.items() if name not in texts} == dict(rows)


def test_every_vendor_package_comes_with_its_licence() -> None:
    """VERSIONS.md names a licence text for each file, and the text is there."""
    named = set(re.findall(r"LICENSES?\.[\w-]+\.txt", (VENDOR / "VERSIONS.md").read_text()))
    assert named == {path.name for path in VENDOR.glob("LICENSE*")}


def test_the_page_loads_only_files_that_are_there() -> None:
    """Every address is absolute, on this server, and has a file behind it."""
    addresses = re.findall(r'(?:src|href)="([^"]+)"', PAGE)
    ours = [address for address in addresses if address != "data:,"]
    assert ours
    missing = [address for address in ours if not (address.startswith("/static/") and served(address).is_file())]
    assert missing == []


def served(address: str) -> Path:
    """The file behind an address under /static/."""
    path = address.removeprefix("/static/")
    return VENDOR / path.removeprefix("graphiql/") if path.startswith("graphiql/") else WEB / "static" / path


def test_the_page_suits_a_strict_content_security_policy() -> None:
    """No inline script, style or handler; the policy would block them."""
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", PAGE) == []


def test_our_script_asks_no_other_server() -> None:
    """Addresses in it start with a slash."""
    assert re.findall(r"\w+://", SCRIPT) == []
    assert set(re.findall(r"fetch\(.(/\w+)", SCRIPT)) == {"/graphql", "/static"}


def test_styles_of_others_embed_what_they_show() -> None:
    """Fonts and images are in the style sheet as data, not somewhere on the internet."""
    styles = (VENDOR / "graphiql.min.css").read_text()
    assert [address[:40] for address in re.findall(r"url\(([^)]*)\)", styles) if not address.startswith("data:")] == []


def test_the_script_names_every_example() -> None:
    """A file that no tab shows, or a tab without a file, is a mistake."""
    listed = re.search(r"EXAMPLES = \[(.*?)\]", SCRIPT, re.DOTALL)
    assert listed is not None
    assert sorted(re.findall(r'"([\w-]+)"', listed[1])) == [path.stem for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_one_operation_that_the_schema_allows(path: Path) -> None:
    """Each has a name, which becomes the title of its tab, and a line that says what it shows."""
    schema = build_schema((ROOT / "schema.graphql").read_text())
    document = parse(path.read_text())
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    assert validate(schema, document) == []
    assert [operation.name is not None for operation in operations] == [True]
    assert path.read_text().startswith("# ")
