"""Documents that ask for too much, for what there is not, or in the wrong types: refused before anything is loaded."""

import time
from typing import Any

import pytest

from tests.support.api import BAD_INPUT, Api
from tests.support.contents import unchanged
from tests.support.statements import statements

LINKS = [{"title": "Runbook", "url": "https://example.org"}]


async def refused(api: Api, document: str, variables: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Send what must be refused before it touches the database; gives the errors."""
    with statements(api.core.database) as seen:
        answer = await api.send(document, variables)
    assert answer.keys() == {"errors"}
    assert not seen
    errors: list[dict[str, Any]] = answer["errors"]
    return errors


@pytest.mark.parametrize("levels", [21, 200, 5_000])
async def test_a_query_that_is_nested_deeply_is_refused(api: Api, levels: int) -> None:
    """Just above the limit, at 200 levels, and beyond what any parser could recurse into."""
    document = "{ " + "team { " * (levels - 1) + "name" + " }" * levels
    (error,) = await refused(api, document)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["extensions"]["limit"] == "levels of depth"


async def test_5000_aliases_are_refused(api: Api) -> None:
    """They are already too many tokens."""
    (error,) = await refused(api, "{" + " ".join(f"a{n}: viewer {{ name }}" for n in range(5_000)) + "}")
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "tokens")


async def test_101_aliases_are_refused_and_100_are_not(api: Api) -> None:
    """Well within the limit of tokens."""
    aliases = [f"a{n}: __typename" for n in range(101)]
    (error,) = await refused(api, f"{{ {' '.join(aliases)} }}")
    assert error["message"] == "the operation exceeds the limit of 100 aliases: it has 101"
    assert len(await api.data(f"{{ {' '.join(aliases[:100])} }}")) == 100


async def test_51_directives_are_refused_and_50_are_not(api: Api) -> None:
    """On fields, fragments and operations together."""
    fields = ["viewer { name @include(if: true) }"] * 49 + ["...F @skip(if: false)"]
    fragment = " fragment F on Query { viewer { name } }"
    assert await api.data(f"{{ {' '.join(fields)} }} {fragment}") == {"viewer": {"name": "local"}}
    (error,) = await refused(api, f"{{ {' '.join(fields)} ... @include(if: true) {{ viewer {{ name }} }} }} {fragment}")
    assert error["message"] == "the operation exceeds the limit of 50 directives: it has 51"


@pytest.mark.parametrize(
    "document",
    [
        "{" + " services { nodes { name } }" * 700 + "}",
        "{" + " __typename" * 4_900 + "}",
    ],
    ids=["fields", "names"],
)
async def test_a_document_that_repeats_itself_is_given_up(api: Api, document: str) -> None:
    """Comparing everything with everything is bounded, and the answer says so."""
    (error,) = await refused(api, document)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "repeats too many fields or fragments" in error["message"]


async def test_fragments_that_spread_each_other_twice_cost_no_more_than_once(api: Api) -> None:
    """Twenty-four of them have 16 million paths; a document of a few lines must not hold the process up."""
    chain = " ".join(f"fragment F{n} on ServiceConnection {{ ...F{n + 1} ...F{n + 1} }}" for n in range(24))
    started = time.process_time()
    data = await api.data(f"{{ services {{ ...F0 }} }} {chain} fragment F24 on ServiceConnection {{ totalCount }}")
    assert data == {"services": {"totalCount": 0}}
    assert time.process_time() - started < 2


async def test_fragments_that_contain_themselves_are_refused(api: Api) -> None:
    """Directly and through each other."""
    first = await refused(api, "{ ...A } fragment A on Query { viewer { name } ...A }")
    both = await refused(api, "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")
    assert "within itself" in first[0]["message"]
    assert "within itself" in both[0]["message"]


@pytest.mark.parametrize(
    ("document", "said", "column"),
    [
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'.", 3),
        ("{ viewer { nam } }", "Cannot query field 'nam' on type 'Viewer'. Did you mean 'name'?", 12),
        ("{ viewer }", "Field 'viewer' of type 'Viewer' must have a selection of subfields.", 3),
        (
            "{ viewer { name { x } } }",
            "Field 'name' must not have a selection since type 'String!' has no subfields.",
            17,
        ),
        ("{ services(limit: 5) { totalCount } }", "Unknown argument 'limit' on field 'Query.services'.", 12),
        ("{ service { name } }", "Argument 'Query.service(name:)' of type 'String!' is required", 3),
        ("{ viewer @nope { name } }", "Unknown directive '@nope'.", 10),
        ("{ ...F }", "Unknown fragment 'F'.", 6),
        ("query ($a: Nope) { team(name: $a) { name } }", "Unknown type 'Nope'.", 12),
        ("{ team(name: $a) { name } }", "Variable '$a' is not defined.", 14),
    ],
)
async def test_what_is_not_in_the_schema_is_named_with_its_place(
    api: Api, document: str, said: str, column: int
) -> None:
    """Fields, arguments, directives, fragments, types and variables."""
    error = (await refused(api, document))[0]
    assert said in error["message"]
    assert error["locations"][0] == {"line": 1, "column": column}
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_a_field_that_an_input_does_not_have_is_named(api: Api) -> None:
    """Nothing that was sent is silently dropped, however deep it stands."""
    document = "mutation ($input: SaveServiceInput!) { saveService(input: $input) { __typename } }"
    top = await refused(api, document, {"input": {"name": "api", "owner": "platform"}})
    assert "not to include unknown field 'owner'" in top[0]["message"]
    deep = await refused(api, document, {"input": {"name": "api", "links": [{**LINKS[0], "colour": "red"}]}})
    assert "at .links[0]: " in deep[0]["message"]
    assert "'colour'" in deep[0]["message"]


SLO = 'saveSlo(input: {service: "a", name: "a", target: $value}) { __typename }'
DEPLOYMENT = 'recordDeployment(input: {service: "a", version: "1", deployedAt: $value}) { __typename }'
COST = 'recordCost(input: {service: "a", month: "2024-01", amount: $value}) { __typename }'
WRONG: dict[str, tuple[str, str, list[Any]]] = {
    "String": ("query", "team(name: $value) { name }", [1, 1.5, True, ["a", "b"], {"a": 1}]),
    "Int": ("query", "services(first: $value) { totalCount }", ["1", 1.5, True, [1, 2], {}]),
    "Float": ("mutation", SLO, ["1", True, [1, 2], {}]),
    "Boolean": ("query", "viewer { name @include(if: $value) }", ["true", 1, 0, [True, False], {}]),
    "ID": ("query", "node(id: $value) { id }", [1.5, True, ["a", "b"], {}]),
    "DateTime": ("mutation", DEPLOYMENT, [1, True, ["2024-01-01T00:00:00Z", "x"], {}]),
    "Decimal": ("mutation", COST, [True, ["1", "2"], {}]),
    "ServiceOrder": ("query", "services(orderBy: $value) { totalCount }", ["SIZE", "name", 1, True, {}]),
    "SaveTeamInput": ("mutation", "saveTeam(input: $value) { __typename }", ["platform", 1, ["platform"]]),
    "[String!]": ("query", "services(filter: {names: $value}) { totalCount }", [[1], [["a"]], [None], {"a": "b"}]),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_values_of_the_wrong_type_are_refused(api: Api, kind: str) -> None:
    """Nothing is converted for the client: each scalar, an enum, an input and a list, with the variable named."""
    operation, field, values = WRONG[kind]
    for value in [None, *values]:
        error = (await refused(api, f"{operation} ($value: {kind}!) {{ {field} }}", {"value": value}))[0]
        assert "$value" in error["message"], value
        assert error["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 64, "name has 64 characters; an RFC 1123 label has at most 63"),
        ("x" * 10_000, "name has 10000 characters; an RFC 1123 label has at most 63"),
        ("مرحبا", 'name "مرحبا" is not an RFC 1123 label'),
        ("shop😀", 'name "shop😀" is not an RFC 1123 label'),
        ("\u202eshop", 'name "\\u202eshop" is not an RFC 1123 label'),
        ("a_b", "letters, digits and hyphens, beginning and ending with a letter or digit"),
        ("-a", "letters, digits and hyphens, beginning and ending with a letter or digit"),
        ("", "letters, digits and hyphens, beginning and ending with a letter or digit"),
    ],
)
async def test_a_service_name_that_is_no_label_is_refused_with_the_reason(api: Api, name: str, said: str) -> None:
    """Hidden characters are shown as escapes."""
    async with unchanged(api.core.database):
        result = await api.do("saveService", name=name)
    assert (result["code"], result["field"]) == ("INVALID", ["input", "name"])
    assert said in result["message"]


async def test_a_name_of_10000_characters_is_refused_for_what_it_is(api: Api) -> None:
    """The message gives its length and does not repeat it; the longest name is 200 characters."""
    async with unchanged(api.core.database):
        result = await api.do("saveTeam", name="x" * 10_000)
    assert result["message"] == "name has 10000 characters; at most 200 are accepted"
    assert (await api.do("saveTeam", "name", name="😀" * 200))["name"] == "😀" * 200


async def test_a_filter_with_thousands_of_values_is_refused(api: Api) -> None:
    """More than a statement of either database could take; 1,000 are fine."""
    document = "query ($names: [String!]) { services(filter: {names: $names}) { totalCount } }"
    answer = await api.send(document, {"names": [f"service-{n}" for n in range(40_000)]})
    (error,) = answer["errors"]
    assert error["message"] == "names has 40,000 values; at most 1,000 are accepted"
    assert error["extensions"] == {**BAD_INPUT, "field": ["filter", "names"]}
    assert await api.data(document, names=[f"service-{n}" for n in range(1_000)]) == {"services": {"totalCount": 0}}
