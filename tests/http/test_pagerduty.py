"""PagerDuty's Events API: trigger, acknowledge, resolve."""

import httpx
import pytest

from opsgraph.domains.alerts.model import AlertStatus
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.inbound import ROUTING_KEY, trigger
from tests.support.senders import ENQUEUE, Choosy, handing_to, stored


async def later(api: Api, action: str, dedup_key: str = "disk") -> httpx.Response:
    """The answer to an event about an alert that may be there."""
    body = {"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": dedup_key}
    return await api.http.post(ENQUEUE, json=body)


async def statuses(api: Api) -> list[tuple[str, str]]:
    """The incidents' statuses, with who changed them first."""
    query = "{ incidents { nodes { status timeline { nodes { type actor } } } } }"
    nodes = (await api.data(query))["incidents"]["nodes"]
    return [
        (node["status"], next((e["actor"] for e in node["timeline"]["nodes"] if e["type"] == "STATUS_CHANGED"), ""))
        for node in nodes
    ]


async def test_a_trigger_is_processed(api: Api) -> None:
    """202 once it is committed, with its key."""
    response = await api.http.post(ENQUEUE, json=trigger())
    assert response.status_code == 202
    assert response.json() == {"status": "success", "message": "Event processed", "dedup_key": "disk"}
    (alert,) = await stored(api)
    assert (alert.service_name, alert.message, alert.source) == ("db-1", "disk full", "pagerduty")
    assert ROUTING_KEY not in repr(alert)


async def test_a_trigger_without_a_key_is_given_one(api: Api) -> None:
    """By which it can be resolved; two with one summary are two alerts."""
    keys = [(await api.http.post(ENQUEUE, json=trigger(dedup_key=None))).json()["dedup_key"] for _ in range(2)]
    assert len(set(keys)) == len(await stored(api)) == 2
    assert (await later(api, "resolve", keys[0])).status_code == 202
    assert sorted(alert.status for alert in await stored(api)) == [AlertStatus.FIRING, AlertStatus.RESOLVED]


async def test_the_whole_life_of_an_alert(api: Api, clock: TestClock) -> None:
    """Triggered, acknowledged, resolved; a trigger afterwards is a new alert."""
    await api.http.post(ENQUEUE, json=trigger())
    assert await statuses(api) == [("OPEN", "")]
    assert (await later(api, "acknowledge")).json()["dedup_key"] == "disk"
    assert await statuses(api) == [("ACKNOWLEDGED", "integration:pagerduty")]
    assert (await later(api, "resolve")).status_code == 202
    assert [alert.status for alert in await stored(api)] == [AlertStatus.RESOLVED]
    clock.move(minutes=1)
    await api.http.post(ENQUEUE, json=trigger())
    assert [alert.status for alert in await stored(api)] == [AlertStatus.RESOLVED, AlertStatus.FIRING]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
async def test_what_finds_nothing_open_is_accepted_and_ignored(api: Api, action: str) -> None:
    """As PagerDuty does."""
    assert (await later(api, action, "unknown")).status_code == 202
    assert await stored(api) == []


async def test_keys_hold_within_their_integration(api: Api) -> None:
    """Another routing key resolves nothing."""
    await api.http.post(ENQUEUE, json=trigger())
    other = {"routing_key": "f" * 32, "event_action": "resolve", "dedup_key": "disk"}
    assert (await api.http.post(ENQUEUE, json=other)).status_code == 202
    assert [alert.status for alert in await stored(api)] == [AlertStatus.FIRING]


async def test_what_is_no_event_is_refused(api: Api) -> None:
    """400 with each error; nothing is stored."""
    response = await api.http.post(ENQUEUE, json=trigger(routing_key="short", payload={"severity": "fatal"}))
    assert response.status_code == 400
    assert response.json() == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": [
            "Length of 'routing_key' is incorrect (should be 32 characters)",
            "'payload.severity' is invalid (must be one of: 'critical', 'error', 'warning' or 'info')",
        ],
    }
    assert await stored(api) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null"])
async def test_a_body_that_is_none_is_refused(api: Api, body: str) -> None:
    """In the same shape."""
    response = await api.http.post(ENQUEUE, content=body)
    answer = response.json()
    assert (response.status_code, answer["status"], len(answer["errors"])) == (400, "invalid event", 1)


async def test_what_the_database_refuses_is_no_success(api: Api) -> None:
    """It would not be there."""
    async with handing_to(Choosy(api.core.intake), api) as http:
        response = await http.post(ENQUEUE, json=trigger())
    assert (response.status_code, response.json()["errors"]) == (400, ["the database does not take this alert"])
