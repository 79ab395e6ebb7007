"""Adding up the charges of FOCUS files."""

import itertools
import tracemalloc
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.cost.formats import mapping
from opsgraph.domains.cost.formats.focus import ChargeRow, read_rows
from opsgraph.domains.cost.formats.focus_totals import MOST_FINDINGS, Totals, aggregate
from opsgraph.kernel.findings import Finding

SAMPLE = Path(__file__).parents[2] / "data" / "focus" / "charges.csv"
REAL_FILE = Path(__file__).parents[3].parent / "shared" / "data" / "focus" / "focus_sample.csv"


def charge(billed: str | Decimal, effective: str | None = "1") -> ChargeRow:
    """A charge of these amounts that belongs to nobody."""
    known = None if effective is None else Decimal(effective)
    nothing = (None, None, None, None, None, None)
    return ChargeRow(2, Decimal(billed), known, "USD", "2024-09", "Cloud", "1", "2024-09", {}, None, *nothing)


def totals(rows: Iterable[ChargeRow | Finding], file: str = "a.csv") -> Totals:
    """These rows added up by the default map."""
    return aggregate(rows, file, mapping.DEFAULT.service_of)


def test_sums_are_kept_apart_by_service_month_currency_and_origin() -> None:
    """A service's spellings are one, and what belongs to nobody is kept."""
    made = totals(read_rows(SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True), "charges.csv"), "charges.csv")
    origin = "focus:Cloud/100/2024-09"
    assert {key: (cell.billed, cell.effective) for key, cell in made.cells.items()} == {
        ("checkout", "2024-09", "USD", origin): (Decimal("10.10"), Decimal("8.00")),
        ("checkout", "2024-09", "EUR", origin): (Decimal("-3.5"), None),
        (None, "2024-09", "USD", origin): (Decimal("2.00000000001"), Decimal("1.5")),
    }
    assert (made.rows, made.untagged, made.refused, made.warned) == (4, 2, 1, 1)
    assert made.billed() == {"EUR": Decimal("-3.5"), "USD": Decimal("12.10000000001")}
    assert made.effective() == {"USD": Decimal("9.5")}
    assert made.unallocated() == {"USD": Decimal("2.00000000001")}
    assert [str(finding) for finding in (*made.refusals, *made.warnings)] == [
        'charges.csv:6: BilledCost "lots" is not a number',
        'charges.csv:7: Tags "{broken" is not a JSON object; the row is kept without tags',
    ]


def test_a_missing_effective_cost_leaves_the_sum_unknown() -> None:
    """A partial sum is not given as a service's cost, though it counts in the file's."""
    made = totals([charge("1.50", "1.25"), charge("1.50", None), charge("1.50", "1.25")])
    (cell,) = made.cells.values()
    assert (cell.billed, cell.effective) == (Decimal("4.50"), None)
    assert made.effective() == {"USD": Decimal("2.50")}


@given(st.lists(st.decimals("-999999999999999999", "999999999999999999", places=30), max_size=20))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    """Nothing is rounded, however large and fine the amounts, in whatever order."""
    made = totals(charge(amount) for amount in amounts)
    assert Fraction(made.billed().get("USD", 0)) == sum(map(Fraction, amounts))


def test_stored_sums_have_the_decimals_that_are_kept() -> None:
    """What is finer than opsgraph keeps is rounded once, in the sum."""
    finest = "0.0000000000000000004"
    (cell,) = totals([charge(finest, "0.5"), charge(finest, "2"), charge("1.5", "1e17")]).cells.values()
    assert cell.billed == Decimal("1.5000000000000000008")
    assert cell.stored() == (Decimal("1.500000000000000001"), Decimal("100000000000000002.5"))


def test_findings_are_counted_and_the_first_kept() -> None:
    """A file of nothing but bad rows does not fill the memory."""
    made = totals([Finding("a.csv", 2, "bad")] * (MOST_FINDINGS + 5))
    assert (made.refused, len(made.refusals), made.rows) == (MOST_FINDINGS + 5, MOST_FINDINGS, 0)


def test_memory_does_not_grow_with_the_file() -> None:
    """Five times the rows, each with tags of its own, take no more memory."""

    def peak(rows: int) -> int:
        header = "BilledCost,BillingCurrency,ChargePeriodStart,BillingPeriodStart,BillingAccountId,ProviderName,Tags\n"
        lines = (f'1,USD,2024-09-01,2024-09-01,1,Cloud,"{{""id"": ""{number}""}}"\n' for number in range(rows))
        tracemalloc.start()
        assert totals(read_rows(itertools.chain([header], lines), "a.csv")).rows == rows
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = peak(4_500)
    assert peak(22_500) < 1.5 * few


@pytest.mark.skipif(not REAL_FILE.is_file(), reason="the published file is not on this machine")
def test_the_published_sample() -> None:
    """A thousand rows whose sums are known."""
    with REAL_FILE.open(encoding="utf-8", newline="") as lines:
        made = totals(read_rows(lines, REAL_FILE.name), REAL_FILE.name)
    assert (made.rows, made.untagged, made.refused, made.warned) == (1000, 289, 0, 0)
    assert round(made.billed()["USD"], 2) == Decimal("20.52")
    assert round(made.effective()["USD"], 2) == Decimal("14.98")
    assert {key[1] for key in made.cells} == {"2024-09"}
    assert made.unallocated() == made.billed()
