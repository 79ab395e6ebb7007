"""Every refusal of every mutation: its code, the path of the input at fault, and nothing written."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from graphql import get_named_type, is_input_object_type

from opsgraph.graphql.nodes import global_id
from opsgraph.graphql.problems import FREE, problem_of
from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.refusals import Invalid
from opsgraph.settings import Settings
from tests.support.api import PROBLEM, Api
from tests.support.contents import unchanged
from tests.support.roots import INPUTS

NOT_FOUND, INVALID, CONFLICT = "NOT_FOUND", "INVALID", "CONFLICT"
LONG, TOO_LONG = "x" * 201, "x" * 10_001
LINK = {"title": "Code", "url": "https://example.org"}
NOBODY = UUID(int=0)
MATCHER = {"label": "service", "value": "api"}
GOVERNANCE = {"allowed": ["runbook", "monitoring", "ownership", "documentation", "incident_response"]}


@dataclass(frozen=True)
class Case:
    """What is changed in a good input, and how that is refused."""

    values: dict[str, Any]
    code: str
    path: list[str]
    said: str
    details: dict[str, Any] | None = field(default=None)


def wrong(code: str, said: str, path: str | None = None, details: dict[str, Any] | None = None, **values: Any) -> Case:
    """A case whose path is the first of its values, unless another is given."""
    return Case(values, code, [path or next(iter(values))], said, details)


GOOD: dict[str, dict[str, Any]] = {
    "saveTeam": {"name": "platform"},
    "saveService": {"name": "api"},
    "renameService": {"name": "api", "newName": "gateway"},
    "recordDeployment": {"service": "api", "version": "2"},
    "recordCost": {"service": "api", "month": "2024-01", "amount": 1},
    "setCostBudget": {"service": "api", "budgetMonthly": 1},
    "declareReliability": {"service": "api", "uptimePct": 99},
    "setGovernanceCheck": {"service": "api", "check": "runbook", "passed": True},
    "saveGovernanceDuty": {"key": "restore_test", "description": "It was tried.", "evidence": "a restore test"},
    "saveSlo": {"service": "api", "name": "declared"},
    "recordSloEvents": {"service": "api", "slo": "external", "good": 1, "total": 1},
    "ingestAlert": {"service": "api", "severity": "high", "message": "5xx spike"},
    "createSilence": {"matchers": [MATCHER], "reason": "known", "endsAt": "2024-03-15T13:00:00Z"},
    "createApiKey": {"name": "pipeline", "roles": ["INGEST"]},
    "saveMaintenanceWindow": {"services": ["api"], "reason": "planned", "endsAt": "2024-03-15T13:00:00Z"},
}
CASES: dict[str, list[Case]] = {
    "saveTeam": [
        wrong(INVALID, "name is empty", name=" "),
        wrong(INVALID, "name has 201 characters", name=LONG),
        wrong(INVALID, "title is empty", title=""),
        wrong(INVALID, "title contains the character U+000A at position 1", title="a\nb"),
    ],
    "saveService": [
        wrong(INVALID, "is not an RFC 1123 label", name="a b"),
        wrong(CONFLICT, 'service "old" is archived', name="OLD"),
        wrong(INVALID, "title has 201 characters", title=LONG),
        wrong(INVALID, "description has 10001 characters", description=TOO_LONG),
        wrong(INVALID, "description contains the character U+0007", description="\a"),
        wrong(NOT_FOUND, 'there is no team called "nobody"', team="nobody"),
        wrong(INVALID, "tier is 5", tier=5),
        wrong(INVALID, "51 tags were given", tags=["a"] * 51),
        wrong(INVALID, "has 64 characters", tags=["x" * 64]),
        wrong(INVALID, "tags is empty", tags=[""]),
        wrong(INVALID, "51 links were given", links=[LINK] * 51),
        wrong(INVALID, "is not an http or https address", links=[{"title": "a", "url": "javascript:alert(1)"}]),
        wrong(NOT_FOUND, 'there is no service called "nobody"', dependsOn=["nobody"]),
        wrong(INVALID, "api cannot depend on itself", dependsOn=["API"]),
        wrong(INVALID, "501 depends on were given", dependsOn=["old"] * 501),
        wrong(INVALID, "is not an RFC 1123 label", dependsOn=["a b"]),
    ],
    "renameService": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', name="nobody"),
        wrong(INVALID, 'newName "a b" is not an RFC 1123 label', newName="a b"),
        wrong(CONFLICT, 'another service is called "old"', newName="Old"),
    ],
    "recordDeployment": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, "version is empty", version=""),
        wrong(INVALID, "environment is empty", environment=" "),
        wrong(INVALID, "deployedAt lies in the future", deployedAt="2024-03-15T12:05:01Z"),
        wrong(INVALID, "committedAt lies after deployedAt", committedAt="2024-03-15T12:00:01Z"),
        wrong(INVALID, "idempotencyKey is empty", idempotencyKey=""),
        wrong(INVALID, "idempotencyKey has 201 characters", idempotencyKey=LONG),
        wrong(CONFLICT, "was used with a different request", idempotencyKey="used"),
    ],
    "recordCost": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, "months are 01 to 12", month="2024-13"),
        wrong(INVALID, "amounts are under 10^18", amount="1e18"),
        wrong(INVALID, "effectiveAmount has 19 decimals", effectiveAmount="1e-19"),
        wrong(INVALID, 'currency "XXX" is not an ISO 4217', currency="XXX"),
    ],
    "setCostBudget": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, "budgetMonthly is -1", budgetMonthly=-1),
        wrong(INVALID, "amounts are under 10^18", path="budgetMonthly", budgetMonthly="1e18"),
        wrong(INVALID, 'currency "" is not an ISO 4217', currency=""),
    ],
    "declareReliability": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, "uptimePct is 100.5; it takes 0 to 100", uptimePct=100.5),
        wrong(INVALID, "mttrMinutes is -1.0", mttrMinutes=-1),
        wrong(INVALID, "incidents30d is -1", incidents30d=-1),
        wrong(INVALID, "changeFailureRatePct is -0.1", changeFailureRatePct=-0.1),
    ],
    "setGovernanceCheck": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, 'no governance check called "Runbook"', details=GOVERNANCE, check="Runbook"),
    ],
    "saveGovernanceDuty": [
        wrong(INVALID, 'key "Restore" is not snake_case', key="Restore"),
        wrong(INVALID, "description is missing", description=None),
        wrong(INVALID, "description is empty", description=" "),
        wrong(INVALID, "description has 1001 characters", description="x" * 1_001),
        wrong(INVALID, "evidence has 201 characters", evidence=LONG),
        wrong(INVALID, "evidence is missing", path="evidence", key="restore_test", evidence=None),
    ],
    "saveSlo": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(CONFLICT, 'service "old" is archived', service="old"),
        wrong(INVALID, "name is empty", name=""),
        wrong(INVALID, "target is missing", path="target", name="new"),
        wrong(INVALID, "target is missing", target=None),
        wrong(INVALID, "a budget of zero can never be spent", target=100),
        wrong(INVALID, "more than 0 and less than 100", target=0),
        wrong(INVALID, "at most 6 are accepted", target=99.1234567),
        wrong(INVALID, "description has 10001 characters", description=TOO_LONG),
        wrong(INVALID, "it takes 0 to 100", current=100.1),
        wrong(INVALID, "for DECLARED indicators only", current=99, indicator="EXTERNAL"),
        wrong(INVALID, "latencyThresholdMs is missing", path="latencyThresholdMs", indicator="LATENCY_UNDER"),
        wrong(INVALID, "latencyThresholdMs is 0.0", latencyThresholdMs=0),
        wrong(INVALID, "windowDays is 0", windowDays=0),
        wrong(INVALID, "windowDays is 91", windowDays=91),
        wrong(INVALID, "exclude each other", calendar="WEEK", windowDays=7),
        wrong(INVALID, "is not an IANA zone", timeZone="Mars/Base", calendar="WEEK"),
        wrong(INVALID, "belongs to a calendar window", timeZone="UTC"),
        wrong(INVALID, "sliceTarget is missing", path="sliceTarget", budgetingMethod="TIMESLICES"),
        wrong(INVALID, "sliceTarget is 0", sliceTarget=0, budgetingMethod="TIMESLICES"),
        wrong(INVALID, "sliceSeconds is 90", sliceSeconds=90),
        wrong(INVALID, "goodQuery has 10001 characters", goodQuery=TOO_LONG),
        wrong(INVALID, "totalQuery has 10001 characters", totalQuery=TOO_LONG),
    ],
    "recordSloEvents": [
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(CONFLICT, 'service "old" is archived', service="old"),
        wrong(NOT_FOUND, 'service "api" has no SLO called "nothing"', slo="nothing"),
        wrong(CONFLICT, "to EXTERNAL ones only", details={"indicator": "DECLARED"}, slo="declared"),
        wrong(INVALID, "at most all events are good", good=2),
        wrong(INVALID, "it takes 0 to 10^15", good=-1),
        wrong(INVALID, "it takes 0 to 10^15", total=2e15),
        wrong(INVALID, "more than 5 minutes in the future", at="2024-03-15T12:05:01Z"),
        wrong(INVALID, "more than 90 days in the past", at="2023-12-01T00:00:00Z"),
        wrong(INVALID, "idempotencyKey is empty", idempotencyKey=""),
        wrong(CONFLICT, "was used with a different request", idempotencyKey="used"),
    ],
    "ingestAlert": [
        wrong(INVALID, "service is empty", service=" "),
        wrong(INVALID, 'severity "bad" is not known here', severity="bad"),
        wrong(INVALID, "message is missing or empty", message=" "),
        wrong(INVALID, "labels is not an object of texts", labels=["a"]),
        wrong(INVALID, "annotations is not an object of texts", annotations="a"),
        wrong(INVALID, "dedupKey has 256 characters", dedupKey="x" * 256),
        wrong(INVALID, "startsAt is before 1970", startsAt="1969-12-31T23:59:59Z"),
    ],
    "createApiKey": [
        wrong(INVALID, "name is empty", name=" "),
        wrong(INVALID, "is reserved", name="Local"),
        wrong(INVALID, "role", roles=[]),
        wrong(INVALID, "future", expiresAt="2024-03-15T12:00:00Z"),
        wrong(NOT_FOUND, 'there is no service called "nobody"', service="nobody"),
        wrong(INVALID, "INGEST", roles=["VIEWER"], service="api"),
    ],
    "createSilence": [
        wrong(INVALID, "matchers is empty", matchers=[]),
        wrong(INVALID, "51 members", matchers=[MATCHER] * 51),
        wrong(INVALID, "names no label", matchers=[{"label": " ", "value": "api"}]),
        wrong(INVALID, "alerts without its label", matchers=[{"label": "service", "value": ""}]),
        wrong(INVALID, "is refused: missing )", matchers=[{**MATCHER, "value": "(", "regex": True}]),
        wrong(INVALID, "reason is empty", reason=" "),
        wrong(INVALID, "reason has 10001 characters", reason=TOO_LONG),
        wrong(INVALID, "ends in the future", endsAt="2024-03-15T12:00:00Z"),
        wrong(INVALID, "is not after the start", path="endsAt", startsAt="2024-03-15T13:00:00Z"),
        wrong(INVALID, "idempotencyKey is empty", idempotencyKey=""),
        wrong(CONFLICT, "was used with a different request", idempotencyKey="used"),
    ],
    "saveMaintenanceWindow": [
        wrong(INVALID, "is not an id that opsgraph made", id="nothing"),
        wrong(NOT_FOUND, "there is no maintenance window with this id", id=global_id("MaintenanceWindow", NOBODY)),
        wrong(NOT_FOUND, "is the id of a Service", id=global_id("Service", NOBODY)),
        wrong(NOT_FOUND, 'there is no service called "nobody"', services=["nobody"]),
        wrong(INVALID, "it has neither", services=[]),
        wrong(INVALID, "services has 201 members", services=["api"] * 201),
        wrong(INVALID, "alerts without its label", matchers=[{**MATCHER, "negative": True}]),
        wrong(INVALID, "reason is empty", reason=None),
        wrong(INVALID, "endsAt is missing", endsAt=None),
        wrong(INVALID, "ends in the future", endsAt="2024-03-15T12:00:00Z"),
    ],
}
CALLS = {
    f'revokeApiKey(id: "{global_id("ApiKey", NOBODY)}")': ["id"],
    'archiveService(name: "nobody")': ["name"],
    'evaluateReadiness(service: "nobody")': ["service"],
    'restoreService(name: "nobody")': ["name"],
    'deleteSlo(service: "nobody", name: "declared")': ["service"],
    'deleteSlo(service: "api", name: "nothing")': ["name"],
    f'resolveAlert(id: "{global_id("Alert", NOBODY)}")': ["id"],
    f'expireSilence(id: "{global_id("Silence", NOBODY)}")': ["id"],
}


@pytest.fixture
async def given(api: Api) -> Api:
    """A service with an SLO of either kind, an archived one, and an idempotency key that was used."""
    for name in ("api", "old"):
        await api.do("saveService", name=name)
    await api.data('mutation { archiveService(name: "old") { __typename } }')
    await api.do("saveSlo", service="api", name="declared", target=99.9)
    await api.do("saveSlo", service="api", name="external", target=99.9, indicator="EXTERNAL")
    await api.do("recordDeployment", service="api", version="1", idempotencyKey="used")
    await api.do("recordSloEvents", service="api", slo="external", good=9, total=9, idempotencyKey="used")
    await api.do("createSilence", **{**GOOD["createSilence"], "reason": "other", "idempotencyKey": "used"})
    return api


def test_every_mutation_is_tried() -> None:
    """A mutation that is added comes with its refusals; those of incidents and readiness have files of their own."""
    mutation = build_schema(Settings())._schema.mutation_type
    assert mutation is not None
    assert mutation.fields.keys() == CASES.keys() | INPUTS.keys() | {call.partition("(")[0] for call in CALLS}


@pytest.mark.parametrize("mutation", CASES)
async def test_every_refusal_names_the_input_at_fault_and_writes_nothing(given: Api, mutation: str) -> None:
    """Code, message, path in the client's spelling and details; the same input without the fault is accepted."""
    async with unchanged(given.core.database):
        for case in CASES[mutation]:
            result = await given.do(mutation, **{**GOOD[mutation], **case.values})
            assert result.get("code") == case.code, (case, result)
            assert result["field"] == ["input", *case.path], case
            assert case.said in result["message"], (case, result)
            assert result["details"] == case.details, case
    assert (await given.do(mutation, **GOOD[mutation]))["__typename"] != "Problem"


@pytest.mark.parametrize("call", CALLS)
async def test_a_mutation_without_an_input_names_its_argument(given: Api, call: str) -> None:
    """The path is the argument itself."""
    async with unchanged(given.core.database):
        data = await given.data(f"mutation {{ {call} {{ {PROBLEM} }} }}")
    (problem,) = data.values()
    assert (problem["code"], problem["field"]) == (NOT_FOUND, CALLS[call])


async def test_a_budget_that_is_not_said_is_not_taken_away(given: Api) -> None:
    """Only an explicit null does that."""
    await given.do("setCostBudget", service="api", budgetMonthly=5, currency="EUR")
    async with unchanged(given.core.database):
        result = await given.do("setCostBudget", service="api", currency="USD")
    assert (result["code"], result["field"]) == (INVALID, ["input", "budgetMonthly"])
    assert "budgetMonthly is missing" in result["message"]
    await given.do("setCostBudget", service="api", budgetMonthly=None)
    data = await given.data('{ service(name: "api") { cost { budgetMonthly } } }')
    assert data["service"]["cost"]["budgetMonthly"] is None


def test_what_is_beneath_json_is_called_as_the_client_called_it() -> None:
    """In paths and in messages; the list of such inputs is that of the schema."""
    found = problem_of(Invalid("values has structured_logz", ("values", "structured_logz")), ["input"])
    assert (found.field, found.message) == (["input", "values", "structured_logz"], "values has structured_logz")
    inputs = [kind for kind in build_schema(Settings())._schema.type_map.values() if is_input_object_type(kind)]
    free = {name for kind in inputs for name, one in kind.fields.items() if get_named_type(one.type).name == "JSON"}
    assert free <= FREE
