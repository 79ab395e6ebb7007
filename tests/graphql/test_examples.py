"""The example operations of the built-in GraphiQL answer on the worked example."""

from collections.abc import Iterator
from typing import Any

from graphql import OperationDefinitionNode, parse

from opsgraph.web.routes import FOLDER
from tests.journeys.test_worked_example import enter_worked_example
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.event_streams import COMMENT, streamed

STATIC = FOLDER / "static"
EXAMPLES = {path.stem: path.read_text() for path in sorted((STATIC / "examples").glob("*.graphql"))}
FEED = "alert-feed"


def problems_in(answer: Any) -> Iterator[dict[str, Any]]:
    """Every refusal in an answer, however deep."""
    if isinstance(answer, dict):
        if {"code", "message"} <= answer.keys():
            yield answer
        answer = list(answer.values())
    if isinstance(answer, list):
        for member in answer:
            yield from problems_in(member)


def test_graphiql_offers_every_example() -> None:
    """Queries, mutations and a subscription, none of which needs variables."""
    script = (STATIC / "graphiql.js").read_text()
    assert [name for name in EXAMPLES if f'"{name}"' not in script] == []
    definitions = [node for text in EXAMPLES.values() for node in parse(text).definitions]
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    assert {operation.operation.value for operation in operations} == {"query", "mutation", "subscription"}
    assert [operation for operation in operations if operation.variable_definitions] == []


async def test_every_example_answers_without_errors_and_problems(api: Api, clock: TestClock) -> None:
    """On the worked example, and once more in reverse on what the examples themselves have saved."""
    clock.move(days=365)  # they name days of 2025
    await enter_worked_example(api)
    answering = [name for name in EXAMPLES if name != FEED]
    for name in [*answering, *reversed(answering)]:
        data = await api.data(EXAMPLES[name])
        assert list(problems_in(data)) == [], name


async def test_the_example_of_one_service_shows_the_service_that_another_saves(api: Api, clock: TestClock) -> None:
    """Null before, everything after."""
    clock.move(days=365)
    assert await api.data(EXAMPLES["service"]) == {"service": None}
    for name in ("save-service", "record-facts"):
        await api.data(EXAMPLES[name])
    service = (await api.data(EXAMPLES["service"]))["service"]
    assert (service["name"], service["tags"], service["cost"]["latest"]) == ("example-shop", ["example"], "420.5")
    assert [node["version"] for node in service["deployments"]["nodes"]] == ["1.4.2"]


async def test_the_example_of_a_feed_shows_the_alert_that_another_reports(api: Api, clock: TestClock) -> None:
    """As GraphiQL asks for it: by POST, reading either kind of answer."""
    clock.move(days=365)
    both = {"accept": "application/graphql-response+json, application/json, text/event-stream"}
    async with streamed(api.app, EXAMPLES[FEED], headers=both) as answer:
        assert await answer.event() == COMMENT
        await api.data(EXAMPLES["report-alert"])
        event = (await answer.result())["data"]["alertFeed"]
    assert (event["kind"], event["alert"]["message"]) == ("FIRED", "Payments time out")
    assert event["alert"]["incident"]["status"] == "OPEN"
