"""The policy of readiness over GraphQL: its versions, and checks that teams add."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.readiness import act, acted, evaluate, judged

CHECK = """name category weight hardBlocker expression description why howToFix enabled builtIn tiers tags lifecycles"""
POLICY = f"""version goThresholdPct conditionalThresholdPct minimumChecks categoryWeights {{ category weight }}
  checks {{ {CHECK} }}"""
REGIONS: dict[str, Any] = {
    "name": "Two regions",
    "category": "RELIABILITY",
    "expression": "has(manifest.custom.regions) && size(manifest.custom.regions) >= 2",
    "description": "It runs in two regions.",
    "why": "A region fails.",
    "howToFix": "Deploy it to another one.",
    "weight": 2,
    "tiers": [1],
    "tags": ["public"],
    "lifecycles": ["PRODUCTION"],
}


async def policy(api: Api) -> dict[str, Any]:
    """The policy that is in force."""
    found: dict[str, Any] = (await api.data(f"{{ readinessPolicy {{ {POLICY} }} }}"))["readinessPolicy"]
    return found


def check_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One check of a policy."""
    check: dict[str, Any] = next(check for check in found["checks"] if check["name"] == name)
    return check


async def test_the_policy_that_is_built_in(api: Api) -> None:
    """Thresholds and weights as documented, at least sixteen checks in four categories, each explained."""
    found = await policy(api)
    assert (found["version"], found["minimumChecks"]) == (1, 3)
    assert (found["goThresholdPct"], found["conditionalThresholdPct"]) == (90.0, 70.0)
    assert {one["category"]: one["weight"] for one in found["categoryWeights"]} == dict.fromkeys(
        ("OBSERVABILITY", "RELIABILITY", "SECURITY", "OPERATIONS"), 1.0
    )
    assert len(found["checks"]) >= 16
    for check in found["checks"]:
        assert check["builtIn"]
        assert check["enabled"]
        assert check["expression"] is None
        assert all(check[text] for text in ("description", "why", "howToFix"))
        assert check["hardBlocker"] or check["category"] != "SECURITY"


async def test_each_change_is_a_version_and_the_same_again_is_none(api: Api) -> None:
    """Earlier ones can be read for ever; one that never was is null."""
    await judged(api)
    first = await policy(api)
    wanted = {"goThresholdPct": 95.5, "categoryWeights": [{"category": "SECURITY", "weight": 3}]}
    changed = await acted(api, "saveReadinessPolicy", POLICY, **wanted)
    assert (changed["version"], changed["goThresholdPct"]) == (2, 95.5)
    assert {"category": "SECURITY", "weight": 3.0} in changed["categoryWeights"]
    assert changed["checks"] == first["checks"]
    async with unchanged(api.core.database):
        assert await acted(api, "saveReadinessPolicy", POLICY, **wanted) == changed
        assert await acted(api, "saveReadinessPolicy", POLICY, goThresholdPct=None) == changed
    document = f"query ($version: Int!) {{ readinessPolicyVersion(version: $version) {{ {POLICY} }} }}"
    for version, expected in ((1, first), (2, changed), (3, None), (0, None), (-1, None)):
        assert (await api.data(document, version=version))["readinessPolicyVersion"] == expected


async def test_a_check_of_ones_own_is_created_changed_and_judged_by(api: Api) -> None:
    """What is left out stays, null clears; it is asked of the services that it is for."""
    await api.do("saveService", name="api", tier=1, tags=["public"])
    made = check_of(await acted(api, "saveReadinessCheck", POLICY, **REGIONS), "Two regions")
    assert made == {**REGIONS, "enabled": True, "builtIn": False, "hardBlocker": False, "weight": 2.0}
    nulls = dict.fromkeys(("why", "howToFix", "description", "tiers", "tags", "lifecycles"))
    cleared = await acted(api, "saveReadinessCheck", POLICY, name="two REGIONS", category=None, weight=None, **nulls)
    assert check_of(cleared, "Two regions") == {**made, **nulls, "tiers": [], "tags": [], "lifecycles": []}
    for custom, outcome in (({"regions": ["eu", "us"]}, "PASSED"), ({"regions": ["eu"]}, "FAILED"), ({}, "FAILED")):
        await acted(api, "declareManifest", service="api", values={"custom": custom})
        verdict = await evaluate(api, selection="policyVersion results { outcome check { name expression } }")
        (result,) = [one for one in verdict["results"] if one["check"]["name"] == "Two regions"]
        assert (result["outcome"], result["check"]["expression"]) == (outcome, REGIONS["expression"])
        assert verdict["policyVersion"] == 3


async def test_a_check_that_is_not_for_a_service_is_skipped(api: Api) -> None:
    """By tier, tag or lifecycle, saying which."""
    await api.do("saveService", name="api", tier=3, tags=["public"])
    await acted(api, "saveReadinessCheck", **REGIONS)
    verdict = await evaluate(api, selection="results { outcome message check { name } }")
    (result,) = [one for one in verdict["results"] if one["check"]["name"] == "Two regions"]
    assert (result["outcome"], result["message"]) == ("SKIPPED", "not asked of tier 3")


@pytest.mark.parametrize(
    ("expression", "said", "column"),
    [
        ("manifest.metrics && manifest.structured_logz", "structured_logz", 21),
        ("manifest.metrics && manifest.sloo.count > 1", "sloo", 21),
        ("manifest.metrics == 1", "==", 18),
        ("manifest.metrics &&", "", 20),
    ],
)
async def test_an_expression_that_does_not_compile_is_refused_with_its_place(
    api: Api, expression: str, said: str, column: int
) -> None:
    """Unknown fields, wrong types and syntax errors, when the check is saved."""
    async with unchanged(api.core.database):
        refused = await act(api, "saveReadinessCheck", **{**REGIONS, "expression": expression})
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "expression"])
    assert said in refused["message"]
    place = refused["details"]
    assert (place["line"], column <= place["column"] <= len(expression) + 1) == (1, True)


@pytest.mark.parametrize("expression", ["manifest.slo.count", "1 + 1", '"true"', "manifest.custom"])
async def test_an_expression_that_is_neither_true_nor_false_is_refused(api: Api, expression: str) -> None:
    """Whatever else it is."""
    refused = await act(api, "saveReadinessCheck", **{**REGIONS, "expression": expression})
    assert (refused["code"], refused["field"]) == ("INVALID", ["input", "expression"])


async def test_versions_that_verdicts_name_follow_the_policy(api: Api, clock: TestClock) -> None:
    """A verdict keeps its own."""
    await judged(api)
    clock.move(minutes=1)
    await acted(api, "saveReadinessPolicy", conditionalThresholdPct=50)
    await evaluate(api)
    document = '{ service(name: "api") { readinessVerdicts { nodes { policy { version conditionalThresholdPct } } } } }'
    nodes = (await api.data(document))["service"]["readinessVerdicts"]["nodes"]
    assert [(one["policy"]["version"], one["policy"]["conditionalThresholdPct"]) for one in nodes] == [(2, 50), (1, 70)]
