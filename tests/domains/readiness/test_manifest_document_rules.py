"""What documents and expressions see of a manifest."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given

from opsgraph.domains.readiness.model.manifests import FieldType, Manifest
from opsgraph.domains.readiness.rules import manifests
from tests.support.readiness_manifests import DECLARATIONS, FLAGS, MEASURED
from tests.support.readiness_rules import NOW, SECTIONS, facts, manifest


def test_a_document_says_what_is_known_and_how_old_it_is() -> None:
    """As JSON, with what is too old marked."""
    known = Manifest(
        declared={"metrics": True, "custom": {"a": 1}},
        measured={
            "slo": facts("slo", {"count": 2, "met": 2}, timedelta(days=8)),
            "health": facts("health", {"status": "HEALTHY"}, timedelta(seconds=90.5)),
            "cost": facts("cost", {}),
            "incidents": facts("incidents", {"open": 0}, timedelta(seconds=-1)),
        },
        recorded={"runbook": True},
        declared_at=NOW - timedelta(days=1),
        recorded_at={"runbook": NOW - timedelta(days=800)},
    )
    document = manifests.document(known, NOW)
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "declared": {"metrics": True, "custom": {"a": 1}},
        "declared_at": "2024-03-14T12:00:00Z",
        "recorded": {"runbook": True},
        "recorded_at": {"runbook": "2022-01-05T12:00:00Z"},
        "measured": {
            "slo": {
                "values": {"count": 2, "met": 2},
                "as_of": "2024-03-07T12:00:00Z",
                "age_seconds": 691_200,
                "stale": True,
            },
            "health": {
                "values": {"status": "HEALTHY"},
                "as_of": "2024-03-15T11:58:29.500000Z",
                "age_seconds": 90,
                "stale": False,
            },
            "cost": {"values": {}, "as_of": None, "age_seconds": None, "stale": False},
            "incidents": {
                "values": {"open": 0},
                "as_of": "2024-03-15T12:00:01Z",
                "age_seconds": 0,
                "stale": False,
            },
        },
    }
    assert manifests.document(Manifest({}, {}), NOW)["declared_at"] is None


def test_expressions_see_what_is_declared_and_measured() -> None:
    """What was not declared is false or empty; what could not be measured, or is no field, has no value."""
    bound = manifests.bindings(
        manifest(
            {"metrics": True, "custom": {"a": 1}},
            None,
            facts("slo", {"count": 2, "met": None, "secret": 1}),
            facts("cost", {"monthly": Decimal("12.50"), "over_budget": False}),
            facts("service", {"tags": ("eu",)}),
        )
    )
    flags = {f"manifest.{name}": name == "metrics" for name in FLAGS}
    assert bound == {
        **flags,
        "manifest.runbook_url": "",
        "manifest.custom": {"a": 1},
        "manifest.slo.count": 2,
        "manifest.cost.monthly": 12.5,
        "manifest.cost.over_budget": False,
        "manifest.service.tags": ["eu"],
    }


PYTHON_TYPES: dict[FieldType, type] = {
    FieldType.BOOL: bool,
    FieldType.INT: int,
    FieldType.DOUBLE: float,
    FieldType.STRING: str,
    FieldType.LINK: str,
    FieldType.STRINGS: list,
    FieldType.MAP: dict,
}


@given(DECLARATIONS, MEASURED)
def test_what_is_bound_has_the_declared_type(declared: dict[str, Any], measured: dict[str, Any]) -> None:
    """Every name is one of the fields, and everything that is declared is bound."""
    fields = manifests.fields(SECTIONS)
    bound = manifests.bindings(Manifest(manifests.accept(declared), measured))
    assert bound.keys() <= fields.keys()
    assert {f"manifest.{name}" for name in manifests.DECLARED} <= bound.keys()
    assert all(type(value) is PYTHON_TYPES[fields[name]] for name, value in bound.items())


def test_expressions_may_use_what_sections_there_are() -> None:
    """A section that nobody measures has no names."""
    fields = manifests.fields(SECTIONS)
    assert fields["manifest.structured_logs"] is FieldType.BOOL
    assert fields["manifest.runbook_url"] is FieldType.LINK
    assert fields["manifest.cost.monthly"] is FieldType.DOUBLE
    assert not any(name.startswith("manifest.oncall") for name in fields)
    assert len(manifests.fields(())) == len(manifests.DECLARED)
