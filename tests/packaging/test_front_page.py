"""The front page: its query is the schema's, its script finds what it fills, and nothing is cut on a narrow screen."""

import json
import re

from graphql import build_schema, parse, validate

from tests.packaging import ROOT

WEB = ROOT / "src" / "opsgraph" / "web"
PAGE = (WEB / "index.html").read_text()
SCRIPT = (WEB / "static" / "index.js").read_text()
STYLE = (WEB / "static" / "index.css").read_text()


def columns(name: str) -> int:
    """How many cells the script makes for a row of a table."""
    made = SCRIPT.partition(f"const {name} = [")[2].partition("\n];")[0]
    return made.count("=> cell(")


def heads(id_: str) -> int:
    """How many columns the head of a table has."""
    return PAGE.partition(f'<table id="{id_}"')[2].partition("</thead>")[0].count("<th ")


def test_its_query_is_one_of_the_schema() -> None:
    """And asks for what is worked on as well as for the report."""
    (query,) = re.findall(r"const REPORT = `(.*?)`;", SCRIPT, re.DOTALL)
    assert validate(build_schema((ROOT / "schema.graphql").read_text()), parse(query)) == []
    assert {"platformReport", "incidents", "alerts"} <= set(re.findall(r"^  (\w+)", query, re.MULTILINE))


def test_the_queries_that_it_suggests_are_of_the_schema() -> None:
    """As they are printed, for a shell."""
    queries = [json.loads(body)["query"] for body in re.findall(r"-d '({\"query\":.*?})'", PAGE, re.DOTALL)]
    schema = build_schema((ROOT / "schema.graphql").read_text())
    assert [validate(schema, parse(query)) for query in queries] == [[], []]


def test_its_script_finds_what_it_fills() -> None:
    """Every id that it asks for is on the page."""
    asked = set(re.findall(r"getElementById\(\"(\w+)\"\)|fill\(\"(\w+)\"", SCRIPT))
    missing = {name for pair in asked for name in pair if name and f'id="{name}"' not in PAGE}
    assert (len(asked) > 5, missing) == (True, set())


def test_each_cell_has_a_head_that_names_it() -> None:
    """Narrow screens show the head beside each cell, so none may be without."""
    assert (columns("INCIDENT"), columns("SERVICE")) == (heads("incidents"), heads("services")) == (7, 7)
    assert "content: attr(data-label)" in STYLE


def test_it_suits_a_strict_content_security_policy() -> None:
    """No inline script, style or handler, and nothing that texts of others could become markup by."""
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", PAGE) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", SCRIPT) == []
