"""Maps from charges to services."""

from decimal import Decimal
from pathlib import Path

import pytest

from opsgraph.domains.cost.formats.focus import ChargeRow
from opsgraph.domains.cost.formats.mapping import DEFAULT, ServiceMap, read_map

SAMPLE = Path(__file__).parents[2] / "data" / "focus" / "map.yaml"


def charge(
    tags: dict[str, str] | None = None, account: tuple[str, str] | None = None, resource: tuple[str, str] | None = None
) -> ChargeRow:
    """A charge with these tags, this sub-account and this resource (id and name)."""
    amount = Decimal(1)
    texts = (*(account or (None, None)), *(resource or (None, None)), None, None)
    return ChargeRow(2, amount, amount, "USD", "2024-09", "Cloud", "1", "2024-09", tags or {}, None, *texts)


def sample() -> ServiceMap:
    """The map in the sample file."""
    found = read_map(SAMPLE.read_text(encoding="utf-8"), "map.yaml")
    assert isinstance(found, ServiceMap)
    return found


def reasons(text: str) -> list[str]:
    """What is wrong with a map."""
    found = read_map(text, "map.yaml")
    assert not isinstance(found, ServiceMap)
    return [str(finding) for finding in found]


@pytest.mark.parametrize(
    ("row", "service"),
    [
        (charge({"service": "Web"}), "web"),
        (charge({"service": "web", "CostCenter": "1234"}), "web"),
        (charge({"CostCenter": "1234"}), "payments"),
        (charge({"CostCenter": "9"}), None),
        (charge({"costcenter": "1234"}), None),
        (charge({"service": "  "}, account=("7", "Shop")), "checkout"),
        (charge(account=("SHOP", "other")), "checkout"),
        (charge(account=("shop-2", "shops")), None),
        (charge(resource=("arn:x:eu:QUEUE/search-1", "q")), "search"),
        (charge(resource=("q", "arn:x:queue/search-22")), None),
        (charge(), None),
    ],
)
def test_the_first_rule_that_fits_decides(row: ChargeRow, service: str | None) -> None:
    """Tags, sub-accounts and resources, by id or name, without regard to case."""
    assert sample().service_of(row) == service


@pytest.mark.parametrize(
    ("tags", "service"),
    [
        ({"app": "a"}, "a"),
        ({"service_name": "b", "app": "a"}, "b"),
        ({"opsgraph/service": "c", "service_name": "b"}, "c"),
        ({"service": "D", "opsgraph/service": "c"}, "d"),
        ({"application": "e"}, None),
    ],
)
def test_the_default_looks_at_four_tags(tags: dict[str, str], service: str | None) -> None:
    """Without a file, the usual tags name the service, in a fixed order."""
    assert DEFAULT.service_of(charge(tags)) == service


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["map.yaml: a map is one document with rules; this has 0"]),
        ("rules: []", ["map.yaml:1: rules is missing or empty"]),
        ("rules: {tag: x}", ["map.yaml:1: rules is a mapping, not a list"]),
        ("rules:\n- x", ["map.yaml:2: rules[0] is a text, not a mapping"]),
        ("version: 1", ["map.yaml:1: version is not known; there are rules"]),
        ("rules: [{tag: x}]\n---\nrules: [{tag: y}]", ["map.yaml: a map is one document with rules; this has 2"]),
        ("rules: [", ["map.yaml:1: not valid YAML: while parsing a flow node, did not find expected node content"]),
        (
            "rules:\n- tag: x\n- {label: x}\n- {tag: x, subAccount: y}\n- {service: x}",
            [
                "map.yaml:3: rules[1].label is not known; there are tag, subAccount, resource, pattern, service",
                "map.yaml:4: rules[2] takes one of tag, subAccount, resource; it has tag and subAccount",
                "map.yaml:5: rules[3] takes one of tag, subAccount, resource; it has none of them",
            ],
        ),
        ("rules: [{subAccount: x}]", ["map.yaml:1: rules[0].service is missing"]),
        ("rules: [{resource: 5, service: x}]", ["map.yaml:1: rules[0].resource is a number, not a text"]),
        ("rules: [{tag: 5}]", ["map.yaml:1: rules[0].tag is a number, not a text"]),
        (
            "rules: [{resource: x, pattern: y, service: z}]",
            ["map.yaml:1: rules[0].pattern goes with a tag; resource is a pattern itself"],
        ),
    ],
)
def test_everything_wrong_is_named(text: str, expected: list[str]) -> None:
    """A map with a mistake is not used, and every mistake has its place."""
    assert reasons(text) == expected


def test_a_service_must_be_a_name() -> None:
    """A literal service that no service could be called is a mistake in the map."""
    (reason,) = reasons("rules: [{tag: x, service: my service}]")
    assert reason.startswith('map.yaml:1: rules[0].service "my service" is not an RFC 1123 label')
