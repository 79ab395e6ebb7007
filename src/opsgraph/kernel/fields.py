"""Mappings of a document, read by key with their types checked; what does not fit names its line and its path."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, cast

from opsgraph.kernel.documents import Document
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH
from opsgraph.kernel.yaml_values import Path, kind_of

ResultT = TypeVar("ResultT")

Warn = Callable[[int, str], None]
"""Notes a warning: the line, counted from 1, and the reason."""

TextCheck = Callable[[str, str], str]
"""Accepts a text for the field named second, or raises `Invalid`: the checks of `opsgraph.kernel.text`."""


class Misfit(ValueError):  # noqa: N818 - an answer to bad input, like a Refusal
    """Something in a document is not what its format asks for.

    Attributes:
        line: where it stands in the file, counted from 1.
        reason: what is wrong and what would be right.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping at a path of a document. A key whose value is null counts as absent."""

    document: Document
    values: dict[str, object]
    path: Path = ()

    @classmethod
    def of(cls, document: Document) -> "Fields":
        """The fields at the top of a document."""
        return cls(document, document.value)

    def line(self, key: str | None = None) -> int:
        """The line of a key, or of the mapping itself."""
        return self.document.line_of(self.path if key is None else (*self.path, key))

    def label(self, key: str | int | None = None) -> str:
        """The dotted path of a key, or of the mapping itself, for a message: ``spec.objectives[0].target``."""
        path = self.path if key is None else (*self.path, key)
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")

    def misfit(self, reason: str, key: str | None = None) -> Misfit:
        """What to raise when the value of a key, or the mapping itself, cannot be accepted."""
        return Misfit(self.line(key), reason)

    def has(self, key: str) -> bool:
        """Whether the key is given and not null."""
        return self.values.get(key) is not None

    def warn_beyond(self, known: Collection[str], warn: Warn) -> None:
        """Warn of each key that is given and is not among those known."""
        for key in self.values:
            if key not in known and self.has(key):
                warn(self.line(key), f"{self.label(key)} is not supported and was left out")

    def text(self, key: str) -> str | None:
        """A text, or None if absent.

        Raises:
            Misfit: any other type.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self._unlike(key, "a text")
        return value

    def checked(self, key: str, check: TextCheck) -> str | None:
        """A text that passes ``check``, as that gives it back, or None if absent.

        Raises:
            Misfit: another type, or refused by the check.
        """
        value = self.text(key)
        try:
            return value if value is None else check(value, self.label(key))
        except Invalid as refusal:
            raise self.misfit(refusal.message, key) from refusal

    def required(self, key: str, check: TextCheck) -> str:
        """A text that passes ``check``.

        Raises:
            Misfit: absent, another type, or refused by the check.
        """
        value = self.checked(key, check)
        if value is None:
            raise self.misfit(f"{self.label(key)} is missing")
        return value

    def number(self, key: str) -> Decimal | None:
        """A finite number as it was written, or None if absent.

        Raises:
            Misfit: any other type.
        """
        value = self.values.get(key)
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._unlike(key, "a number")
        return Decimal(value)

    def flag(self, key: str) -> bool | None:
        """True or false, or None if absent.

        Raises:
            Misfit: any other type.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._unlike(key, "true or false")
        return value

    def mapping(self, key: str) -> "Fields | None":
        """The mapping below a key, or None if absent.

        Raises:
            Misfit: any other type.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self._unlike(key, "a mapping")
        return None if value is None else Fields(self.document, cast("dict[str, object]", value), (*self.path, key))

    def part(self, key: str) -> "Fields":
        """The mapping below a key.

        Raises:
            Misfit: absent, or any other type.
        """
        found = self.mapping(key)
        if found is None:
            raise self.misfit(f"{self.label(key)} is missing", key)
        return found

    def mappings(self, key: str) -> "list[Fields]":
        """The mappings of the list below a key; empty if absent.

        Raises:
            Misfit: not a list, or an item of another type.
        """
        return [self._item(key, index, value) for index, (_, value) in enumerate(self.entries(key))]

    def entries(self, key: str) -> list[tuple[int, object]]:
        """The items of the list below a key, each with its line; empty if absent.

        Raises:
            Misfit: not a list.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            raise self._unlike(key, "a list")
        return list(self._lined(key, value or []))

    def _lined(self, key: str, items: list[object]) -> Iterator[tuple[int, object]]:
        for index, item in enumerate(items):
            yield self.document.line_of((*self.path, key, index)), item

    def _item(self, key: str, index: int, value: object) -> "Fields":
        path = (*self.path, key, index)
        if not isinstance(value, dict):
            raise Misfit(self.document.line_of(path), f"{self.label(key)}[{index}] is {kind_of(value)}, not a mapping")
        return Fields(self.document, cast("dict[str, object]", value), path)

    def _unlike(self, key: str, wanted: str) -> Misfit:
        return self.misfit(f"{self.label(key)} is {kind_of(self.values[key])}, not {wanted}", key)


def attempt(
    document: Document, name: str | None, step: Callable[[Fields, Warn], ResultT], findings: Findings
) -> ResultT | None:
    """Take a step in reading a document that calls itself ``name``; gives what the step gives.

    A `Misfit` becomes a refusal: the result is None then, and the step's warnings do not count.
    """
    warnings: list[Finding] = []

    def warn(line: int, reason: str) -> None:
        warnings.append(Finding(document.file, line, reason, name))

    try:
        result = step(Fields.of(document), warn)
    except Misfit as misfit:
        findings.refusals.append(Finding(document.file, misfit.line, misfit.reason, name))
        return None
    findings.warnings.extend(warnings)
    return result


def declared_name(document: Document) -> str | None:
    """The text at ``metadata.name``, where a message can show it as the document's name."""
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) and len(name) <= NAME_LENGTH and name.isprintable() else None
