"""The webhooks: alerts of scripts, of Alertmanager and of Grafana."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
import structlog

from opsgraph.domains.alerts.model import AlertStatus
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.inbound import notification, notified, own
from tests.support.senders import GENERIC, GRAFANA, WEBHOOK, Choosy, handing_to, stored

BODIES = [
    (GENERIC, lambda *names: [own(message=name) for name in names]),
    (WEBHOOK, lambda *names: notification(*(notified(name) for name in names))),
    (GRAFANA, lambda *names: notification(*(notified(name) for name in names))),
]
EACH = pytest.mark.parametrize(("path", "body"), BODIES, ids=["generic", "alertmanager", "grafana"])
QUERY = "query ($id: ID!) { node(id: $id) { ... on Alert { message incident { number } } } }"


def outcomes(response: httpx.Response) -> list[tuple[int, str]]:
    """What became of the members that were stored, by their places."""
    return [(result["index"], result["outcome"]) for result in response.json()["results"]]


async def number(api: Api) -> int:
    """The number of the only incident."""
    ((found,),) = [
        node.values() for node in (await api.data("{ incidents { nodes { number } } }"))["incidents"]["nodes"]
    ]
    return int(found)


@EACH
async def test_what_became_of_each_alert_is_told(api: Api, path: str, body: Any) -> None:
    """200 once all of it is committed: the first opens an incident, the second joins, the same again is counted."""
    response = await api.http.post(path, json=body("a", "b", "a"))
    assert response.status_code == 200, response.text
    assert outcomes(response) == [(0, "NEW_INCIDENT"), (1, "ATTACHED"), (2, "DEDUPLICATED")]
    answer = response.json()
    assert (answer["accepted"], answer["refused"], answer.keys()) == (3, [], {"accepted", "results", "refused"})
    assert [result["incidentNumber"] for result in answer["results"]] == [await number(api)] * 3
    assert [alert.occurrences for alert in await stored(api)] == [2, 1]


async def test_the_ids_in_the_answer_are_those_of_the_api(api: Api) -> None:
    """`node` finds the alert by it."""
    (result,) = (await api.http.post(GENERIC, json=own())).json()["results"]
    data = await api.data(QUERY, id=result["alertId"])
    assert data["node"] == {"message": "5xx spike", "incident": {"number": result["incidentNumber"]}}


@EACH
@pytest.mark.parametrize("count", [11, 300])
async def test_every_alert_of_a_batch_is_stored(api: Api, path: str, body: Any, count: int) -> None:
    """Not the first ten."""
    response = await api.http.post(path, json=body(*(f"a{number}" for number in range(count))))
    assert response.json()["accepted"] == len(await stored(api)) == count


BAD_MEMBERS = [
    (GENERIC, [own(message="a"), {}, own(message="b")], "service is empty"),
    (WEBHOOK, notification(notified("a"), {}, notified("b")), "labels is missing"),
    (GRAFANA, notification(notified("a"), 7, notified("b")), "it is a number, not an object"),
]


@pytest.mark.parametrize(("path", "body", "reason"), BAD_MEMBERS)
async def test_a_bad_member_costs_no_other(api: Api, path: str, body: Any, reason: str) -> None:
    """400 with the same body: what was stored, and what was refused and why."""
    response = await api.http.post(path, json=body)
    assert (response.status_code, response.json()["accepted"]) == (400, 2)
    assert [index for index, _ in outcomes(response)] == [0, 2]
    (refused,) = response.json()["refused"]
    assert (refused["index"], reason in refused["reason"]) == (1, True)
    assert len(await stored(api)) == 2


async def test_what_the_database_refuses_is_named_by_its_place(api: Api) -> None:
    """In one list with what could not be read."""
    async with handing_to(Choosy(api.core.intake), api) as http:
        response = await http.post(GENERIC, json=[own(message="a"), own(message="b"), {}])
    assert (response.status_code, outcomes(response)) == (400, [(1, "NEW_INCIDENT")])
    assert [refused["index"] for refused in response.json()["refused"]] == [0, 2]


@pytest.mark.parametrize("path", [GENERIC, WEBHOOK, GRAFANA])
@pytest.mark.parametrize("body", ["", "{", "7", '"x"'])
async def test_a_body_that_is_none_is_refused(api: Api, path: str, body: str) -> None:
    """400 of the same shape, with the reason."""
    response = await api.http.post(path, content=body)
    answer = response.json()
    assert (response.status_code, answer["accepted"], answer["results"], answer["refused"]) == (400, 0, [], [])
    assert answer["error"]


async def test_what_resolves_nothing_is_ignored(api: Api) -> None:
    """There is no alert and no incident to name."""
    (result,) = (await api.http.post(GENERIC, json=own(status="resolved"))).json()["results"]
    assert result == {"index": 0, "outcome": "IGNORED", "alertId": None, "incidentNumber": None}
    assert await stored(api) == []


async def test_a_resolved_alert_of_an_alertmanager_ends(api: Api) -> None:
    """In one body with another that fires."""
    await api.http.post(WEBHOOK, json=notification(notified("a"), notified("b")))
    over = notified("a", status="resolved", endsAt="2024-03-15T12:00:00Z")
    response = await api.http.post(WEBHOOK, json=notification(over, notified("b")))
    assert outcomes(response) == [(0, "RESOLVED"), (1, "DEDUPLICATED")]
    assert [alert.status for alert in await stored(api)] == [AlertStatus.RESOLVED, AlertStatus.FIRING]


async def test_one_alert_is_one_whichever_way_it_comes(api: Api) -> None:
    """By Prometheus, by an Alertmanager and through Grafana: its labels are its identity."""
    await api.http.post("/api/v2/alerts", json=[notified("a")])
    for path in (WEBHOOK, GRAFANA):
        assert outcomes(await api.http.post(path, json=notification(notified("a")))) == [(0, "DEDUPLICATED")]
    assert [alert.occurrences for alert in await stored(api)] == [3]


@pytest.mark.parametrize("path", [WEBHOOK, GRAFANA])
async def test_alerts_that_the_sender_left_out_are_noticed(api: Api, path: str) -> None:
    """In the answer and in the log."""
    with structlog.testing.capture_logs() as log:
        response = await api.http.post(path, json=notification(notified(), truncatedAlerts=2))
    (warning,) = response.json()["warnings"]
    assert (response.status_code, "left out 2 more alerts" in warning) == (200, True)
    assert [line["reason"] for line in log if line["event"] == "alerts_left_out"] == [warning]


async def test_grafana_may_put(api: Api) -> None:
    """As it can be told to."""
    response = await api.http.put(GRAFANA, json=notification(notified()))
    assert outcomes(response) == [(0, "NEW_INCIDENT")]
    assert (await api.http.put(WEBHOOK, json=notification(notified()))).status_code == 405


@pytest.mark.parametrize(
    ("actor", "reporter"),
    [(LOCAL, "integration:generic"), (Actor("checkout-key", frozenset({Role.INGEST})), "integration:checkout-key")],
)
async def test_the_timeline_says_who_reported(api: Api, actor: Actor, reporter: str) -> None:
    """By the name of the key; without keys, by the kind of source."""
    api.who.actor = actor
    await api.http.post(GENERIC, json=own())
    api.who.actor = LOCAL
    data = await api.data("{ incidents { nodes { timeline { nodes { actor } } } } }")
    (incident,) = data["incidents"]["nodes"]
    assert reporter in {entry["actor"] for entry in incident["timeline"]["nodes"]}


async def test_grafanas_signature_is_asked_for_where_a_secret_is_set(
    settings: Settings,
    clock: TestClock,
    database: Database,  # which is emptied afterwards
) -> None:
    """With and without the time in it; nothing is stored that is not signed."""
    body = orjson.dumps(notification(notified()))
    async with running(replace(settings, grafana_secret="s3cret"), clock) as api:  # pragma: allowlist secret
        for signed, headers in ((body, {}), (b"17:" + body, {"x-grafana-alerting-timestamp": "17"})):
            signature = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
            unsigned = await api.http.post(GRAFANA, content=body, headers=headers)
            assert (unsigned.status_code, "Signature does not fit" in unsigned.json()["error"]) == (401, True)
            with_it = {**headers, "x-grafana-alerting-signature": signature}
            assert (await api.http.post(GRAFANA, content=body, headers=with_it)).status_code == 200
        assert [alert.occurrences for alert in await stored(api)] == [2]
        assert (await api.http.post(WEBHOOK, content=body)).status_code == 200
