"""Values that are not what a field takes: each gets an answer that names the field, and nothing is written."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.contents import unchanged

TEAM_NAMES = ["مرحبا", "שלום עולם", "\u202eabc", "日本語", "😀👨\u200d👩\u200d👧", "Ünïcode", "e\u0301", "\u0e01\u0e33"]


async def problem(api: Api, mutation: str, **values: Any) -> dict[str, Any]:
    """Run a mutation that must be refused as data; gives the Problem."""
    async with unchanged(api.core.database):
        result = await api.do(mutation, **values)
    assert result.pop("__typename") == "Problem", result
    return result


async def error(api: Api, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send what must be refused before it is executed; gives the one error."""
    async with unchanged(api.core.database):
        answer = await api.send(document, variables)
    assert answer.keys() == {"errors"}
    (only,) = answer["errors"]
    assert only["extensions"]["code"] == "BAD_INPUT"
    assert only["locations"]
    found: dict[str, Any] = only
    return found


async def input_error(api: Api, mutation: str, **values: Any) -> str:
    """Send a mutation whose variables must be refused; gives the message."""
    kind = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ __typename }} }}"
    message: str = (await error(api, document, {"input": values}))["message"]
    return message


@pytest.fixture
async def service(api: Api) -> str:
    """The name of a service that is there."""
    await api.do("saveService", name="api")
    return "api"


@pytest.mark.parametrize(
    ("month", "said"),
    [
        ("2024-13", 'month "2024-13" does not exist: months are 01 to 12'),
        ("2024-00", 'month "2024-00" does not exist: months are 01 to 12'),
        ("2024-1", 'month "2024-1" is not written YYYY-MM, such as 2024-03'),
        ("1969-12", 'month "1969-12" is out of range; years 1970 to 2199 are accepted'),
    ],
)
async def test_a_month_that_does_not_exist_is_refused(api: Api, service: str, month: str, said: str) -> None:
    """Months are 01 to 12 of years that somebody is billed for."""
    refused = await problem(api, "recordCost", service=service, month=month, amount=1)
    assert refused == {"code": "INVALID", "message": said, "field": ["input", "month"], "details": None}


async def test_a_negative_budget_is_refused(api: Api, service: str) -> None:
    """A budget is 0 or more."""
    refused = await problem(api, "setCostBudget", service=service, budgetMonthly="-0.01")
    assert refused["message"] == "budgetMonthly is -0.01; a budget is 0 or more"
    assert refused["field"] == ["input", "budgetMonthly"]


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "Infinity", "-Infinity", "inf", "1e400", "1e100", "", " 1", "1,5", "٣"]
)
async def test_a_decimal_that_is_not_a_finite_number_is_refused(api: Api, service: str, text: str) -> None:
    """As a variable with its path, as a literal with its place."""
    message = await input_error(api, "recordCost", service=service, month="2024-01", amount=text)
    assert "at .amount: Decimal takes a finite number" in message
    literal = (
        f'mutation {{\n  recordCost(input: {{service: "api", month: "2024-01", amount: "{text}"}}) {{ __typename }}\n}}'
    )
    found = await error(api, literal)
    assert (found["message"].startswith("Decimal takes a finite number"), found["locations"][0]["line"]) == (True, 2)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1000000000000000000", "amount is too large; amounts are under 10^18"),
        (2**63, "amount is too large; amounts are under 10^18"),
        (10**30, "amount is too large; amounts are under 10^18"),
        ("-1e99", "amount is too large; amounts are under 10^18"),
        ("0.1234567890123456789", "amount has 19 decimals; at most 18 are kept"),
        ("1e-99", "amount has 99 decimals; at most 18 are kept"),
    ],
)
async def test_an_amount_that_cannot_be_kept_exactly_is_refused(
    api: Api, service: str, amount: str | int, said: str
) -> None:
    """Neither cut nor rounded."""
    refused = await problem(api, "recordCost", service=service, month="2024-01", amount=amount)
    assert (refused["message"], refused["field"]) == (said, ["input", "amount"])


async def test_the_largest_and_the_finest_amount_come_back_as_they_were_sent(api: Api, service: str) -> None:
    """18 digits on either side of the point."""
    amount = "999999999999999999.999999999999999999"
    await api.do("recordCost", service=service, month="2024-01", amount=amount)
    data = await api.data('{ service(name: "api") { cost { latest } } }')
    assert data["service"]["cost"]["latest"] == amount


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "99.9", True, [99.9, 1], {}])
async def test_a_float_that_is_not_a_number_is_refused(api: Api, service: str, number: Any) -> None:
    """Not as a text, either."""
    message = await input_error(api, "saveSlo", service=service, name="a", target=number)
    assert "at .target: Float cannot represent non numeric value" in message


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "1" * 400])
async def test_a_float_literal_beyond_every_double_is_refused(api: Api, service: str, literal: str) -> None:
    """GraphQL reads it as an infinity; the rule does not take one."""
    document = (
        f'mutation {{ saveSlo(input: {{service: "api", name: "a", target: {literal}}})'
        " { ... on Problem { code field } } }"
    )
    async with unchanged(api.core.database):
        data = await api.data(document)
    assert data["saveSlo"] == {"code": "INVALID", "field": ["input", "target"]}


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**53, 2**63, 2**64, 10**30, 10**300])
async def test_integers_beyond_32_bits_are_refused(api: Api, service: str, number: int) -> None:
    """As a variable with its path, as a literal with its place."""
    message = await input_error(api, "saveService", name=service, tier=number)
    assert "at .tier: Int cannot represent non 32-bit signed integer value" in message
    found = await error(api, f'mutation {{ saveService(input: {{name: "api", tier: {number}}}) {{ __typename }} }}')
    assert "Int cannot represent non 32-bit signed integer value" in found["message"]


async def test_an_integer_of_5000_digits_is_refused_like_any_other(api: Api, service: str) -> None:
    """Although Python itself refuses to read it; the message is cut."""
    found = await error(
        api, f'mutation {{ saveService(input: {{name: "api", tier: {"1" * 5_000}}}) {{ __typename }} }}'
    )
    assert found["message"].startswith("Expected value of type 'Int'; found: 111")
    assert len(found["message"]) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        "2026",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-02-30T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2024-01-01T00:00:00+25:00",
        "2024-06-30T23:59:60Z",
        "now",
        "",
    ],
)
async def test_a_date_that_is_not_an_instant_is_refused(api: Api, service: str, text: str) -> None:
    """No bare year, no missing zone, no date that does not exist; as a variable and as a literal."""
    message = await input_error(api, "recordDeployment", service=service, version="1", deployedAt=text)
    assert "at .deployedAt: DateTime " in message
    assert f'"{text}"' in message
    literal = f'recordDeployment(input: {{service: "api", version: "1", deployedAt: "{text}"}}) {{ __typename }}'
    assert f'"{text}"' in (await error(api, f"mutation {{ {literal} }}"))["message"]


async def test_a_number_is_not_a_date(api: Api, service: str) -> None:
    """Seconds since 1970 are not guessed at."""
    message = await input_error(api, "recordDeployment", service=service, version="1", deployedAt=1_700_000_000)
    assert "at .deployedAt: DateTime takes RFC 3339 with a zone" in message


@pytest.mark.parametrize("text", ["nul\0nul", "\0", "a\0"])
async def test_a_nul_is_refused_wherever_it_stands(api: Api, service: str, text: str) -> None:
    """In names, texts, lists and nested inputs of mutations; PostgreSQL could not even compare with it."""
    inputs: list[tuple[str, list[str], dict[str, Any]]] = [
        ("saveTeam", ["name"], {"name": text}),
        ("saveTeam", ["title"], {"name": "a", "title": text}),
        ("saveService", ["description"], {"name": "api", "description": text}),
        ("saveService", ["team"], {"name": "api", "team": text}),
        ("saveService", ["dependsOn", "0"], {"name": "api", "dependsOn": [text]}),
        ("saveService", ["links", "1", "url"], {"name": "api", "links": [LINK, {"title": "a", "url": text}]}),
        ("recordCost", ["service"], {"service": text, "month": "2024-01", "amount": 1}),
        ("recordSloEvents", ["slo"], {"service": "api", "slo": text, "good": 1, "total": 1}),
        ("recordDeployment", ["idempotencyKey"], {"service": "api", "version": "1", "idempotencyKey": text}),
    ]
    for mutation, path, values in inputs:
        refused = await problem(api, mutation, **values)
        assert (refused["code"], refused["field"]) == ("INVALID", ["input", *path])
        assert f"{'.'.join(['input', *path])} contains the character U+0000" in refused["message"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("query ($text: String!) { team(name: $text) { name } }", ["name"]),
        ("query ($text: String!) { services(filter: {names: [$text]}) { totalCount } }", ["filter", "names", "0"]),
        ("query ($text: String!) { services(filter: {search: $text}) { totalCount } }", ["filter", "search"]),
        (
            'query ($text: String = "") { team(name: "\\u0000") { name title } services(after: $text) { totalCount } }',
            ["name"],
        ),
        (
            'query ($text: String = "") { team(name: "\\u{0}") { name title } services(after: $text) { totalCount } }',
            ["name"],
        ),
    ],
)
async def test_a_nul_is_refused_in_queries(api: Api, document: str, place: list[str]) -> None:
    """As a variable, and as both of GraphQL's escapes."""
    answer = await api.send(document, {"text": "a\0b"})
    found = answer["errors"][0]
    assert (found["extensions"]["code"], found["extensions"]["field"]) == ("BAD_INPUT", place)


LINK = {"title": "Runbook", "url": "https://example.org"}


@pytest.mark.parametrize("name", TEAM_NAMES)
async def test_names_in_every_script_come_back_as_they_were_sent(api: Api, service: str, name: str) -> None:
    """Right to left, emoji and combining characters in names of teams and SLOs and in titles."""
    await api.do("saveTeam", name=name, title=name)
    await api.do("saveService", name=service, title=name, description=name, team=name, tags=[name])
    await api.do("saveSlo", service=service, name=name, target=99.9)
    data = await api.data(
        '{ service(name: "api") { title description tags team { name title } slos { nodes { name } } } }'
    )
    composed = "é" if name == "e\u0301" else name
    assert data["service"] == {
        "title": composed,
        "description": name,
        "tags": [composed],
        "team": {"name": composed, "title": composed},
        "slos": {"nodes": [{"name": composed}]},
    }
    assert (await api.data("query ($name: String!) { team(name: $name) { name } }", name=name))["team"]
