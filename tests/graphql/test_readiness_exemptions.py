"""Exemptions over GraphQL: one asks, another grants, in the open, for a while."""

from typing import Any

from opsgraph.kernel.actor import Actor
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.readiness import BOTH, VERDICT, act, acted, evaluate, judged, only_checks
from tests.support.verdicts import APPROVER, EDITOR

DAY = "2024-03-16T12:00:00Z"
EXEMPT = {"service": "api", "check": "encryption", "reason": "It stores nothing", "endsAt": DAY}


async def exempt(api: Api, **values: Any) -> dict[str, Any]:
    """An editor asks for an exemption, and an approver, who acts from then on, grants it."""
    for actor in (EDITOR, APPROVER):
        api.who.actor = actor
        verdict = await acted(api, "exemptReadinessCheck", **values)
    return verdict


async def newest(api: Api) -> dict[str, Any]:
    """The newest verdict with what is beside it."""
    data = await api.data(f'{{ service(name: "api") {{ readiness {{ {VERDICT} }} }} }}')
    verdict: dict[str, Any] = data["service"]["readiness"]
    return verdict


async def test_an_editor_asks_for_an_exemption_and_an_approver_grants_it(api: Api) -> None:
    """The check is skipped from then on, with who, why and until when; it is seen beside the verdict from the start."""
    assert (await judged(api, encryption=False))["decision"] == "NO_GO"
    api.who.actor = EDITOR
    asked = await acted(api, "exemptReadinessCheck", **EXEMPT)
    wanted = {"check": "encryption", "reason": "It stores nothing", "requestedBy": "Eda", "endsAt": DAY}
    assert asked["exemptions"] == [{**wanted, "approvedBy": None, "active": False}]
    assert asked["decision"] == "NO_GO"
    api.who.actor = APPROVER
    results = "results { outcome message check { name } }"
    granted = await acted(api, "exemptReadinessCheck", f"{VERDICT} {results}", **EXEMPT)
    assert granted["exemptions"] == [{**wanted, "approvedBy": "Apo", "active": True}]
    assert granted["decision"] == "CONDITIONAL_GO"
    (skipped,) = [one for one in granted["results"] if one["check"]["name"] == "encryption"]
    assert skipped["outcome"] == "SKIPPED"
    assert skipped["message"] == "exempt until 2024-03-16 by Apo: It stores nothing"
    data = await api.data('{ service(name: "api") { readinessExemptions { check active approvedBy } } }')
    assert data["service"]["readinessExemptions"] == [{"check": "encryption", "active": True, "approvedBy": "Apo"}]


async def test_an_exemption_ends_by_itself_or_by_someone(api: Api, clock: TestClock) -> None:
    """The check counts again."""
    await judged(api, encryption=False)
    assert (await exempt(api, **EXEMPT))["decision"] == "CONDITIONAL_GO"
    clock.move(days=1)
    assert await evaluate(api) == {**await newest(api), "__typename": "ReadinessVerdict"}
    assert ((await newest(api))["decision"], (await newest(api))["exemptions"]) == ("NO_GO", [])
    later = {**EXEMPT, "endsAt": "2024-03-20T12:00:00Z"}
    assert (await exempt(api, **later))["decision"] == "CONDITIONAL_GO"
    ended = await acted(api, "revokeReadinessExemption", service="api", check="Encryption")
    assert (ended["decision"], ended["exemptions"]) == ("NO_GO", [])


async def test_a_request_for_an_exemption_can_be_taken_back(api: Api) -> None:
    """By whoever may ask for one; nothing is evaluated, for nothing changed."""
    await judged(api)
    api.who.actor = EDITOR
    await acted(api, "exemptReadinessCheck", **EXEMPT)
    ended = await acted(api, "revokeReadinessExemption", service="api", check="encryption")
    assert ended["exemptions"] == []
    data = await api.data('{ service(name: "api") { readinessVerdicts { totalCount } } }')
    assert data["service"]["readinessVerdicts"]["totalCount"] == 1


async def test_nobody_grants_their_own_exemption(api: Api) -> None:
    """An editor who becomes an approver does not, either."""
    await judged(api)
    api.who.actor = EDITOR
    await acted(api, "exemptReadinessCheck", **EXEMPT)
    api.who.actor = Actor(EDITOR.name, BOTH.roles)
    async with unchanged(api.core.database):
        assert (await act(api, "exemptReadinessCheck", **EXEMPT))["code"] == "FORBIDDEN"


async def test_a_service_that_was_never_judged_is_judged_with_its_first_exemption(api: Api) -> None:
    """So that there is a verdict to give."""
    await api.do("saveService", name="api")
    verdict = await acted(api, "exemptReadinessCheck", **{**EXEMPT, "check": "metrics"})
    assert (verdict["decision"], verdict["exemptions"][0]["active"]) == ("NO_GO", True)


async def test_an_exemption_that_leaves_too_few_checks_leaves_no_verdict(api: Api) -> None:
    """It is stored, and seen beside the last that there was; once it is revoked there is one again."""
    await only_checks(api, "metrics", "alerting", "encryption")
    await judged(api, encryption=False)
    verdict = await exempt(api, **EXEMPT)
    assert (verdict["decision"], verdict["exemptions"][0]["active"]) == ("NO_GO", True)
    found = await api.data('{ service(name: "api") { readiness { id } readinessRefusal } }')
    why = "only 2 checks apply to this service; a verdict takes at least 3"
    assert found["service"] == {"readiness": None, "readinessRefusal": why}
    await acted(api, "revokeReadinessExemption", service="api", check="encryption")
    assert (await newest(api))["decision"] == "NO_GO"


async def test_an_exemption_from_a_hard_blocker_takes_two_approvers_or_an_editor_and_one(api: Api) -> None:
    """What an approver asks for unasked is pending, in the open, and has no effect."""
    await judged(api, encryption=False)
    api.who.actor = APPROVER
    asked = await acted(api, "exemptReadinessCheck", **EXEMPT)
    pending = {"check": "encryption", "active": False, "requestedBy": "Apo", "approvedBy": None}
    assert asked["decision"] == "NO_GO"
    data = await api.data('{ service(name: "api") { readinessExemptions { check active requestedBy approvedBy } } }')
    assert data["service"]["readinessExemptions"] == [pending]
    async with unchanged(api.core.database):
        assert (await act(api, "exemptReadinessCheck", **EXEMPT))["code"] == "FORBIDDEN"
    api.who.actor = BOTH
    granted = await acted(api, "exemptReadinessCheck", **EXEMPT)
    assert (granted["decision"], granted["exemptions"][0]["approvedBy"]) == ("CONDITIONAL_GO", "Bo")


async def test_an_approver_grants_alone_what_blocks_nothing(api: Api) -> None:
    """Nobody asked for it, which is to be seen."""
    await judged(api)
    api.who.actor = APPROVER
    granted = await acted(api, "exemptReadinessCheck", **{**EXEMPT, "check": "metrics"})
    (found,) = granted["exemptions"]
    assert (found["requestedBy"], found["approvedBy"], found["active"]) == (None, "Apo", True)
