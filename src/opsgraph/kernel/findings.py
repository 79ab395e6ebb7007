"""What a reader of files says about them: what was refused and what was taken with a warning, each with its place."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file that was refused, or taken otherwise than it was written.

    Attributes:
        file: the file as the user named it.
        line: counted from 1; None where the whole file is meant.
        reason: what is wrong and what would be right, without the place.
        name: what the thing calls itself, where it has a readable name.
    """

    file: str
    line: int | None
    reason: str
    name: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.name}: {self.reason}" if self.name else f"{place}: {self.reason}"


@dataclass(slots=True)
class Findings:
    """Refusals and warnings of one reading, in the order of what was read."""

    refusals: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
