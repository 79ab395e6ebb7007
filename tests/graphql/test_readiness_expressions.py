"""What people see of checks of their own where no expression can be evaluated, or an expression cannot be used."""

from typing import NoReturn

import pytest

from opsgraph.adapters.expressions import process
from tests.support.api import Api
from tests.support.contents import unchanged
from tests.support.readiness import act

CHECK = {"name": "regions", "category": "RELIABILITY", "expression": "manifest.metrics"}


async def test_where_no_process_starts_a_check_is_refused_in_words(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """As something that may be so no more later, not as a bug; and nothing is stored."""

    def missing() -> NoReturn:
        raise ModuleNotFoundError("cel-expr-python is not installed")

    monkeypatch.setattr(process, "_installed", missing)
    async with unchanged(api.core.database):
        problem = await act(api, "saveReadinessCheck", **CHECK)
    assert (problem["code"], problem["field"]) == ("CONFLICT", ["input", "expression"])
    assert problem["message"] == "expressions cannot be evaluated here: cel-expr-python is not installed"
    monkeypatch.undo()
    assert "code" not in await act(api, "saveReadinessCheck", **CHECK)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            "has(manifest.cost.monthly)",
            "has() is asked of manifest.cost.monthly, and works on members of manifest.custom",
        ),
        ("x" * 2_001, "expression has 2001 characters; at most 2000 are accepted"),
    ],
)
async def test_an_expression_that_cannot_be_used_is_refused(api: Api, expression: str, message: str) -> None:
    """With what to do instead."""
    async with unchanged(api.core.database):
        problem = await act(api, "saveReadinessCheck", **{**CHECK, "expression": expression})
    assert (problem["code"], problem["field"]) == ("INVALID", ["input", "expression"])
    assert message in problem["message"]
