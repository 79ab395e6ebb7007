"""Lines of an export that were changed by hand: read or refused, never a traceback."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.kernel.documents import Document
from opsgraph.kernel.fields import attempt
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.workflows.importing import export_records as records

READERS: list[Any] = [
    records.team,
    records.user,
    records.service,
    records.budget,
    records.cost,
    records.check,
    records.declaration,
    records.deployment,
]
KEYS = [
    *("name", "title", "origin", "email", "timeZone", "teams", "description", "tier", "lifecycle", "team", "tags"),
    *("links", "url", "dependsOn", "archivedAt", "service", "amount", "currency", "month", "billed", "effective"),
    *("check", "passed", "uptimePct", "mttrMinutes", "incidents30d", "changeFailureRatePct", "id", "version"),
    *("environment", "committedAt", "deployedAt", "failed", "rework"),
]
ODD = [
    "2024-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2024-01-01",
    "NaN",
    "1e999999999",
    "-0",
    "nul\0",
    "\ud800",
    "x" * 300,
    "00000000-0000-0000-0000-000000000000",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=5,
)


def refused(reader: Any, line: str) -> str:
    """Why a line is refused."""
    document = records.document_of(line, "a.jsonl", 7)
    if isinstance(document, Finding):
        return document.reason
    findings = Findings()
    assert attempt(document, records.name_of(document), reader, findings) is None
    (finding,) = findings.refusals
    assert finding.line == 7
    return finding.reason


@given(st.sampled_from(READERS), st.dictionaries(st.sampled_from(KEYS), values))
def test_any_object_is_read_or_refused(reader: Any, value: dict[str, Any]) -> None:
    """Whatever the types and values of its keys."""
    document = records.document_of(json.dumps(value), "a.jsonl", 1)
    if isinstance(document, Document):
        findings = Findings()
        read = attempt(document, None, reader, findings)
        assert (read is None) == bool(findings.refusals)


@pytest.mark.parametrize(
    ("reader", "line", "reason"),
    [
        (records.team, "[]", "a record is a JSON object"),
        (records.team, '{"name": ', "not valid JSON: Expecting value, at column 10"),
        (records.team, "[" * 100_000, "nested too deeply"),
        (records.team, '{"name": NaN}', "not valid JSON: NaN is not a number"),
        (records.team, "{}", "name is missing"),
        (records.team, '{"name": "a", "origin": "\\u0000"}', "origin contains the character U+0000 at position 0"),
        (records.user, '{"name": "a", "teams": [1]}', "teams holds something that is not a text"),
        (records.service, '{"name": "a", "tier": 1.5}', "tier is 1.5, not a whole number of a sensible size"),
        (records.service, '{"name": "a", "tier": 1e99}', "tier is 1E+99, not a whole number of a sensible size"),
        (records.service, '{"name": "a", "lifecycle": "OLD"}', 'lifecycle "OLD" is not EXPERIMENTAL, PRODUCTION'),
        (records.service, '{"name": "a", "archivedAt": "2024-01-01"}', 'archivedAt "2024-01-01" is not an instant'),
        (records.budget, '{"service": "a", "currency": "USD"}', "amount is missing"),
        (records.cost, '{"billed": "much"}', 'billed "much" is not a number'),
        (records.cost, '{"billed": 1}', "billed is a number, not a text"),
        (records.check, '{"service": "a", "check": "runbook"}', "passed is missing"),
        (records.deployment, '{"deployedAt": "9999-12-31T23:59:59-14:00"}', "deployedAt"),
        (
            records.deployment,
            '{"id": "7", "service": "a", "version": "1", "environment": "e", "deployedAt": "2024-01-01T00:00:00Z"}',
            'id "7" is not a UUID',
        ),
    ],
)
def test_a_bad_line_names_its_key(reader: Any, line: str, reason: str) -> None:
    """What is wrong and what would be right."""
    assert refused(reader, line).startswith(reason)
