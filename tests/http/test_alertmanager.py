"""Alertmanager's API: alerts are taken in, and clients find what fires."""

from typing import Any

import pytest

from opsgraph.domains.alerts.model import AlertStatus, Severity
from opsgraph.http import alertmanager
from opsgraph.kernel.actor import Actor, Role
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.inbound import labelled, own, trigger
from tests.support.senders import ALERTS, ENQUEUE, GENERIC, Choosy, handing_to, stored

HOUR_AGO = "2024-03-15T11:00:00Z"


async def post(api: Api, *members: Any) -> None:
    """Send a batch that is accepted."""
    response = await api.http.post(ALERTS, json=list(members))
    assert (response.status_code, response.content) == (200, b"")


async def shown(api: Api, query: str = "") -> list[str]:
    """The names of the alerts that clients are shown."""
    response = await api.http.get(f"{ALERTS}?{query}")
    assert response.status_code == 200, response.text
    return [alert["labels"]["alertname"] for alert in response.json()]


async def silence(api: Api, **matchers: str) -> str:
    """Make a silence for an hour; gives its id."""
    body = {
        "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in matchers.items()],
        "startsAt": "2024-03-15T12:00:00Z",
        "endsAt": "2024-03-15T13:00:00Z",
        "createdBy": "alice",
        "comment": "why",
    }
    response = await api.http.post("/api/v2/silences", json=body)
    assert response.status_code == 200, response.text
    made: str = response.json()["silenceID"]
    return made


async def test_a_batch_is_stored_before_it_is_answered(api: Api) -> None:
    """200 with an empty body; the alerts are there, each once, on an incident."""
    await post(api, labelled("a"), labelled("b"), labelled("a"))
    a, b = sorted(await stored(api), key=lambda alert: alert.labels["alertname"])
    assert [(alert.labels["alertname"], alert.occurrences) for alert in (a, b)] == [("a", 2), ("b", 1)]
    assert (a.status, a.severity, a.service_name) == (AlertStatus.FIRING, Severity.CRITICAL, "api")
    assert a.incident_id == b.incident_id is not None


async def test_an_empty_batch_is_fine(api: Api) -> None:
    """As to an Alertmanager."""
    await post(api)
    assert await stored(api) == []


async def test_a_resolved_alert_ends(api: Api) -> None:
    """The same labels with an end that has come."""
    await post(api, labelled("a", startsAt=HOUR_AGO))
    await post(api, labelled("a", startsAt=HOUR_AGO, endsAt="2024-03-15T11:59:00Z"))
    assert [alert.status for alert in await stored(api)] == [AlertStatus.RESOLVED]
    assert await shown(api) == []


LAST_INSTANT = "9999-12-31T23:59:59.999999Z"


async def test_an_alert_that_starts_in_the_future_fires_at_once(api: Api, clock: TestClock) -> None:
    """However far ahead; the start is kept, by which the episode is known again after a person has resolved it."""
    await post(api, labelled("a", startsAt=LAST_INSTANT))
    (alert,) = (await api.http.get(ALERTS)).json()
    assert (alert["startsAt"], alert["status"]["state"]) == (LAST_INSTANT, "active")
    assert (await api.http.post(GENERIC, json=own(service="web", startsAt=LAST_INSTANT))).status_code == 200
    clock.move(minutes=5)
    over = "... on Incident { mttrSeconds alerts { nodes { startsAt firstSeenAt status } } }"
    resolved = (await api.data(f"mutation {{ resolveIncident(input: {{number: 1}}) {{ {over} }} }}"))["resolveIncident"]
    (ended,) = resolved["alerts"]["nodes"]
    assert ended == {"startsAt": LAST_INSTANT, "firstSeenAt": "2024-03-15T12:00:00Z", "status": "RESOLVED"}
    assert resolved["mttrSeconds"] == 300
    await post(api, labelled("a", startsAt=LAST_INSTANT))
    assert sorted(alert.status for alert in await stored(api)) == [AlertStatus.FIRING, AlertStatus.RESOLVED]


async def test_bad_members_are_named_and_cost_no_other(api: Api) -> None:
    """400 with one line, after the good ones were stored."""
    response = await api.http.post(ALERTS, json=[labelled("a"), {"labels": {}}, 7, labelled("b")])
    assert response.status_code == 400
    assert response.json() == (
        "2 alerts were refused, 2 stored: "
        "alert 1: labels has no label with a value; alert 2: it is a number, not an object"
    )
    assert [alert.labels["alertname"] for alert in await stored(api)] == ["a", "b"]


async def test_many_bad_members_are_named_briefly(api: Api) -> None:
    """Twenty, and how many more."""
    reason = (await api.http.post(ALERTS, json=[{}] * 25)).json()
    assert reason.startswith("25 alerts were refused, 0 stored: alert 0: ")
    assert reason.count("labels is missing") == 20
    assert reason.endswith("; and 5 more")


async def test_what_the_database_refuses_is_named_by_its_place(api: Api) -> None:
    """Behind the members that could not be read."""
    async with handing_to(Choosy(api.core.intake), api) as http:
        response = await http.post(ALERTS, json=[{}, labelled("a"), labelled("b")])
    assert response.status_code == 400
    assert "alert 1: the database does not take this alert" in response.json()
    assert [alert.labels["alertname"] for alert in await stored(api)] == ["b"]


@pytest.mark.parametrize("count", [11, 256])
async def test_a_whole_batch_of_prometheus_is_stored(api: Api, count: int) -> None:
    """Not the first ten."""
    await post(api, *(labelled(f"a{number}") for number in range(count)))
    assert len(await stored(api)) == count


async def test_alerts_with_one_summary_stay_apart(api: Api) -> None:
    """Their labels tell them apart."""
    same = {"summary": "the disk is full"}
    await post(api, *(labelled(f"a{number}", annotations=same) for number in range(3)))
    assert len(await stored(api)) == 3


@pytest.mark.parametrize("body", ["", "{", "{}", "null", "[", '"x"'])
async def test_a_body_that_is_no_batch_is_refused(api: Api, body: str) -> None:
    """With a JSON string that says why."""
    response = await api.http.post(ALERTS, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, type(response.json())) == (400, str)


async def test_clients_are_shown_what_fires_as_it_was_sent(api: Api) -> None:
    """With the fingerprint that an Alertmanager would give it."""
    labels = {"alertname": "HighErrorRate", "cluster": "eu-1", "instance": "10.0.0.1:9090", "job": "node"}
    labels |= {"service": "api", "severity": "critical"}
    await post(api, {"labels": labels, "annotations": {"summary": "s"}, "startsAt": HOUR_AGO})
    (alert,) = (await api.http.get(ALERTS)).json()
    assert alert["fingerprint"] == "5b93c6b701b1bdcd"  # pragma: allowlist secret
    assert (alert["labels"], alert["annotations"], alert["startsAt"]) == (labels, {"summary": "s"}, HOUR_AGO)
    assert (alert["status"]["state"], alert["receivers"]) == ("active", [{"name": "opsgraph"}])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c"]),
        ("filter=alertname=a", ["a"]),
        ('filter=alertname="a"', ["a"]),
        ('filter=alertname=~"a|b"&filter=alertname!=a', ["b"]),
        ('filter={alertname=~"a|b",severity="critical"}', ["a", "b"]),
        ("filter=severity!=critical", []),
        ("filter=zone=eu", ["c"]),
        ("filter=zone=", ["a", "b"]),
        ("active=false", ["c"]),
        ("silenced=false", ["a", "b"]),
        ("active=false&silenced=0", []),
        ("active=No&silenced=TRUE", ["c"]),
        ("active=&silenced=", ["a", "b", "c"]),
        ("inhibited=false&unprocessed=false", ["a", "b", "c"]),
        ("receiver=opsgraph", ["a", "b", "c"]),
        ("receiver=ops.*", ["a", "b", "c"]),
        ("receiver=other", []),
    ],
)
async def test_clients_find_alerts(api: Api, query: str, found: list[str]) -> None:
    """By matchers, quoted or not; by whether they are silenced; by receiver."""
    c = labelled("c")
    c["labels"]["zone"] = "eu"
    await silence(api, zone="eu")
    await post(api, labelled("a"), labelled("b"), c)
    assert sorted(await shown(api, query)) == found


@pytest.mark.parametrize("query", ["filter=bad", "filter=a=~(", "filter==a", "receiver=(", "filter=" + "a=b," * 60])
async def test_a_filter_that_is_none_is_refused(api: Api, query: str) -> None:
    """With a JSON string; groups alike."""
    for path in (ALERTS, f"{ALERTS}/groups"):
        response = await api.http.get(f"{path}?{query}")
        assert (response.status_code, type(response.json())) == (400, str)


@pytest.mark.parametrize("name", ["active", "silenced", "inhibited", "unprocessed"])
async def test_what_is_neither_true_nor_false_is_refused(api: Api, name: str) -> None:
    """Rather than taken for either; the answer names the parameter."""
    for path in (ALERTS, f"{ALERTS}/groups"):
        response = await api.http.get(f"{path}?{name}=maybe")
        assert (response.status_code, response.json()) == (400, f'{name} is "maybe"; it takes true or false')


async def test_a_silenced_alert_names_its_silence(api: Api) -> None:
    """And is active again when that has ended."""
    id_ = await silence(api, alertname="a")
    await post(api, labelled("a"))
    (alert,) = (await api.http.get(ALERTS)).json()
    assert (alert["status"]["state"], alert["status"]["silencedBy"]) == ("suppressed", [id_])
    assert (await api.http.delete(f"/api/v2/silence/{id_}")).status_code == 200
    assert (await api.http.get(ALERTS)).json()[0]["status"]["state"] == "active"


async def test_alerts_of_other_senders_are_found_as_well(api: Api) -> None:
    """By the labels that matchers see."""
    await api.http.post(GENERIC, json=own(service="web"))
    await api.http.post(ENQUEUE, json=trigger(payload={"component": "db"}))
    assert await shown(api, "filter=service=web") == ["5xx spike"]
    assert await shown(api, 'filter=alertname="disk full"&filter=severity=high') == ["disk full"]


async def test_groups_have_what_fires(api: Api) -> None:
    """By service and severity, with their receiver."""
    await post(api, labelled("a"), labelled("b"))
    (group,) = (await api.http.get(f"{ALERTS}/groups")).json()
    assert (group["labels"], group["receiver"]) == ({"service": "api", "severity": "critical"}, {"name": "opsgraph"})
    assert [alert["labels"]["alertname"] for alert in group["alerts"]] == ["a", "b"]


async def test_one_answer_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much fires; a client may ask for less. Alerts are read in several steps."""
    monkeypatch.setattr(alertmanager, "MOST_SHOWN", 5)
    monkeypatch.setattr(alertmanager, "_AT_ONCE", 2)
    await post(api, *(labelled(f"a{number}") for number in range(8)))
    assert len(await shown(api)) == 5
    assert await shown(api, "filter=alertname=a7") == ["a7"]


async def test_the_status_and_receivers_are_told(api: Api) -> None:
    """What amtool and Grafana ask before anything else."""
    status = (await api.http.get("/api/v2/status")).json()
    assert status["versionInfo"]["version"]
    assert status["cluster"] == {"name": "", "peers": [], "status": "disabled"}
    assert (await api.http.get("/api/v2/receivers")).json() == [{"name": "opsgraph"}]


READS = [ALERTS, f"{ALERTS}/groups", "/api/v2/receivers", "/api/v2/status", "/api/v2/silences"]


@pytest.mark.parametrize("path", READS)
async def test_reading_asks_for_the_role_of_a_viewer(api: Api, path: str) -> None:
    """A key that only sends reads nothing."""
    api.who.actor = Actor("sender", frozenset({Role.INGEST}))
    response = await api.http.get(path)
    assert (response.status_code, type(response.json())) == (403, str)
    api.who.actor = Actor("viewer", frozenset({Role.VIEWER}))
    assert (await api.http.get(path)).status_code == 200
