"""docs/readiness.md: its story comes out as it is told, and its tables say what the code says."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.domains.readiness.rules import manifests, policies
from opsgraph.graphql.rights import ROLES
from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.settings import Settings
from opsgraph.workflows.readiness.facts import SECTIONS
from tests.packaging import ROOT
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.event_streams import streamed

PAGE = (ROOT / "docs" / "readiness.md").read_text(encoding="utf-8")
STORY = re.findall(r"```graphql\n(.*?)```\n(?:\n```json\n(.*?)```)?", PAGE, re.DOTALL)
SENDER = re.compile(r"# (\w+), (\w+)\n")
TOLD = datetime(2030, 3, 15, 12, tzinfo=UTC)
"""When the story happens."""


def table(header: str) -> list[list[str]]:
    """The rows of the table with this header, as their cells."""
    _, _, rest = PAGE.partition(f"\n{header}\n|---")
    assert rest, header
    rows, _, _ = rest.partition("\n\n")
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows.split("\n")[1:]]


def names(cell: str) -> list[str]:
    """What stands between back quotes."""
    return re.findall(r"`([^`]+)`", cell)


def sender(operation: str) -> Actor:
    """Who sends an operation, by its first line; anyone who may do everything if it has none."""
    found = SENDER.match(operation)
    return Actor(found[1], frozenset({Role[found[2]]})) if found else LOCAL


def shows(answered: Any, told: Any) -> bool:
    """Whether what is told is part of what was answered: fields may be left out, members of lists may not."""
    if isinstance(told, dict):
        return isinstance(answered, dict) and all(key in answered and shows(answered[key], told[key]) for key in told)
    if isinstance(told, list):
        return len(answered) == len(told) and all(map(shows, answered, told))
    return bool(answered == told)


async def tell(api: Api, clock: TestClock) -> None:
    """Send every operation of the page in its order, and compare."""
    clock.move(seconds=(TOLD - clock.now()).total_seconds())
    for operation, told in STORY:
        if operation.startswith("subscription"):
            continue
        api.who.actor = sender(operation)
        answered = await api.data(operation)
        if told:
            assert shows(answered, json.loads(told)), (operation, answered)
        clock.move(minutes=1)


async def test_the_story_comes_out_as_it_is_told(api: Api, clock: TestClock) -> None:
    """Every operation answers with what stands below it."""
    assert len(STORY) >= 10
    await tell(api, clock)


async def test_the_feed_of_the_page_tells_of_the_end_of_the_override(api: Api, clock: TestClock) -> None:
    """Followed as printed."""
    await tell(api, clock)
    (subscription,) = [operation for operation, _ in STORY if operation.startswith("subscription")]
    api.who.actor = LOCAL
    async with streamed(api.app, subscription) as answer:
        await answer.event()
        await api.data('mutation { revokeReadinessOverride(input: { service: "checkout" }) { __typename } }')
        event = (await answer.result())["data"]["readinessFeed"]
    assert event | {"cursor": ""} == {
        "cursor": "",
        "kind": "OVERRIDE_ENDED",
        "previousDecision": "CONDITIONAL_GO",
        "effectiveDecision": "NO_GO",
        "service": {"name": "checkout"},
    }


async def test_the_first_verdict_of_the_readme_comes_out_as_it_says(api: Api) -> None:
    """What it sends is taken, and what it asks is answered, with the gate's evaluation in between."""
    section = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("## A first verdict\n")[2].partition("\n## ")[0]
    )
    declare, ask = (json.loads(body, strict=False)["query"] for body in re.findall(r"-d '({.*?})'", section, re.DOTALL))
    await api.do("saveService", name="payments")
    assert await api.data(declare) == {"declareManifest": {"__typename": "Service"}}
    await api.data('mutation { evaluateReadiness(service: "payments") { __typename } }')
    readiness = (await api.data(ask))["service"]["readiness"]
    assert readiness["decision"] == "NO_GO"
    assert {"authentication", "secret_scanning"} <= {result["check"]["name"] for result in readiness["toGo"]}


def test_the_fields_are_those_that_can_be_declared() -> None:
    """With their types."""
    types = {name: kind for cell, kind, _ in table("| field | type | asks |") for name in names(cell)}
    assert types == {name: kind.value for name, kind in manifests.DECLARED.items()}


def test_the_sections_are_those_that_are_measured() -> None:
    """With their fields, and how old their facts may be."""
    told = {
        names(cell)[0]: (names(fields), age) for cell, fields, age in table("| section | fields | is too old after |")
    }
    assert told == {section.name: ([*section.fields], shown(section.max_age)) for section in SECTIONS}


def shown(age: timedelta | None) -> str:
    """An age as the page has it."""
    if age is None:
        return "-"
    return f"{age.days} days" if age.days else f"{age // timedelta(hours=1)} hour"


def test_the_built_in_checks_are_those_of_the_policy() -> None:
    """Each with its category and what it asks."""
    told = [(names(name)[0], category, asks) for name, category, asks in table("| check | category | asks |")]
    assert told == [(check.name, check.category.value, check.description) for check in policies.DEFAULT.checks]
    assert [check.name for check in policies.DEFAULT.checks if not (check.why and check.fix)] == []


def test_who_may_what_is_as_the_schema_has_it() -> None:
    """The roles of each mutation about readiness; the page names them all."""
    mutation: Any = build_schema(Settings())._schema.mutation_type
    told = {name: set(asked.split(" or ")) for acts, asked, *_ in table("| act | asks for | |") for name in names(acts)}
    definitions = {name: field.extensions["strawberry-definition"] for name, field in mutation.fields.items()}
    assert told == {name: {role.value for role in definitions[name].metadata[ROLES]} for name in told}
    assert {name for name in definitions if "eadiness" in name or "Manifest" in name or "Duty" in name} == told.keys()


EXPRESSIONS = [names(cell)[0] for cell, _ in table("| expression | passes where |")]


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_every_expression_compiles(api: Api, expression: str) -> None:
    """As an admin would save it."""
    values = {"name": "Check", "category": "OPERATIONS", "expression": expression}
    document = "mutation ($input: SaveReadinessCheckInput!) { saveReadinessCheck(input: $input) { __typename } }"
    assert await api.data(document, input=values) == {"saveReadinessCheck": {"__typename": "ReadinessPolicy"}}


def test_the_expressions_use_every_field() -> None:
    """Whatever can be asked, there is an example of it."""
    fields: Mapping[str, FieldType] = manifests.fields(SECTIONS)
    used = {name for expression in EXPRESSIONS for name in re.findall(r"manifest(?:\.\w+)+", expression)}
    assert [name for name in fields if not any(f"{one}.".startswith(f"{name}.") for one in used)] == []


def test_every_page_that_it_leads_to_exists() -> None:
    """Within the repository."""
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
