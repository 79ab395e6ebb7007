"""From a declaration to GO and back: what a team declares, who may say otherwise, and what everyone sees of it."""

from typing import Any

from tests.graphql.test_readiness import EIGHT
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.readiness import BOTH, OVERRIDE, act, acted, evaluate, only_checks
from tests.support.sockets import Socket, greeted
from tests.support.verdicts import APPROVER, EDITOR, EVERYTHING

FEED = """subscription { readinessFeed(services: ["checkout"]) {
  kind decision effectiveDecision previousDecision verdict { passRateShown } } }"""
CUSTOM: dict[str, Any] = {"name": "Two regions", "category": "RELIABILITY", "hardBlocker": True}
EXPRESSION = "has(manifest.custom.regions) && size(manifest.custom.regions) >= 2"
MISSPELT = EXPRESSION.replace("(manifest.custom.regions) >=", "(manifest.costum.regions) >=")
SHOWN = f"decision effectiveDecision passRateShown blockers {{ check {{ name }} }} override {{ {OVERRIDE} }}"
OVERRIDDEN: dict[str, Any] = {
    "decision": "CONDITIONAL_GO",
    "reason": "The second region opens",
    "expiresAt": "2024-03-20T12:00:00Z",
}
HISTORY = f"""{{ service(name: "checkout") {{ readinessVerdicts {{ nodes {{ decision passRateShown }} }}
  readinessOverrides {{ nodes {{ {OVERRIDE} }} }} }} }}"""


async def event(socket: Socket) -> tuple[Any, ...]:
    """What the feed tells next: what happened, what is decided, what counts, and what counted before."""
    found: dict[str, Any] = (await socket.data("1"))["readinessFeed"]
    return found["kind"], found["decision"], found["effectiveDecision"], found["previousDecision"]


async def declare(api: Api, **values: Any) -> None:
    """The team declares what its service has."""
    api.who.actor = EDITOR
    await acted(api, "declareManifest", service="checkout", values={**EVERYTHING, **values})


async def seen(api: Api) -> dict[str, Any]:
    """What everyone sees."""
    verdict: dict[str, Any] = (await api.data(f'{{ service(name: "checkout") {{ readiness {{ {SHOWN} }} }} }}'))[
        "service"
    ]["readiness"]
    return verdict


async def begins_on_conditions(api: Api, socket: Socket) -> None:
    """The team declares all but one thing that is asked: 7 of 8."""
    await declare(api, load_tested=False)
    verdict = await evaluate(api, "checkout")
    assert (verdict["decision"], verdict["passRateShown"]) == ("CONDITIONAL_GO", "88%")
    assert await event(socket) == ("DECISION_CHANGED", "CONDITIONAL_GO", "CONDITIONAL_GO", None)


async def is_blocked(api: Api, socket: Socket) -> None:
    """A check of the company's own blocks it; a mistake in its expression is refused with its place."""
    typo = await act(
        api,
        "saveReadinessCheck",
        **CUSTOM,
        expression=MISSPELT,
    )
    assert (typo["code"], typo["field"]) == ("INVALID", ["input", "expression"])
    assert "costum" in typo["message"]
    assert (typo["details"]["line"], typo["details"]["column"]) >= (1, 1)
    await acted(api, "saveReadinessCheck", **CUSTOM, expression=EXPRESSION)
    blocked = await evaluate(api, "checkout", SHOWN)
    assert (blocked["decision"], blocked["blockers"]) == ("NO_GO", [{"check": {"name": "Two regions"}}])
    assert await event(socket) == ("DECISION_CHANGED", "NO_GO", "NO_GO", "CONDITIONAL_GO")


async def is_overridden_by_two_people(api: Api, socket: Socket) -> None:
    """One asks, and neither approves it nor does an editor; an approver does."""
    api.who.actor = BOTH
    await acted(api, "requestReadinessOverride", service="checkout", **OVERRIDDEN)
    for actor in (BOTH, EDITOR):
        api.who.actor = actor
        assert (await act(api, "approveReadinessOverride", service="checkout"))["code"] == "FORBIDDEN"
    assert (await seen(api))["effectiveDecision"] == "NO_GO"
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="checkout", note="Until Wednesday")
    assert await event(socket) == ("OVERRIDDEN", "NO_GO", "CONDITIONAL_GO", "NO_GO")
    overridden = await seen(api)
    assert (overridden["decision"], overridden["effectiveDecision"]) == ("NO_GO", "CONDITIONAL_GO")
    people = [overridden["override"][name] for name in ("requestedBy", "approvedBy", "reason", "note", "active")]
    assert people == ["Bo", "Apo", "The second region opens", "Until Wednesday", True]


async def is_blocked_by_something_new(api: Api, socket: Socket) -> None:
    """What nobody knew of when it was approved ends the override, in the open."""
    await acted(api, "saveReadinessCheck", name="load_tested", hardBlocker=True)
    ended = await evaluate(api, "checkout", SHOWN)
    assert (ended["decision"], ended["effectiveDecision"]) == ("NO_GO", "NO_GO")
    assert (ended["override"]["state"], ended["override"]["endedReason"]) == ("ENDED", "new blocker: load_tested")
    assert await event(socket) == ("OVERRIDE_ENDED", "NO_GO", "NO_GO", "CONDITIONAL_GO")


async def test_from_a_declaration_to_an_override_and_its_end(api: Api, clock: TestClock) -> None:
    """The whole way, with each step in the feed."""
    everyone = api.who.actor
    await api.do("saveService", name="checkout", tier=1)
    await only_checks(api, *EIGHT)
    async with greeted(api.app) as socket:
        await socket.subscribe("1", FEED)
        await socket.begun()
        await begins_on_conditions(api, socket)
        api.who.actor = everyone
        await is_blocked(api, socket)
        await is_overridden_by_two_people(api, socket)
        clock.move(hours=1)
        assert (await evaluate(api, "checkout"))["effectiveDecision"] == "CONDITIONAL_GO"
        api.who.actor = everyone
        await is_blocked_by_something_new(api, socket)
    data = await api.data(HISTORY)
    history = [node["decision"] for node in data["service"]["readinessVerdicts"]["nodes"]]
    assert history == ["NO_GO", "NO_GO", "NO_GO", "CONDITIONAL_GO"]
    (override,) = data["service"]["readinessOverrides"]["nodes"]
    assert (override["state"], override["endedReason"]) == ("ENDED", "new blocker: load_tested")
