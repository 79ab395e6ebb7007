"""YAML that people hand in and get back: several documents a file, each value with its line.

Plain scalars follow the core schema of YAML 1.2, as the tools do that own the formats read here: ``yes``, ``on``,
``12:30`` and dates stay texts. Keys are texts as written. Numbers with a fraction are `Decimal`, never float. Merge
keys (``<<``) are followed.

Refused, each with its line: duplicate keys, control characters, tags outside the core schema, NaN and infinities,
nesting deeper than 64, and aliases that stand for more than 100,000 values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from opsgraph.kernel.findings import Finding
from opsgraph.kernel.yaml_values import Builder, Path, Unreadable, is_plain_text, kind_of, refused_character

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARKER = re.compile(r"(---|\.\.\.)(?=\s|$)")
_LINE_BREAKS_OF_UNICODE = re.compile("[\x85\u2028\u2029\ufeff]")
_NEVER_WRAP = 10**9


@dataclass(frozen=True, slots=True)
class Document:
    """One mapping of a file: what readers of formats work on.

    Attributes:
        file: the file as the user named it.
        line: where the mapping begins, counted from 1.
        value: texts, numbers (int or Decimal), booleans, None, lists and mappings with text keys. Shared where the
            file uses aliases: never change it.
        lines: the line of each key and list item, by path; what an alias brings in is not listed.
    """

    file: str
    line: int
    value: dict[str, object]
    lines: Mapping[Path, int] = field(repr=False)

    def line_of(self, path: Path) -> int:
        """The line of the key or item at ``path``, or of the nearest thing around it that is written out."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.line)


def read_documents(text: str, file: str) -> list[Document | Finding]:
    """Read every document of a file, in order; whatever cannot be read is a finding in its place.

    A top-level list counts as one document an item. Documents are parsed apart, so that a broken one costs no other;
    empty ones are left out. Never raises for bad input.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [found for first, part in _parts(lines) for found in _read_part(part, first, file)]


def write_documents(values: Sequence[Mapping[str, object]]) -> str:
    """Write mappings as YAML documents that `read_documents` reads to equal values; the same bytes for the same values.

    Keys keep their order, texts of several lines become literal blocks, long lines are not wrapped. Takes what
    `Document.value` holds.
    """
    return yaml.dump_all(
        values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_WRAP, default_flow_style=False
    )


def _parts(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Cut a file at its document markers, which YAML allows nowhere else at a line's start: (lines before, text)."""
    first, filled = 0, False
    for number, line in enumerate(lines):
        marker = _MARKER.match(line)
        if marker and filled:
            end = number + (marker[1] == "...")
            yield first, "\n".join([*lines[first:end], ""])
            first, filled = end, False
        if not filled:
            filled = _has_content(line)
    if filled:
        yield first, "\n".join(lines[first:])


def _has_content(line: str) -> bool:
    """Whether a line is more than space, a comment, a directive or the end of a document."""
    bare = line.strip()
    return bool(bare) and bare[0] != "#" and line[0] != "%" and bare != "..."


def _read_part(text: str, first: int, file: str) -> list[Document | Finding]:
    bad = refused_character(text)
    if bad:
        return [Finding(file, first + 1 + text.count("\n", 0, bad[0]), bad[1])]
    builder = Builder(first + 1)
    broken: list[Finding] = []
    try:
        builder.build(yaml.parse(text, Loader=_LOADER))
    except Unreadable as error:
        broken = [Finding(file, error.line, error.reason)]
    except yaml.MarkedYAMLError as error:
        broken = [_syntax(error, text, first, file)]
    except yaml.YAMLError as error:
        broken = [Finding(file, first + 1, f"not valid YAML: {error}")]
    complete = builder.listed or not broken
    return [*(_found(builder, file) if complete else ()), *broken]


def _syntax(error: yaml.MarkedYAMLError, text: str, first: int, file: str) -> Finding:
    mark = error.problem_mark or error.context_mark
    within = min(int(mark.line), text.count("\n")) if mark else 0
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return Finding(file, first + 1 + within, f"not valid YAML: {problem}")


def _found(builder: Builder, file: str) -> Iterator[Document | Finding]:
    for item in builder.items:
        if item.fault:
            yield Finding(file, *item.fault)
        elif isinstance(item.value, dict):
            yield Document(file, item.line, item.value, item.lines)
        elif item.value is not None:
            yield Finding(file, item.line, f"a document is a mapping, not {kind_of(item.value)}")


class _Dumper(yaml.SafeDumper):
    """PyYAML's own dumper, which writes the same everywhere; the one around libyaml differs in detail."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _write_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """A block where a text of several lines survives it, quotes where a plain scalar would be something else."""
    if "\n" in text:
        body = text.removesuffix("\n")
        tidy = bool(body) and not body[0].isspace() and not body[-1].isspace() and " \n" not in body
        return "|" if tidy and not _LINE_BREAKS_OF_UNICODE.search(text) else '"'
    return None if is_plain_text(text) and not _LINE_BREAKS_OF_UNICODE.search(text) else '"'


def _write_number(dumper: _Dumper, number: Decimal) -> yaml.ScalarNode:
    text = format(number, "f")
    return dumper.represent_scalar("tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int", text)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(Decimal, _write_number)
