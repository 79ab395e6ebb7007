"""Verdicts over GraphQL: what they say and why, the history of a service, and services by what counts about them."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.readiness import VERDICT, acted, evaluate, judged, only_checks, refuse
from tests.support.statements import statements
from tests.support.verdicts import APPROVER, EDITOR, EVERYTHING

EIGHT = (
    *("structured_logs", "metrics", "dashboards", "alerting"),
    *("sla_documented", "load_tested", "graceful_degradation", "backups_tested"),
)
"""Checks of equal weight, none of them about security."""

RESULTS = "outcome message check { name category weight hardBlocker builtIn howToFix }"
WHOLE = f"""id decision effectiveDecision passRate passRateShown conditions manifest
  evaluatedAt evaluatedBy policyVersion
  categories {{ category passRate passed total }} results {{ {RESULTS} }} blockers {{ {RESULTS} }} toGo {{ {RESULTS} }}
  policy {{ version goThresholdPct }} service {{ name }} override {{ state }} exemptions {{ check }}"""


def named(results: list[dict[str, Any]]) -> list[str]:
    """The names of checks."""
    return [result["check"]["name"] for result in results]


async def test_a_service_without_a_verdict_has_none(api: Api) -> None:
    """Nothing is made up; the lists beside it are empty."""
    await api.do("saveService", name="api")
    data = await api.data(
        """{ service(name: "api") { readiness { decision } readinessVerdicts { totalCount nodes { id } }
             readinessOverrides { totalCount } readinessExemptions { check }
             manifest { id } manifests { totalCount } } }"""
    )
    assert data["service"] == {
        "readiness": None,
        "readinessVerdicts": {"totalCount": 0, "nodes": []},
        "readinessOverrides": {"totalCount": 0},
        "readinessExemptions": [],
        "manifest": None,
        "manifests": {"totalCount": 0},
    }


async def test_seven_of_eight_is_a_conditional_go_of_88_percent(api: Api, clock: TestClock) -> None:
    """With everything that explains it."""
    await only_checks(api, *EIGHT)
    await judged(api, load_tested=False)
    clock.move(minutes=1)
    api.who.actor = EDITOR
    verdict = await evaluate(api, selection=WHOLE)
    assert (verdict["decision"], verdict["effectiveDecision"]) == ("CONDITIONAL_GO", "CONDITIONAL_GO")
    assert (verdict["passRate"], verdict["passRateShown"]) == (0.875, "88%")
    assert (verdict["evaluatedAt"], verdict["evaluatedBy"]) == ("2024-03-15T12:01:00Z", "Eda")
    assert named(verdict["results"]) == list(EIGHT)
    assert [result["outcome"] for result in verdict["results"]].count("PASSED") == 7
    assert (named(verdict["toGo"]), verdict["blockers"]) == (["load_tested"], [])
    assert verdict["toGo"][0]["outcome"] == "FAILED"
    assert verdict["toGo"][0]["check"]["howToFix"] in verdict["conditions"][0]
    by_category = {one["category"]: (one["passed"], one["total"], one["passRate"]) for one in verdict["categories"]}
    assert by_category["OBSERVABILITY"] == (4, 4, 1.0)
    assert by_category["RELIABILITY"] == (3, 4, 0.75)
    assert verdict["policy"]["version"] == verdict["policyVersion"] > 1
    assert (verdict["service"], verdict["override"], verdict["exemptions"]) == ({"name": "api"}, None, [])
    assert verdict["manifest"]["declared"]["load_tested"] is False
    newest = await api.data(f'{{ service(name: "api") {{ readiness {{ {WHOLE} }} }} }}')
    assert newest["service"]["readiness"] == {key: value for key, value in verdict.items() if key != "__typename"}


async def test_one_failed_security_check_blocks_whatever_else_passes(api: Api) -> None:
    """It is named as the blocker, and the least that has to be done."""
    await api.do("saveTeam", name="platform")
    await judged(api)
    await api.do("saveService", name="api", team="platform")
    await api.do("saveSlo", service="api", name="availability", target=99.0, current=99.9)
    assert (await evaluate(api))["decision"] == "GO"
    await acted(api, "declareManifest", service="api", values={**EVERYTHING, "encryption": False})
    verdict = await evaluate(api, selection=WHOLE)
    assert (verdict["decision"], named(verdict["blockers"])) == ("NO_GO", ["encryption"])
    assert named(verdict["toGo"]) == ["encryption"]
    assert verdict["blockers"][0]["check"]["category"] == "SECURITY"


async def test_nothing_declared_is_a_no_go(api: Api) -> None:
    """What was not declared counts as not there."""
    await api.do("saveService", name="api")
    verdict = await evaluate(api, selection=WHOLE)
    assert verdict["decision"] == "NO_GO"
    assert set(named(verdict["blockers"])) >= {"authentication", "secret_scanning", "dependency_scanning", "encryption"}


async def test_too_few_checks_are_refused(api: Api) -> None:
    """There is no verdict then, nor one that was before; why is said until there is one again."""
    document = """{ service(name: "api") { readiness { decision } readinessRefusal
                                          readinessVerdicts { nodes { effectiveDecision override { active } } } } }"""
    await judged(api)
    await allow(api, "api")
    refused = await refuse(api)
    why = "only 17 checks apply to this service; a verdict takes at least 19"
    assert (refused["__typename"], refused["code"], refused["message"]) == ("Problem", "CONFLICT", why)
    history = [{"effectiveDecision": "CONDITIONAL_GO", "override": {"active": True}}]
    found = (await api.data(document))["service"]
    assert found == {"readiness": None, "readinessRefusal": why, "readinessVerdicts": {"nodes": history}}
    assert await services_by(api, "GO", "CONDITIONAL_GO", "NO_GO") == []
    await acted(api, "saveReadinessPolicy", minimumChecks=3)
    assert (await evaluate(api))["effectiveDecision"] == "GO"
    found = (await api.data(document))["service"]
    assert (found["readiness"], found["readinessRefusal"]) == ({"decision": "CONDITIONAL_GO"}, None)
    assert await services_by(api, "GO") == ["api"]


async def test_a_service_that_is_not_there_cannot_be_evaluated(api: Api) -> None:
    """The argument is to blame."""
    refused = await evaluate(api, "nobody")
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["service"])


async def test_verdicts_are_kept_and_found_by_their_ids(api: Api, clock: TestClock) -> None:
    """Newest first; each with the checks of its own policy."""
    first = await judged(api)
    clock.move(hours=1)
    await acted(api, "saveReadinessCheck", name="metrics", description="Another text.")
    await evaluate(api)
    fields = "id policyVersion evaluatedAt results { check { name description } }"
    data = await api.data(f'{{ service(name: "api") {{ readinessVerdicts {{ totalCount nodes {{ {fields} }} }} }} }}')
    verdicts = data["service"]["readinessVerdicts"]
    assert (verdicts["totalCount"], first["decision"]) == (2, "CONDITIONAL_GO")
    assert [one["policyVersion"] for one in verdicts["nodes"]] == [2, 1]
    texts = [
        next(result["check"]["description"] for result in one["results"] if result["check"]["name"] == "metrics")
        for one in verdicts["nodes"]
    ]
    assert texts[0] == "Another text." != texts[1]
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on ReadinessVerdict {{ {fields} }} }} }}"
    for verdict in verdicts["nodes"]:
        assert (await api.data(query, id=verdict["id"]))["node"] == verdict


async def services_by(api: Api, *decisions: str) -> list[str]:
    """The names of services about which one of the decisions counts."""
    document = "query ($d: [ReadinessDecision!]) { services(filter: {readiness: $d}) { totalCount nodes { name } } }"
    found = (await api.data(document, d=list(decisions)))["services"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["name"] for node in found["nodes"]]


async def test_services_are_found_by_what_counts_about_them(api: Api, clock: TestClock) -> None:
    """An override counts while it is in force, also before anybody notes that it has expired."""
    await judged(api, "red", encryption=False)
    await judged(api, "yellow")
    await api.do("saveService", name="unknown")
    assert await services_by(api, "NO_GO") == ["red"]
    assert await services_by(api, "NO_GO", "CONDITIONAL_GO") == ["red", "yellow"]
    assert await services_by(api) == []
    await allow(api, "red")
    assert [await services_by(api, "GO"), await services_by(api, "NO_GO")] == [["red"], []]
    clock.move(days=2)
    assert [await services_by(api, "GO"), await services_by(api, "NO_GO")] == [[], ["red"]]


async def allow(api: Api, service: str) -> None:
    """Override the verdict on a service for a day."""
    before = api.who.actor
    api.who.actor = EDITOR
    wanted = {"service": service, "decision": "GO", "reason": "It is a test", "expiresAt": "2024-03-16T12:00:00Z"}
    await acted(api, "requestReadinessOverride", **wanted)
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service=service)
    api.who.actor = before


async def test_a_filter_of_too_many_values_is_refused(api: Api) -> None:
    """As any other list."""
    document = "query ($d: [ReadinessDecision!]) { services(filter: {readiness: $d}) { totalCount } }"
    (error,) = (await api.send(document, {"d": ["GO"] * 1_001}))["errors"]
    assert error["extensions"]["field"] == ["filter", "readiness"]


async def test_what_verdicts_consist_of_counts(api: Api) -> None:
    """The results of many verdicts are many objects, however few fields they are asked for."""
    pages = "services(first: 200) { nodes { readinessVerdicts(first: %d) { nodes { results { message } } } } }"
    assert (await api.data(f"{{ {pages % 5} }}"))["services"]["nodes"] == []
    (error,) = (await api.send(f"{{ {pages % 50} }}"))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "cost")


ALL = f"""{{ services {{ nodes {{ name
  readiness {{ {WHOLE} {VERDICT} }}
  readinessVerdicts(first: 2) {{ totalCount nodes {{ {WHOLE} }} }}
  readinessOverrides {{ nodes {{ state active endedReason }} }} readinessExemptions {{ check active }}
  manifest {{ values changes {{ path before after }} service {{ name }} }}
  manifests {{ totalCount nodes {{ declaredBy changes {{ path }} }} }} }} }} }}"""


@pytest.mark.parametrize("document", [ALL], ids=["everything"])
async def test_the_number_of_statements_does_not_follow_the_number_of_services(api: Api, document: str) -> None:
    """Verdicts, their policies and checks, overrides, exemptions and manifests are each loaded for all at once."""
    counts = []
    for start, stop in ((0, 2), (2, 6)):
        for number in range(start, stop):
            await judged(api, f"service-{number}", encryption=number % 2 == 0)
            await acted(api, "declareManifest", service=f"service-{number}", values={**EVERYTHING, "metrics": False})
            await evaluate(api, f"service-{number}")
            await allow(api, f"service-{number}")
        with statements(api.core.database) as seen:
            data = await api.data(document)
        assert len(data["services"]["nodes"]) == stop
        counts.append(len(seen))
    assert counts[0] == counts[1]
