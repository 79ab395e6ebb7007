"""Saving again: what is left out stays, null clears, a replay does nothing."""

import asyncio
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged

LINKS = [{"title": "Code", "url": "https://example.org"}]
SERVICE: dict[str, Any] = {
    "title": "Shop",
    "description": "Sells.",
    "team": "platform",
    "tier": 1,
    "lifecycle": "DEPRECATED",
    "tags": ["b", "a"],
    "dependsOn": ["db"],
    "links": LINKS,
}
CLEARED: dict[str, Any] = {
    "title": None,
    "description": None,
    "team": None,
    "tier": 3,
    "lifecycle": "PRODUCTION",
    "tags": [],
    "dependsOn": [],
    "links": [],
}
DECLARED: dict[str, Any] = {"uptimePct": 99.95, "mttrMinutes": 8.0, "incidents30d": 1, "changeFailureRatePct": 5.0}
SLO: dict[str, Any] = {
    "target": 99.5,
    "description": "Answers.",
    "indicator": "LATENCY_UNDER",
    "latencyThresholdMs": 300.0,
    "calendar": "MONTH",
    "timeZone": "Europe/Lisbon",
    "budgetingMethod": "TIMESLICES",
    "sliceTarget": 95.0,
    "sliceSeconds": 300,
    "goodQuery": "good",
    "totalQuery": "total",
}
SLO_FIELDS = f"{' '.join(SLO)} windowDays"


def null(name: str) -> dict[str, Any]:
    """An input that clears one field."""
    return {name: None}


async def service(api: Api) -> dict[str, Any]:
    """The service as its inputs would give it."""
    fields = "title description tier lifecycle tags links { title url }"
    data = await api.data(
        f'{{ service(name: "shop") {{ {fields} team {{ name }} dependencies {{ nodes {{ name }} }} }} }}'
    )
    found: dict[str, Any] = data["service"]
    team, dependencies = found.pop("team"), found.pop("dependencies")
    return {
        **found,
        "team": team and team["name"],
        "dependsOn": [node["name"] for node in dependencies["nodes"]],
    }


async def declared(api: Api) -> dict[str, Any]:
    """What was declared of the service's reliability."""
    data = await api.data(f'{{ service(name: "shop") {{ reliability {{ {" ".join(DECLARED)} }} }} }}')
    found: dict[str, Any] = data["service"]["reliability"]
    return found


@pytest.fixture
async def saved(api: Api) -> Api:
    """A service with everything that can be saved of it."""
    await api.do("saveTeam", name="platform", title="Platform")
    await api.do("saveService", name="db")
    await api.do("saveService", name="shop", **SERVICE)
    await api.do("declareReliability", service="shop", **DECLARED)
    await api.do("saveSlo", service="shop", name="latency", **SLO)
    return api


async def test_what_is_left_out_stays_and_null_clears_a_team(saved: Api) -> None:
    """The title is all there is."""
    assert (await saved.do("saveTeam", "title", name="PLATFORM"))["title"] == "Platform"
    assert (await saved.do("saveTeam", "title", name="platform", title=None))["title"] is None


async def test_what_is_left_out_stays_and_null_clears_a_service(saved: Api) -> None:
    """Each field alone; tier and lifecycle go back to their defaults, lists become empty."""
    await saved.do("saveService", name="shop")
    assert await service(saved) == SERVICE
    expected = dict(SERVICE)
    for name, cleared in CLEARED.items():
        await saved.do("saveService", name="shop", **null(name))
        expected[name] = cleared
        assert await service(saved) == expected, name


async def test_what_is_left_out_stays_and_null_clears_a_declaration(saved: Api) -> None:
    """Each figure alone."""
    await saved.do("declareReliability", service="shop")
    assert await declared(saved) == DECLARED
    expected: dict[str, Any] = dict(DECLARED)
    for name in DECLARED:
        await saved.do("declareReliability", service="shop", **null(name))
        expected[name] = None
        assert await declared(saved) == expected, name


async def test_what_is_left_out_stays_and_null_clears_an_slo(saved: Api) -> None:
    """What the indicator or the method needs is cleared after it; clearing the calendar leaves the usual 28 days."""
    kept = await saved.do("saveSlo", SLO_FIELDS, service="shop", name="Latency")
    assert kept == {"__typename": "Slo", **SLO, "windowDays": None}
    effects: dict[str, dict[str, Any]] = {
        "description": {"description": None},
        "goodQuery": {"goodQuery": None},
        "totalQuery": {"totalQuery": None},
        "timeZone": {"timeZone": "UTC"},
        "calendar": {"calendar": None, "timeZone": None, "windowDays": 28},
        "indicator": {"indicator": "DECLARED"},
        "latencyThresholdMs": {"latencyThresholdMs": None},
        "sliceSeconds": {"sliceSeconds": 60},
        "budgetingMethod": {"budgetingMethod": "OCCURRENCES"},
        "sliceTarget": {"sliceTarget": None},
    }
    for name, effect in effects.items():
        kept |= effect
        assert await saved.do("saveSlo", SLO_FIELDS, service="shop", name="latency", **null(name)) == kept, name


async def test_a_declared_value_is_kept_and_cleared(api: Api) -> None:
    """Without one the SLO is unknown, not missed."""
    await api.do("saveService", name="api")
    await api.do("saveSlo", service="api", name="a", target=99, current=99.5)
    assert (await api.do("saveSlo", "current isMet", service="api", name="a", target=99.9))["isMet"] is False
    cleared = await api.do("saveSlo", "current isMet", service="api", name="a", current=None)
    assert (cleared["current"], cleared["isMet"]) == (None, None)


async def test_saving_the_same_again_changes_nothing(saved: Api, clock: TestClock) -> None:
    """Not even a time stamp, however much later it is."""
    await saved.do("recordCost", service="shop", month="2024-01", amount="1.50")
    await saved.do("setCostBudget", service="shop", budgetMonthly="2.00")
    await saved.do("setGovernanceCheck", service="shop", check="runbook", passed=True)
    clock.move(hours=1)
    async with unchanged(saved.core.database):
        await saved.do("saveTeam", name="platform", title="Platform")
        await saved.do("saveService", name="shop", **SERVICE)
        await saved.do("declareReliability", service="shop", **DECLARED)
        await saved.do("saveSlo", service="shop", name="latency", **SLO)
        await saved.do("recordCost", service="shop", month="2024-01", amount=1.5)
        await saved.do("setCostBudget", service="shop", budgetMonthly=2)
        await saved.do("setGovernanceCheck", service="shop", check="runbook", passed=True)


async def test_a_replayed_deployment_is_the_first_one(saved: Api, clock: TestClock) -> None:
    """Its time was left out, so that a second one would be of now."""
    first = await saved.do("recordDeployment", "id deployedAt", service="shop", version="1", idempotencyKey="k")
    clock.move(minutes=10)
    async with unchanged(saved.core.database):
        again = await saved.do("recordDeployment", "id deployedAt", service="shop", version="1", idempotencyKey="k")
    assert again == first
    other = await saved.do("recordDeployment", "id", service="shop", version="1", idempotencyKey="k2")
    assert other["id"] != first["id"]


async def test_replayed_events_count_once(saved: Api, clock: TestClock) -> None:
    """A key of one mutation means nothing to another."""
    await saved.do("saveSlo", service="shop", name="orders", target=99, indicator="EXTERNAL")
    await saved.do("recordDeployment", service="shop", version="1", idempotencyKey="k")
    events: dict[str, Any] = {"service": "shop", "slo": "orders", "good": 90, "total": 100, "idempotencyKey": "k"}
    first = await saved.do("recordSloEvents", "id current", **events)
    clock.move(minutes=1)
    async with unchanged(saved.core.database):
        assert await saved.do("recordSloEvents", "id current", **events) == first
    more = await saved.do("recordSloEvents", "current", **{**events, "good": 100, "idempotencyKey": "k2"})
    assert (first["current"], more["current"]) == (90.0, 95.0)


async def test_two_requests_with_one_key_at_once_make_one_deployment(saved: Api) -> None:
    """Both get it."""
    wanted: dict[str, Any] = {"service": "shop", "version": "1", "idempotencyKey": "k"}
    results = await asyncio.gather(*(saved.do("recordDeployment", "id", **wanted) for _ in range(5)))
    assert len({result["id"] for result in results}) == 1
    data = await saved.data('{ service(name: "shop") { deployments { totalCount } } }')
    assert data["service"]["deployments"]["totalCount"] == 1


async def test_a_refused_mutation_does_not_undo_those_beside_it(api: Api) -> None:
    """Each field of a document is a transaction of its own, in order."""
    document = """mutation {
      a: saveTeam(input: {name: "a"}) { __typename }
      bad: saveService(input: {name: "api", team: "nobody"}) { __typename }
      b: saveTeam(input: {name: "b"}) { __typename }
    }"""
    data = await api.data(document)
    assert [result["__typename"] for result in data.values()] == ["Team", "Problem", "Team"]
    assert (await api.data("{ teams { nodes { name } } services { totalCount } }")) == {
        "teams": {"nodes": [{"name": "a"}, {"name": "b"}]},
        "services": {"totalCount": 0},
    }
