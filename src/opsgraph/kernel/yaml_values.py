"""Values out of YAML's event stream: built without recursion, bounded, each with its line.

Used by `documents`, which says what is accepted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from opsgraph.kernel.text import shown

DEEPEST = 64
MOST_ALIASED = 100_000
MOST_DIGITS = 300
LARGEST_EXPONENT = 100

Path = tuple[str | int, ...]
"""The way to a value within a document: keys and list positions."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({"!", _CORE + "str"})
_VALUE_TAGS = frozenset(_CORE + name for name in ("int", "float", "bool", "null", "timestamp"))
_COLLECTION_TAGS = frozenset({None, "!", _CORE + "map", _CORE + "seq"})
_MERGE = "\x00<<"  # no key that is read can equal it: control characters are refused


class Unreadable(Exception):  # noqa: N818 - the answer to bad input, not a failure of ours
    """What follows cannot be read; carries the line, counted from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Item:
    """One document as built: its value and line, the lines of what it holds, and its first fault if it has one."""

    value: object
    line: int
    lines: dict[Path, int]
    fault: tuple[int, str] | None


def refused_character(text: str) -> tuple[int, str] | None:
    """Where the first character stands that no text may hold, and the reason; None if all are fine."""
    bad = _CONTROL.search(text)
    return (bad.start(), f"contains the character U+{ord(bad[0]):04X}, which is not accepted") if bad else None


def is_plain_text(text: str) -> bool:
    """Whether an unquoted scalar of this spelling is read as a text, rather than a number, a boolean or null."""
    return text not in _CONSTANTS and not any(p.fullmatch(text) for p in (_INTEGER, _BASED, _FRACTION, _NOT_FINITE))


def kind_of(value: object) -> str:
    """What a value is, in words for a message."""
    if value is None:
        return "empty"
    for kind, words in ((bool, "true or false"), (str, "a text"), (dict, "a mapping"), (list, "a list")):
        if isinstance(value, kind):
            return words
    return "a number"


def _plain(text: str) -> object:
    """The value of an unquoted scalar by YAML 1.2's core schema (chapter 10.3.2).

    Raises:
        ValueError: a number that is not finite or that has no sensible size.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"number {text} is not finite")
    if _BASED.fullmatch(text):
        return int(text, 0)
    if not _FRACTION.fullmatch(text):
        return text
    number = Decimal(text)
    if len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"number {shown(text)} is out of range; put it in quotes if it is a text")
    return int(text) if _INTEGER.fullmatch(text) else number


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read, with its size and height so far."""

    value: dict[str, object] | list[object]
    path: Path
    line: int
    anchor: str | None
    key: str | None = None
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class Builder:
    """Builds the documents of one event stream.

    Attributes:
        first: the line of the file that the stream's first line is.
        items: the documents that are complete.
        listed: whether they are items of a top-level list.
    """

    first: int
    items: list[Item] = field(default_factory=list)
    listed: bool = False
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[object, int, int]] = field(default_factory=dict)
    _aliased: int = 0
    _lines: dict[Path, int] = field(default_factory=dict)
    _fault: tuple[int, str] | None = None

    def build(self, events: Iterable[yaml.Event]) -> None:
        """Take all events; ``items`` then holds one document, or one for each item of a top-level list.

        Raises:
            Unreadable: nested too deeply, or aliases stand for too much.
            yaml.YAMLError: not YAML.
        """
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)

    def _line(self, event: yaml.Event) -> int:
        return self.first + (int(event.start_mark.line) if event.start_mark else 0)

    def _refuse(self, line: int, reason: str) -> None:
        """Refuse the document at hand, but read on for those after it in a list."""
        if self._fault is None:
            self._fault = (line, reason)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = self._line(event)
        bad = refused_character(event.value)
        if bad:
            self._refuse(line, bad[1])
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.key is None:
            top.key = self._key(top, event.value if event.value != "<<" or not event.implicit[0] else _MERGE, line)
        else:
            self._keep(self._value(event, line), line, event.anchor, 1, 0)

    def _key(self, top: _Open, key: str, line: int) -> str:
        if isinstance(top.value, dict) and key in top.value:
            before = self._lines.get((*top.path, key), top.line)
            self._refuse(line, f"key {shown(key)} is given twice; the first is on line {before}")
        self._lines[(*top.path, key)] = line
        return key

    def _value(self, event: yaml.ScalarEvent, line: int) -> object:
        plain = event.implicit[0] or event.tag in _VALUE_TAGS
        if not plain and event.tag is not None and event.tag not in _TEXT_TAGS:
            self._refuse(line, f"tag {shown(event.tag)} is not accepted")
        try:
            return _plain(event.value) if plain else event.value
        except ValueError as error:
            self._refuse(line, str(error))
            return None

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        line = self._line(event)
        if event.tag not in _COLLECTION_TAGS:
            self._refuse(line, f"tag {shown(str(event.tag))} is not accepted")
        if len(self._stack) >= DEEPEST:
            raise Unreadable(line, f"nested deeper than {DEEPEST} levels")
        value: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.listed = self.listed or (not self._stack and isinstance(value, list))
        self._stack.append(_Open(value, self._place(), line, event.anchor))

    def _place(self) -> Path:
        """The path of the value that comes next; each item of a top-level list is a document with paths of its own."""
        if not self._stack or self._is_item():
            return ()
        top = self._stack[-1]
        return (*top.path, len(top.value) if isinstance(top.value, list) else top.key or "")

    def _is_item(self) -> bool:
        return len(self._stack) == 1 and isinstance(self._stack[0].value, list)

    def _end(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            self._merge(done)
        if self._stack or isinstance(done.value, dict):
            self._keep(done.value, done.line, done.anchor, done.size, done.height)

    def _merge(self, done: _Open) -> None:
        """Fill in what the merge key brings; what is written out wins, then the earlier mapping."""
        if not isinstance(done.value, dict) or _MERGE not in done.value:
            return
        merged = done.value.pop(_MERGE)
        for mapping in merged if isinstance(merged, list) else [merged]:
            if not isinstance(mapping, dict):
                self._refuse(done.line, "a merge key << takes a mapping or a list of mappings")
                return
            for key, value in mapping.items():
                done.value.setdefault(key, value)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line = self._line(event)
        anchor = event.anchor or ""
        if anchor not in self._anchors:
            self._refuse(line, f"alias *{anchor} refers to nothing that ends before it")
        value, size, height = self._anchors.get(anchor, (None, 1, 0))
        self._aliased += size
        if self._aliased > MOST_ALIASED:
            raise Unreadable(line, f"aliases stand for more than {MOST_ALIASED} values")
        if len(self._stack) + height > DEEPEST:
            raise Unreadable(line, f"nested deeper than {DEEPEST} levels")
        self._keep(value, line, None, size, height)

    def _keep(self, value: object, line: int, anchor: str | None, size: int, height: int) -> None:
        if anchor:
            self._anchors[anchor] = (value, size, height)
        if not self._stack or self._is_item():
            self.items.append(Item(value, line, self._lines, self._fault))
            self._lines, self._fault = {}, None
            return
        top = self._stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        self._put(top, value, line)

    def _put(self, top: _Open, value: object, line: int) -> None:
        if isinstance(top.value, list):
            self._lines[(*top.path, len(top.value))] = line
            top.value.append(value)
        elif top.key is None:
            self._refuse(line, f"a key is a text, not {kind_of(value)}")
            top.key = ""
        else:
            top.value[top.key] = value
            top.key = None
