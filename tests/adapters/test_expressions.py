"""What expressions can say, what they come to, and how they are refused."""

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.kernel.refusals import Invalid
from tests.support.expressions import FIELDS, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


async def outcome(sandbox: Sandbox, text: str, bound: Mapping[str, Any]) -> Evaluated:
    """What one expression comes to."""
    ((found,),) = await sandbox.evaluate([text], FIELDS, [bound])
    return found


async def refusal(sandbox: Sandbox, text: str) -> Invalid:
    """How an expression is refused."""
    with pytest.raises(Invalid) as refused:
        await sandbox.check(text, FIELDS)
    return refused.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("manifest.structured_logs && !manifest.metrics", True),
        ("manifest.metrics", False),
        ("manifest.runbook_url.startsWith('https://')", True),
        ("manifest.runbook_url.matches('^https?://runbooks[.]')", True),
        ("manifest.service.team in ['platform', 'core']", True),
        ("'pci' in manifest.service.tags && manifest.service.tags.size() == 2", True),
        ("manifest.service.tags.exists(tag, tag.startsWith('us'))", False),
        ("manifest.slo.count >= 3", True),
        ("manifest.cost.monthly < 100.0", True),
        ("manifest.custom.regions.all(region, region in ['eu', 'us'])", True),
        ("has(manifest.custom.owner) && manifest.custom.owner != ''", False),
        ("manifest.custom['data-class'] == 'internal'", True),
        ("manifest.custom.replicas >= 2 ? manifest.structured_logs : false", True),
        ("// what it costs\nmanifest.cost.monthly == 12.5", True),
    ],
)
async def test_an_expression_over_each_type_of_field(sandbox: Sandbox, text: str, value: bool) -> None:
    """It is accepted, and comes to what it says."""
    await sandbox.check(text, FIELDS)
    bound = values(regions=["eu"], replicas=2, **{"data-class": "internal"})
    assert await outcome(sandbox, text, bound) == Evaluated(value=value)


@pytest.mark.parametrize("kind", FieldType)
async def test_every_type_of_field_is_one_of_the_evaluator(sandbox: Sandbox, kind: FieldType) -> None:
    """An expression can name a field of it, and knows its type."""
    await sandbox.check("dyn(manifest.field) == dyn(manifest.field)", {"manifest.field": kind})
    with pytest.raises(Invalid, match=r"line 1, column 16: == does not take"):
        await sandbox.check("manifest.field == b'1'", {"manifest.field": kind})


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("manifest.structured_log", '"manifest.structured_log" is not known; did you mean', (1, 9)),
        ("true\n  && manifest.slo.cuont > 1", "did you mean manifest.slo.count?", (2, 18)),
        ("manifest.structured_logs > 1", "> does not take (bool, int)", (1, 26)),
        ("manifest.cost.monthly > 1", "> does not take (double, int); write the number with a point, as 1.0", (1, 23)),
        ("manifest.service.team == 7", "== does not take (string, int)", (1, 23)),
        ("manifest.service.tags[0] == 7", "== does not take (string, int)", (1, 26)),
        ("manifest.structured_logs ||", "Syntax error: mismatched input '<EOF>'", (1, 28)),
        ("manifest.slo.count > 99999999999999999999", "invalid int literal", (1, 22)),
        ("manifest == 1", "manifest is no value of its own; name one of its fields", (1, 1)),
        ("has(manifest.slo)", '"manifest.slo" is not known', (1, 4)),
        ("'é😀' == manifest.metric", "did you mean manifest.metrics?", (1, 17)),
    ],
)
async def test_what_does_not_compile_is_refused_with_its_place(
    sandbox: Sandbox, text: str, message: str, place: tuple[int, int]
) -> None:
    """Lines and columns from 1, columns in characters."""
    refused = await refusal(sandbox, text)
    assert message in refused.message
    assert refused.message.startswith(f"expression, line {place[0]}, column {place[1]}: ")
    assert refused.details == {"line": place[0], "column": place[1]}
    assert refused.field == ("expression",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("manifest.slo.count", "comes to int, and has to come to bool"),
        ("manifest.runbook_url", "comes to string, and has to come to bool"),
        ("manifest.custom.flag", "comes to dyn, and has to come to bool; compare it with something, as in"),
        ("", "expression is empty"),
        (" \n ", "expression is empty"),
        ("x" * 2_001, "expression has 2001 characters; at most 2000 are accepted"),
        ("true\0", "expression contains the character U+0000 at position 4"),
        ("'\ud800' == ''", "expression contains the character U+D800 at position 1"),
    ],
)
async def test_what_is_no_condition_is_refused(sandbox: Sandbox, text: str, message: str) -> None:
    """It has no place, or is wrong as a whole."""
    refused = await refusal(sandbox, text)
    assert message in refused.message
    assert refused.field == ("expression",)
    assert (await outcome(sandbox, text, values(flag=1))).value is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("manifest.custom.replicas > 1", 'Key not found in map : "replicas"'),
        ("1 / (manifest.slo.count - 3) == 1", "divide by zero"),
        ("1 % (manifest.slo.count - 3) == 1", "modulus by zero"),
        ("manifest.slo.count + 9223372036854775807 > 0", "integer overflow"),
        ("manifest.service.tags[2] == 'eu'", "index=2 size=2"),
        ("int(manifest.service.team) > 1", "cannot convert string to int"),
        ("manifest.service.team.matches('(')", "missing ): ("),
        ("manifest.custom.text > 1", "No matching overloads found"),
        ("manifest.custom.text ? true : false", "No matching overloads found"),
        ("dyn(manifest.slo.count) == 3 ? manifest.custom.text : true", "comes to string, not to bool"),
        ("manifest.slo.cuont > 1", '"manifest.slo.cuont" is not known'),
    ],
)
async def test_what_goes_wrong_is_an_error_in_its_place(sandbox: Sandbox, text: str, error: str) -> None:
    """It is neither true nor false, and says why; what stands beside it has its value."""
    texts = ["manifest.structured_logs", text, "manifest.metrics"]
    ((before, found, after),) = await sandbox.evaluate(texts, FIELDS, [values(text="a")])
    assert found.value is None
    assert error in str(found.error)
    assert (before, after) == (Evaluated(value=True), Evaluated(value=False))


async def test_a_field_without_a_value_is_an_error(sandbox: Sandbox) -> None:
    """Unless the expression does without it."""
    text = "manifest.slo.count > 1"
    assert await outcome(sandbox, text, {}) == Evaluated(error="manifest.slo.count is not known of this service")
    assert await outcome(sandbox, f"true || {text}", {}) == Evaluated(value=True)


async def test_values_come_by_binding_and_expression(sandbox: Sandbox) -> None:
    """In the order that they were given in, however many there are; and nothing of nothing."""
    texts = [f"manifest.slo.count == {number}" for number in range(5)]
    bindings = [{"manifest.slo.count": number % 5} for number in range(1_000)]
    found = await sandbox.evaluate(texts, FIELDS, bindings)
    assert [[outcome.value for outcome in row].index(True) for row in found] == [number % 5 for number in range(1_000)]
    assert await sandbox.evaluate([], FIELDS, [{}, {}]) == [[], []]
    assert await sandbox.evaluate(texts, FIELDS, []) == []


async def test_many_expressions_of_one_binding(sandbox: Sandbox) -> None:
    """More than one request takes."""
    texts = [f"manifest.slo.count > {number}" for number in range(4_500)]
    (row,) = await sandbox.evaluate(texts, FIELDS, [{"manifest.slo.count": 3}])
    assert [outcome.value for outcome in row] == [number < 3 for number in range(4_500)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**63 - 1, "manifest.custom.x == 9223372036854775807"),
        (2**70, "manifest.custom.x > 1e21"),
        (-(2**70), "manifest.custom.x < -1e21"),
        (10**4_000, "manifest.custom.x > 1e308"),
        (None, "manifest.custom.x == null"),
        (math.inf, "manifest.custom.x == null"),
        ({"a": [1, {"b": None}]}, "manifest.custom.x.a[1].b == null"),
        (Decimal("1.5"), "manifest.custom.x == 1.5"),
        ("half a character: \ud800", "manifest.custom.x == 'half a character: ?'"),
        ("a\0b", "manifest.custom.x == 'a\N{REPLACEMENT CHARACTER}b'"),
        (datetime(2026, 1, 2, tzinfo=UTC), "manifest.custom.x.startsWith('2026-01-02')"),
        ((1, 2), "manifest.custom.x == [1, 2]"),
        (1, "manifest.custom.x == 1.0"),
    ],
)
async def test_free_values_of_every_kind(sandbox: Sandbox, value: Any, text: str) -> None:
    """They become the nearest that there is; what stands beside them is not touched."""
    found = await sandbox.evaluate([text, "manifest.custom.y == 1"], FIELDS, [values(x=value, y=1)])
    assert found == [[Evaluated(value=True), Evaluated(value=True)]]


async def test_values_without_end_are_errors(sandbox: Sandbox) -> None:
    """They harm nobody else."""
    endless: dict[str, Any] = {}
    endless["self"] = endless
    found = await sandbox.evaluate(["manifest.metrics"], FIELDS, [values(x=endless), values()])
    assert found == [[Evaluated(error="the manifest cannot be read")], [Evaluated(value=False)]]


async def test_a_value_of_another_type_than_its_field_is_an_error(sandbox: Sandbox) -> None:
    """Nothing is taken for true because it is something."""
    wrong: tuple[Any, ...] = (1, "true", [], None)
    for value in wrong:
        found = await outcome(sandbox, "manifest.metrics", {"manifest.metrics": value})
        assert found.value is None
        assert found.error


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec=None), max_size=60) | st.from_regex(r"[manifest.cuo()\[\]&|!?:'\"0-9<>=+ -]{1,60}")
)
async def test_whatever_is_written_is_accepted_or_refused(sandbox: Sandbox, text: str) -> None:
    """Nothing else is ever raised, and evaluating it is an answer as well."""
    with suppress(Invalid):
        await sandbox.check(text, FIELDS)
    found = await outcome(sandbox, text, values())
    assert (found.value is None) != (found.error is None)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(custom=st.dictionaries(st.text(st.characters(codec=None)), JSON, max_size=4))
async def test_whatever_is_declared_can_be_evaluated(sandbox: Sandbox, custom: dict[str, Any]) -> None:
    """Free values never spoil what does not name them."""
    found = await outcome(sandbox, "manifest.structured_logs && manifest.custom.size() >= 0", values(**custom))
    assert found == Evaluated(value=True)
