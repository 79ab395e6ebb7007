"""Silences by Alertmanager's API."""

from typing import Any
from uuid import uuid4

import pytest

from opsgraph.kernel.actor import Actor, Role
from tests.support.api import Api
from tests.support.clock import TestClock

SILENCES = "/api/v2/silences"
BODY = {
    "matchers": [{"name": "service", "value": "api", "isRegex": False, "isEqual": True}],
    "startsAt": "2024-03-15T12:00:00.000Z",
    "endsAt": "2024-03-15T13:00:00.000Z",
    "createdBy": "alice",
    "comment": "maintenance",
}


async def made(api: Api, **values: Any) -> str:
    """Post a silence that is accepted; gives its id."""
    response = await api.http.post(SILENCES, json={**BODY, **values})
    assert response.status_code == 200, response.text
    id_: str = response.json()["silenceID"]
    return id_


async def listed(api: Api, query: str = "") -> list[tuple[str, str]]:
    """Comments and states of the silences that clients are shown."""
    response = await api.http.get(f"{SILENCES}?{query}")
    assert response.status_code == 200, response.text
    return [(silence["comment"], silence["status"]["state"]) for silence in response.json()]


async def test_a_silence_is_made_and_read_again(api: Api) -> None:
    """As it was posted, with an id."""
    id_ = await made(api)
    one = (await api.http.get(f"/api/v2/silence/{id_}")).json()
    assert [one] == (await api.http.get(SILENCES)).json()
    assert (one["id"], one["matchers"], one["status"]) == (id_, BODY["matchers"], {"state": "active"})
    assert (one["createdBy"], one["comment"]) == ("alice", "maintenance")
    assert (one["startsAt"], one["endsAt"]) == ("2024-03-15T12:00:00Z", "2024-03-15T13:00:00Z")


async def test_it_is_the_same_that_graphql_knows(api: Api) -> None:
    """Made here, seen there."""
    await made(api)
    data = await api.data("{ silences { nodes { createdBy reason active matchers { label value } } } }")
    (node,) = data["silences"]["nodes"]
    assert node == {
        "createdBy": "alice",
        "reason": "maintenance",
        "active": True,
        "matchers": [{"label": "service", "value": "api"}],
    }


async def test_it_is_ended(api: Api) -> None:
    """200 with an empty body; again changes nothing."""
    id_ = await made(api)
    for _ in range(2):
        response = await api.http.delete(f"/api/v2/silence/{id_}")
        assert (response.status_code, response.content) == (200, b"")
    assert await listed(api) == [("maintenance", "expired")]


async def test_it_is_changed_by_its_id(api: Api) -> None:
    """In place where nothing of the past changes; other matchers make another one."""
    id_ = await made(api)
    assert await made(api, id=id_, comment="longer", endsAt="2024-03-15T14:00:00Z") == id_
    other = [{"name": "service", "value": "web", "isRegex": False}]
    assert await made(api, id=id_, comment="other", matchers=other) != id_
    assert await listed(api) == [("other", "active"), ("longer", "expired")]


async def test_silences_are_listed_by_their_states(api: Api, clock: TestClock) -> None:
    """Those in force first, by their end; then those to come, then those that are over."""
    await made(api, comment="short", endsAt="2024-03-15T12:00:01Z")
    clock.move(minutes=1)
    await made(api, comment="later", startsAt="2024-03-15T18:00:00Z", endsAt="2024-03-15T19:00:00Z")
    await made(api, comment="long", endsAt="2024-03-15T15:00:00Z")
    await made(api, comment="now")
    expected = [("now", "active"), ("long", "active"), ("later", "pending"), ("short", "expired")]
    assert await listed(api) == expected


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 1), ("filter=service=api", 1), ('filter=service="web"', 0), ("filter=service=~a.*", 1), ("filter=x=", 1)],
)
async def test_silences_are_found_by_their_matchers(api: Api, query: str, count: int) -> None:
    """As if the values were labels."""
    await made(api)
    assert len(await listed(api, query)) == count


async def test_what_is_in_force_is_always_listed(api: Api, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the others the newest, as many as fit."""
    monkeypatch.setattr("opsgraph.http.alertmanager_silences._PAGES", 2)
    monkeypatch.setattr("opsgraph.http.alertmanager_silences.LARGEST_SIZE", 1)
    await made(api, comment="old")
    for number in range(3):
        clock.move(seconds=1)
        await made(api, comment=f"later {number}", startsAt="2024-03-15T12:30:00Z")
    assert sorted(comment for comment, _ in await listed(api)) == ["later 1", "later 2", "old"]


@pytest.mark.parametrize(
    "values",
    [
        {"matchers": []},
        {"matchers": [{"name": "service", "value": "(", "isRegex": True}]},
        {"matchers": [{"name": "service", "value": "", "isRegex": False}]},
        {"endsAt": "2024-03-15T11:00:00Z"},
        {"endsAt": None},
        {"startsAt": "2024-03-15T14:00:00Z"},
        {"id": "no-uuid"},
    ],
)
async def test_what_is_no_silence_is_refused(api: Api, values: dict[str, Any]) -> None:
    """With a JSON string; nothing is stored."""
    response = await api.http.post(SILENCES, json={**BODY, **values})
    assert (response.status_code, type(response.json())) == (400, str)
    assert await listed(api) == []


async def test_what_does_not_exist_is_not_found(api: Api) -> None:
    """404, by whichever way; an id that is none is refused."""
    path = f"/api/v2/silence/{uuid4()}"
    answers = [await api.http.get(path), await api.http.delete(path)]
    answers.append(await api.http.post(SILENCES, json={**BODY, "id": str(uuid4())}))
    assert [answer.status_code for answer in answers] == [404] * 3
    assert (await api.http.get("/api/v2/silence/7")).status_code == 400
    assert (await api.http.delete("/api/v2/silence/7")).status_code == 400


async def test_silences_ask_for_the_role_of_a_responder(api: Api) -> None:
    """Neither viewers nor keys that send may make or end one."""
    id_ = await made(api)
    api.who.actor = Actor("other", frozenset({Role.VIEWER, Role.INGEST}))
    assert (await api.http.post(SILENCES, json=BODY)).status_code == 403
    assert (await api.http.delete(f"/api/v2/silence/{id_}")).status_code == 403
    assert await listed(api) == [("maintenance", "active")]


async def test_a_silence_of_nobody_is_of_who_asked(api: Api) -> None:
    """Where the body does not say who made it."""
    await made(api, createdBy="")
    assert (await api.http.get(SILENCES)).json()[0]["createdBy"] == "local"
