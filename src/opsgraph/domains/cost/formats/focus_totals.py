"""Charges folded into what is stored of them: one exact sum for each service, month, currency and origin."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext

from opsgraph.domains.cost.formats.focus import ChargeRow
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.money import FRACTION_DIGITS

MOST_FINDINGS = 100

_FINEST = Decimal(1).scaleb(-FRACTION_DIGITS)
_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Holds 18 digits before the point and 60 behind it, over more rows than there can be."""

CellKey = tuple[str | None, str, str, str]
"""Service or None, month ``YYYY-MM``, currency, origin."""


@dataclass(slots=True)
class Cell:
    """The sum of some charges.

    Attributes:
        billed: the sum of billed costs.
        known_effective: the sum of those effective costs that are given; None if none is.
        complete: whether each charge gave its effective cost.
    """

    billed: Decimal
    known_effective: Decimal | None
    complete: bool

    @property
    def effective(self) -> Decimal | None:
        """The sum of effective costs, or None if a charge lacks it."""
        return self.known_effective if self.complete else None

    def stored(self) -> tuple[Decimal, Decimal | None]:
        """Both sums to the 18 decimals that are kept, halves away from zero."""
        return _to_kept(self.billed), None if self.effective is None else _to_kept(self.effective)


@dataclass(slots=True)
class Totals:
    """What a file adds up to; sums are exact and may have up to 60 decimals.

    Attributes:
        cells: the sums to store.
        rows: charges that were read.
        untagged: those without any tag.
        refused: rows that could not be read.
        warned: charges that were kept with a warning.
        refusals: the first 100 refusals.
        warnings: the first 100 warnings.
    """

    cells: dict[CellKey, Cell] = field(default_factory=dict)
    rows: int = 0
    untagged: int = 0
    refused: int = 0
    warned: int = 0
    refusals: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def billed(self) -> dict[str, Decimal]:
        """Billed costs by currency, in the order of codes."""
        return _by_currency((key[2], cell.billed) for key, cell in self.cells.items())

    def effective(self) -> dict[str, Decimal]:
        """Effective costs by currency, as far as they are given, in the order of codes."""
        known = ((key[2], cell.known_effective) for key, cell in self.cells.items())
        return _by_currency((currency, amount) for currency, amount in known if amount is not None)

    def unallocated(self) -> dict[str, Decimal]:
        """Billed costs without a service, by currency, in the order of codes."""
        return _by_currency((key[2], cell.billed) for key, cell in self.cells.items() if key[0] is None)

    def add(self, row: ChargeRow, service: str | None, file: str) -> None:
        """Count one charge as the service's, or as nobody's. Exact only under the context of `aggregate`."""
        self.rows += 1
        self.untagged += not row.tags
        if row.warning is not None:
            self.warned += 1
            _keep(self.warnings, Finding(file, row.line, row.warning))
        key = (service, row.month, row.currency, row.origin)
        cell = self.cells.get(key)
        if cell is None:
            self.cells[key] = Cell(row.billed, row.effective, row.effective is not None)
        else:
            _raise(cell, row)

    def include(self, other: "Totals") -> None:
        """Add what another file adds up to."""
        self.rows += other.rows
        self.untagged += other.untagged
        self.refused += other.refused
        self.warned += other.warned
        for findings, more in ((self.refusals, other.refusals), (self.warnings, other.warnings)):
            findings.extend(more[: MOST_FINDINGS - len(findings)])
        with localcontext(_EXACT):
            for key, cell in other.cells.items():
                self.cells[key] = cell if key not in self.cells else _sum(self.cells[key], cell)


def aggregate(rows: Iterable[ChargeRow | Finding], file: str, service_of: Callable[[ChargeRow], str | None]) -> Totals:
    """Fold what `focus.read_rows` gives, in memory bounded by the number of sums.

    Args:
        rows: the rows and findings of one file.
        file: the file as the user named it.
        service_of: whose cost a row is; `ServiceMap.service_of`, or that narrowed to the services that exist.
    """
    totals = Totals()
    with localcontext(_EXACT):
        for row in rows:
            if isinstance(row, Finding):
                totals.refused += 1
                _keep(totals.refusals, row)
            else:
                totals.add(row, service_of(row), file)
    return totals


def _raise(cell: Cell, row: ChargeRow) -> None:
    cell.billed += row.billed
    if row.effective is None:
        cell.complete = False
    else:
        cell.known_effective = row.effective if cell.known_effective is None else cell.known_effective + row.effective


def _sum(one: Cell, other: Cell) -> Cell:
    known = [cell.known_effective for cell in (one, other) if cell.known_effective is not None]
    return Cell(one.billed + other.billed, sum(known[1:], known[0]) if known else None, one.complete and other.complete)


def _to_kept(amount: Decimal) -> Decimal:
    with localcontext(prec=120):
        return amount.quantize(_FINEST, rounding=ROUND_HALF_UP).normalize()


def _keep(findings: list[Finding], finding: Finding) -> None:
    if len(findings) < MOST_FINDINGS:
        findings.append(finding)


def _by_currency(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    with localcontext(_EXACT):
        for currency, amount in amounts:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return dict(sorted(sums.items()))
