"""What an import did: counted by kind, with everything that was refused or taken with a warning."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from opsgraph.kernel.findings import Finding
from opsgraph.storage.saving import Outcome

MOST_FINDINGS = 1_000
MOST_NAMES = 1_000


@dataclass(slots=True)
class Tally:
    """What became of the things of one kind.

    Attributes:
        created: how many are new.
        changed: how many are not as they were.
        unchanged: how many are as they were.
        removed: how many are gone, because the import replaced what they were part of.
        created_names: the names of the first 1,000 new ones; empty for kinds without names.
        changed_names: likewise, of those that changed.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    created_names: list[str] = field(default_factory=list)
    changed_names: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome, name: str | None = None) -> None:
        """Count one thing."""
        if outcome is Outcome.CREATED:
            self.created += 1
            _keep(self.created_names, name)
        elif outcome is Outcome.CHANGED:
            self.changed += 1
            _keep(self.changed_names, name)
        else:
            self.unchanged += 1


@dataclass(frozen=True, slots=True)
class CostFigures:
    """What the charges of an import add up to, exactly.

    Attributes:
        rows: charges that were read.
        untagged: those of them without any tag.
        billed: billed costs by currency.
        effective: effective costs by currency, as far as they are given.
        unallocated: billed costs that belong to no service, by currency.
    """

    rows: int
    untagged: int
    billed: dict[str, Decimal]
    effective: dict[str, Decimal]
    unallocated: dict[str, Decimal]


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would have done.

    Attributes:
        kinds: a tally for each kind of thing that the import can bring, by its name in the plural.
        read: whether anything could be read at all.
        files: how many files were read.
        dry_run: whether nothing was to be stored.
        stored: whether the import was committed; not so if nothing could be read, in a dry run, or if it was strict
            and something was refused.
        refused: how many things were refused.
        refusals: the first 1,000 of them.
        warned: how many warnings there are.
        warnings: the first 1,000 of them.
        costs: what charges add up to, for an import of costs.
    """

    kinds: dict[str, Tally]
    read: bool = False
    files: int = 0
    dry_run: bool = False
    stored: bool = False
    refused: int = 0
    refusals: list[Finding] = field(default_factory=list)
    warned: int = 0
    warnings: list[Finding] = field(default_factory=list)
    costs: CostFigures | None = None

    @classmethod
    def on(cls, *kinds: str, dry_run: bool = False) -> "ImportReport":
        """An empty report on these kinds of things."""
        return cls({kind: Tally() for kind in kinds}, dry_run=dry_run)

    @property
    def brought(self) -> bool:
        """Whether the files held anything of the kinds that the import can bring, new or not."""
        return self.costs is not None or any(
            tally.created or tally.changed or tally.unchanged or tally.removed for tally in self.kinds.values()
        )

    def refuse(self, *findings: Finding) -> None:
        """Note what was refused."""
        self.refused += len(findings)
        self.refusals.extend(findings[: MOST_FINDINGS - len(self.refusals)])

    def warn(self, *findings: Finding) -> None:
        """Note what was taken otherwise than it was written."""
        self.warned += len(findings)
        self.warnings.extend(findings[: MOST_FINDINGS - len(self.warnings)])

    def sort(self) -> None:
        """Put findings in the order of files and lines."""
        for findings in (self.refusals, self.warnings):
            findings.sort(key=lambda finding: (finding.file, finding.line or 0))

    def take(self, refusals: Iterable[Finding], warnings: Iterable[Finding]) -> None:
        """Note what a reader of files found."""
        self.refuse(*refusals)
        self.warn(*warnings)


def _keep(names: list[str], name: str | None) -> None:
    if name is not None and len(names) < MOST_NAMES:
        names.append(name)
