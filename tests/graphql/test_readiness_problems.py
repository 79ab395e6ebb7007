"""Every refusal of every mutation about readiness: its code, the path of the input at fault, and nothing written."""

import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.contents import unchanged
from tests.support.readiness import act, acted, judged
from tests.support.verdicts import APPROVER, EDITOR, EVERYTHING

NOT_FOUND, INVALID, CONFLICT = "NOT_FOUND", "INVALID", "CONFLICT"
NOBODY = ({"service": "nobody"}, NOT_FOUND, "service", 'there is no service called "nobody"')
TOO_LONG = "x" * 10_001

GOOD: dict[str, dict[str, Any]] = {
    "declareManifest": {"service": "api", "values": {**EVERYTHING, "metrics": False}},
    "saveReadinessPolicy": {"goThresholdPct": 95},
    "saveReadinessCheck": {"name": "regions", "category": "RELIABILITY", "expression": "manifest.metrics"},
    "requestReadinessOverride": {
        "service": "api",
        "decision": "GO",
        "reason": "It is urgent",
        "expiresAt": "2024-03-16T12:00:00Z",
    },
    "approveReadinessOverride": {"service": "asked"},
    "rejectReadinessOverride": {"service": "asked"},
    "revokeReadinessOverride": {"service": "approved"},
    "exemptReadinessCheck": {
        "service": "api",
        "check": "metrics",
        "reason": "It has none",
        "endsAt": "2024-03-16T12:00:00Z",
    },
    "revokeReadinessExemption": {"service": "asked", "check": "metrics"},
}

Wrong = tuple[dict[str, Any], str, str, str]

CASES: dict[str, list[Wrong]] = {
    "declareManifest": [NOBODY, ({"service": "old"}, CONFLICT, "service", "is archived")],
    "saveReadinessPolicy": [
        ({"goThresholdPct": 0, "conditionalThresholdPct": 0}, INVALID, "goThresholdPct", "0"),
        ({"conditionalThresholdPct": 0}, INVALID, "conditionalThresholdPct", "0"),
        ({"goThresholdPct": 100.1}, INVALID, "goThresholdPct", "100"),
        ({"goThresholdPct": 60}, INVALID, "goThresholdPct", "conditionalThresholdPct"),
        ({"goThresholdPct": 1e-300, "conditionalThresholdPct": 1e-300}, INVALID, "goThresholdPct", "1 to 100"),
        ({"minimumChecks": 2}, INVALID, "minimumChecks", "3"),
        ({"minimumChecks": 20}, INVALID, "minimumChecks", "19 checks are enabled"),
        ({"categoryWeights": [{"category": "SECURITY", "weight": 0}]}, INVALID, "categoryWeights", "0"),
        ({"categoryWeights": [{"category": "SECURITY", "weight": 1}] * 2}, INVALID, "categoryWeights", "twice"),
    ],
    "saveReadinessCheck": [
        ({"name": " "}, INVALID, "name", "name is empty"),
        ({"name": "x" * 201}, INVALID, "name", "201 characters"),
        ({"category": None}, INVALID, "category", "missing"),
        ({"expression": None}, INVALID, "expression", "missing"),
        ({"weight": 0}, INVALID, "weight", "0"),
        ({"weight": 1_001}, INVALID, "weight", "1"),
        ({"tiers": [5]}, INVALID, "tiers", "5"),
        ({"name": "metrics", "category": None}, INVALID, "expression", "built in"),
        ({"name": "metrics", "expression": None}, INVALID, "category", "built in"),
        (
            {"name": "encryption", "category": None, "expression": None, "hardBlocker": False},
            INVALID,
            "hardBlocker",
            "",
        ),
    ],
    "requestReadinessOverride": [
        NOBODY,
        ({"service": "old"}, CONFLICT, "service", "is archived"),
        ({"service": "unjudged"}, CONFLICT, "service", "no verdict"),
        ({"service": "asked"}, CONFLICT, "service", "asked for"),
        ({"reason": " "}, INVALID, "reason", "reason is empty"),
        ({"reason": TOO_LONG}, INVALID, "reason", "10001 characters"),
        ({"expiresAt": "2024-03-15T12:00:00Z"}, INVALID, "expiresAt", "future"),
        ({"expiresAt": "2024-06-14T12:00:00Z"}, INVALID, "expiresAt", "90 days"),
    ],
    "approveReadinessOverride": [
        NOBODY,
        ({"service": "old"}, CONFLICT, "service", "is archived"),
        ({"service": "api"}, CONFLICT, "service", "asked for"),
        ({"id": "nothing"}, INVALID, "id", "not an id"),
        ({"verdict": "nothing"}, INVALID, "verdict", "not an id"),
        ({"note": TOO_LONG}, INVALID, "note", "10001 characters"),
    ],
    "rejectReadinessOverride": [NOBODY, ({"service": "api"}, CONFLICT, "service", "asked for")],
    "revokeReadinessOverride": [NOBODY, ({"service": "api"}, CONFLICT, "service", "to revoke")],
    "exemptReadinessCheck": [
        NOBODY,
        ({"service": "old"}, CONFLICT, "service", "is archived"),
        ({"check": "nothing"}, NOT_FOUND, "check", 'there is no check called "nothing"'),
        ({"reason": ""}, INVALID, "reason", "reason is empty"),
        ({"endsAt": "2024-03-15T12:00:00Z"}, INVALID, "endsAt", "future"),
        ({"endsAt": "2025-03-17T12:00:00Z"}, INVALID, "endsAt", "366 days"),
        ({"service": "approved"}, CONFLICT, "check", "already"),
    ],
    "revokeReadinessExemption": [NOBODY, ({"service": "api"}, NOT_FOUND, "check", "no exemption")],
}
"""For each mutation what is changed in a good input: how that is refused, where, and what the message says."""


@pytest.fixture
async def given(api: Api) -> Api:
    """Services without a verdict, with one, with something that is asked for and with something that is approved."""
    for name in ("unjudged", "old"):
        await api.do("saveService", name=name)
    await api.data('mutation { archiveService(name: "old") { __typename } }')
    for name in ("api", "asked", "approved"):
        await judged(api, name)
    everyone, api.who.actor = api.who.actor, EDITOR
    for name in ("asked", "approved"):
        await acted(api, "requestReadinessOverride", **{**GOOD["requestReadinessOverride"], "service": name})
        await acted(api, "exemptReadinessCheck", **{**GOOD["exemptReadinessCheck"], "service": name})
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="approved")
    await acted(api, "exemptReadinessCheck", **{**GOOD["exemptReadinessCheck"], "service": "approved"})
    api.who.actor = everyone
    return api


@pytest.mark.parametrize("mutation", CASES)
async def test_every_refusal_names_the_input_at_fault_and_writes_nothing(given: Api, mutation: str) -> None:
    """Code, message and path in the client's spelling; the same input without the fault is accepted."""
    async with unchanged(given.core.database):
        for values, code, field, said in CASES[mutation]:
            result = await act(given, mutation, **{**GOOD[mutation], **values})
            assert (result.get("code"), result.get("field")) == (code, ["input", field]), (values, result)
            assert said in result["message"], (values, result)
    await acted(given, mutation, **GOOD[mutation])


@pytest.mark.parametrize("number", ["9223372036854775808", str(2**70), f"-{2**70}", "1e19", "-1.5e300"])
async def test_a_number_beyond_64_bits_is_refused(api: Api, number: str) -> None:
    """As a variable, where JSON rounds it to a float, and as a literal; nothing is stored in its place."""
    await api.do("saveService", name="api")
    declare = "declareManifest(input: $input) { __typename ... on Problem { code field message } }"
    sent = (
        ("mutation ($n: JSON!) { %s }", f'{{"n": {number}}}', "$n"),
        ("mutation { %s }", "{}", number),
    )
    for document, variables, value in sent:
        given = f'{{service: "api", values: {{custom: {{n: [{value}]}}}}}}'
        query = json.dumps(document % declare.replace("$input", given))
        body = f'{{"query": {query}, "variables": {variables}}}'
        async with unchanged(api.core.database):
            response = await api.http.post("/graphql", content=body, headers={"content-type": "application/json"})
        assert response.json()["data"]["declareManifest"] == {
            "__typename": "Problem",
            "code": "INVALID",
            "field": ["input", "values", "custom", "n", "0"],
            "message": "custom.n[0] is a whole number of more than 64 bits",
        }
    for edge in (2**63 - 1, -(2**63), 1e18, 0.1):
        await acted(api, "declareManifest", service="api", values={"custom": {"n": edge}})
