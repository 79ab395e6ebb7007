"""Declarations and measured facts of every kind, for property tests of rules."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from opsgraph.domains.readiness.model.manifests import Facts, FieldType, Section
from opsgraph.domains.readiness.rules import manifests
from tests.support.readiness_rules import SECTIONS, facts

FLAGS = [name for name, kind in manifests.DECLARED.items() if kind is FieldType.BOOL]
LINKS = st.sampled_from(["https://example.org/runbook", "http://localhost:8080/a?b=c#d"])
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**63), 2.0**63, exclude_max=True)
PLAIN = st.none() | st.booleans() | NUMBERS
FREE = st.recursive(
    PLAIN | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
DECLARATIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FLAGS, st.booleans()),
        "runbook_url": LINKS,
        "custom": st.dictionaries(NAMES, FREE, max_size=4),
    },
)

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.BOOL: st.booleans(),
    FieldType.INT: st.integers(0, 9),
    FieldType.DOUBLE: st.floats(0, 9) | st.integers(0, 9) | st.just(Decimal("1.5")),
    FieldType.STRING: TEXTS,
    FieldType.STRINGS: st.lists(TEXTS) | st.lists(TEXTS).map(tuple),
}


def _measured(section: Section) -> st.SearchStrategy[Facts]:
    """Facts of a section, each of them or not."""
    fields = {field: st.none() | VALUES[kind] for field, kind in section.fields.items()}
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: facts(section.name, values))


MEASURED = st.fixed_dictionaries({}, optional={section.name: _measured(section) for section in SECTIONS})
