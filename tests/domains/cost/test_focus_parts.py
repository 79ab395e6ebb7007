"""Files of one bill, added up apart and then together."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.cost.formats.focus_totals import MOST_FINDINGS, Cell, Totals
from opsgraph.kernel.findings import Finding
from tests.domains.cost.test_focus_totals import charge, totals

amounts = st.decimals("-999999999999999999", "999999999999999999", places=30)
charges = st.lists(st.tuples(amounts, st.none() | amounts.map(str)), max_size=6)


@given(st.lists(charges, max_size=4))
def test_parts_add_up_to_the_whole(parts: list[list[tuple[Decimal, str | None]]]) -> None:
    """Exactly, however the rows are spread over files."""
    together = Totals()
    for part in parts:
        together.include(totals(charge(*each) for each in part))
    assert together == totals(charge(*each) for part in parts for each in part)


def test_findings_of_all_parts_are_counted_and_the_first_kept() -> None:
    """Many bad files do not fill the memory either."""
    together = Totals()
    for _ in range(3):
        together.include(totals([Finding("a.csv", 2, "bad")] * (MOST_FINDINGS - 10)))
    assert (together.refused, len(together.refusals)) == (3 * MOST_FINDINGS - 30, MOST_FINDINGS)


def test_halves_are_rounded_away_from_zero() -> None:
    """As money is everywhere else."""
    half = Decimal("0.0000000000000000005")
    finest = Decimal("0.000000000000000001")
    assert Cell(half, -half, complete=True).stored() == (finest, -finest)
