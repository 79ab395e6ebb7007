"""Declarations: what is accepted, what is refused and how, the published schema, and how two of them differ."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.domains.readiness.rules import manifests
from opsgraph.domains.readiness.rules.manifests import Difference
from opsgraph.kernel.refusals import Invalid
from tests.support.readiness_manifests import DECLARATIONS


def nested(depth: int) -> Any:
    """Objects within objects, so many."""
    value: Any = True
    for _ in range(depth):
        value = {"a": value}
    return value


def test_what_is_declared_comes_in_the_order_of_the_known_fields() -> None:
    """And is otherwise what was given."""
    values = {"custom": {"regions": ["eu"]}, "runbook_url": "https://example.org", "alerting": False, "metrics": True}
    accepted = manifests.accept(values)
    assert accepted == values
    assert list(accepted) == ["metrics", "alerting", "runbook_url", "custom"]
    assert manifests.accept({}) == {}


@given(DECLARATIONS)
def test_what_was_accepted_is_accepted_again(values: dict[str, Any]) -> None:
    """To the same, also after it was JSON."""
    accepted = manifests.accept(values)
    assert manifests.accept(accepted) == accepted
    assert manifests.accept(json.loads(json.dumps(accepted))) == accepted


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("metrics", 1, "metrics is 1; it takes true or false"),
        ("metrics", 0.0, "metrics is 0.0; it takes true or false"),
        ("metrics", "true", 'metrics is "true"; it takes true or false'),
        ("metrics", None, "metrics is null; it takes true or false"),
        ("metrics", [], "metrics is a list; it takes true or false"),
        ("metrics", {}, "metrics is an object; it takes true or false"),
        pytest.param(
            "metrics", 10**5_000, "metrics is a number of more than 64 bits; it takes true or false", id="huge"
        ),
        ("runbook_url", True, "runbook_url is true; it takes an http or https address"),
        ("runbook_url", "", "runbook_url is empty; leave it out where there is none"),
        ("runbook_url", "javascript:alert(1)", 'runbook_url: "javascript:alert(1)" is not an http or https address'),
        ("runbook_url", "http://[", 'runbook_url: "http://[" is not a web address'),
        ("runbook_url", f"https://example.org/{'x' * 2_000}", "is not an http or https address"),
        ("custom", [], "custom is a list; it takes an object"),
        ("custom", None, "custom is null; it takes an object"),
        ("structured_logz", True, 'there is no field "structured_logz"; did you mean structured_logs?'),
        ("structuredLogs", True, 'there is no field "structuredLogs"; did you mean structured_logs?'),
        ("Secret Scanning", True, 'there is no field "Secret Scanning"; did you mean secret_scanning?'),
        ("slo", {"count": 1}, "slo is measured and cannot be declared; values of your own go under custom"),
        ("oncall", {}, "oncall is measured"),
        ("", True, 'there is no field ""; values of your own go under custom, the others are structured_logs, metrics'),
        pytest.param("x" * 10_000, True, "there is no field", id="long"),
    ],
)
def test_what_is_no_field_or_of_another_type_is_refused_with_its_place(name: str, value: Any, message: str) -> None:
    """Each refusal names what was wrong and what would be right, in a line that can be read."""
    with pytest.raises(Invalid) as caught:
        manifests.accept({"alerting": True, name: value})
    assert message in caught.value.message
    assert len(caught.value.message) < 500
    assert caught.value.field == ("values", name)


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"a": {"b": math.nan}}, ("a", "b"), "custom.a.b is no finite number"),
        ({"a": [1, math.inf]}, ("a", "1"), "custom.a[1] is no finite number"),
        ({"a": 2**63}, ("a",), "custom.a is a whole number of more than 64 bits"),
        ({"a": -(2**63) - 1}, ("a",), "custom.a is a whole number of more than 64 bits"),
        ({"a": 2.0**63}, ("a",), "custom.a is a whole number of more than 64 bits"),
        ({"a": [-1e300]}, ("a", "0"), "custom.a[0] is a whole number of more than 64 bits"),
        ({"a b": ["\ud800"]}, ("a b", "0"), 'custom["a b"][0] contains the character U+D800'),
        ({"a": "nul\0"}, ("a",), "custom.a contains the character U+0000 at position 3"),
        ({"a": {"\0": 1}}, ("a", "\0"), "a name in custom.a contains the character U+0000"),
        ({"": 1}, ("",), "a name in custom has 0 characters; it takes 1 to 200"),
        ({"x" * 201: 1}, ("x" * 201,), "a name in custom has 201 characters; it takes 1 to 200"),
        ({"a": Decimal(1)}, ("a",), "custom.a is no value of JSON"),
        ({"a": {1, 2}}, ("a",), "custom.a is no value of JSON"),
        (nested(8), ("a",) * 7, "custom.a.a.a.a.a.a.a is nested more than 8 levels deep"),
        (nested(5_000), ("a",) * 7, "custom.a.a.a.a.a.a.a is nested more than 8 levels deep"),
    ],
)
def test_free_values_that_nobody_could_read_are_refused(value: Any, path: tuple[str, ...], message: str) -> None:
    """However deep they are, the path leads there."""
    with pytest.raises(Invalid) as caught:
        manifests.accept({"custom": value})
    assert message in caught.value.message
    assert caught.value.field == ("values", "custom", *path)


def test_as_much_as_fits_is_accepted() -> None:
    """One level, entry or byte more is not."""
    assert manifests.accept({"custom": nested(7)})
    for values, more, message in (
        ({f"a{number}": 1 for number in range(499)}, {"b": 1}, "values has more than 500 entries, counting those of"),
        ({"a": [1] * 498}, {"b": 1}, "values has more than 500 entries"),
        ({"a": "ä" * 32_000}, {"b": "x" * 1_600}, "bytes as JSON; at most 65536 are accepted"),
    ):
        assert manifests.accept({"custom": values}) == {"custom": values}
        with pytest.raises(Invalid) as caught:
            manifests.accept({"custom": {**values, **more}})
        assert message in caught.value.message
        assert caught.value.field == ("values",)


def test_the_published_schema_says_what_is_accepted() -> None:
    """Every field with its type and what it means, and nothing else."""
    schema = json.loads(json.dumps(manifests.json_schema()))
    assert schema["properties"].keys() == manifests.DECLARED.keys()
    assert not schema["additionalProperties"]
    types = {FieldType.BOOL: "boolean", FieldType.LINK: "string", FieldType.MAP: "object"}
    for name, kind in manifests.DECLARED.items():
        assert schema["properties"][name]["type"] == types[kind]
        assert schema["properties"][name]["description"].endswith(".")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"metrics": True}, {"metrics": True}, []),
        ({"metrics": True}, {"metrics": False}, [Difference("metrics", True, False)]),
        ({}, {"metrics": False}, [Difference("metrics", None, False)]),
        ({}, {"custom": {}}, [Difference("custom", None, {})]),
        ({}, {"custom": {"a": {"b": 1}}}, [Difference("custom.a.b", None, 1)]),
        ({"custom": {"a": 1}}, {"custom": {"a": 1.0}}, [Difference("custom.a", 1, 1.0)]),
        ({"custom": {"a": 1}}, {"custom": {"a": True}}, [Difference("custom.a", 1, True)]),
        ({"custom": {"a": [1, 2]}}, {"custom": {"a": [2, 1]}}, [Difference("custom.a", [1, 2], [2, 1])]),
        ({"custom": {"a": {"b": 1}}}, {"custom": {"a": 2}}, [Difference("custom.a", {"b": 1}, 2)]),
        (
            {"custom": {"a": {"b": 1}}},
            {"custom": {"a": {"c": 1}}},
            [Difference("custom.a.b", 1, None), Difference("custom.a.c", None, 1)],
        ),
        (
            {"custom": {"a.b": 1, "c d": {"e": 1}}},
            {},
            [Difference('custom["a.b"]', 1, None), Difference('custom["c d"].e', 1, None)],
        ),
        ({"custom": {"a": None}}, {"custom": {}}, [Difference("custom.a", None, None)]),
    ],
)
def test_differences_name_the_place(before: dict[str, Any], after: dict[str, Any], expected: list[Difference]) -> None:
    """Objects are compared name by name, lists as a whole; a number is not a truth value."""
    assert list(manifests.differences(before, after)) == expected


@given(DECLARATIONS, DECLARATIONS)
def test_differences_are_the_same_in_either_direction(before: dict[str, Any], after: dict[str, Any]) -> None:
    """There are none exactly where both say the same."""
    there, back = manifests.differences(before, after), manifests.differences(after, before)
    assert [(one.path, one.before, one.after) for one in there] == [(one.path, one.after, one.before) for one in back]
    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert (there == ()) == same
    assert manifests.differences(before, before) == ()
