"""An evaluator for each test."""

from collections.abc import AsyncIterator

import pytest

from opsgraph.adapters.expressions.sandbox import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """One that is ended after the test."""
    made = Sandbox()
    yield made
    await made.close()
