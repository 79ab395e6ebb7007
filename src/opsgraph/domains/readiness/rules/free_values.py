"""Free values of a declaration: any JSON, within limits."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH, free_text, shown

MOST_BYTES = 64 * 1024
MOST_LEVELS = 8
MOST_ENTRIES = 500

_LEAST, _MOST = -(2**63), 2**63 - 1
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_JSON = (str, bool, int, float, Mapping, list, type(None))

Path = tuple[str | int, ...]
"""What leads to a value: names, and places in lists."""


def accept(values: Mapping[str, Any], field: str) -> None:
    """Let a JSON object pass that is not too large, too deep or too wide, and that any reader of JSON can read.

    Args:
        values: the object.
        field: what it is called; where paths begin.

    Raises:
        Invalid: it takes more than 64 KiB, has more than 500 entries or 8 levels, or a name, text or number in it is
            not accepted; the field is the path that leads there.
    """
    for number, (path, value) in enumerate(_walk(values, (field,)), start=1):
        if number > MOST_ENTRIES:
            raise Invalid(
                f"{field} has more than {MOST_ENTRIES} entries, counting those of every object and list", field
            )
        _accept_one(path, value)
    size = len(text_of(values).encode())
    if size > MOST_BYTES:
        raise Invalid(f"{field} takes {size} bytes as JSON; at most {MOST_BYTES} are accepted", field)


def text_of(value: Any) -> str:
    """A value as JSON; equal texts for equal values, whatever the order of names. True is not 1, nor is 1.0."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def dotted(path: Path) -> str:
    """A path for people: names with dots between them, quoted where they are no plain words."""
    return "".join(_step(part) for part in path).removeprefix(".")


def said(value: Any) -> str:
    """What a value is, for a message that refuses it."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    fits = value is None or isinstance(value, bool | float) or _fits(value)
    return json.dumps(value) if fits else "a number of more than 64 bits"


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN.fullmatch(part) else f"[{shown(part)}]"


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every entry below a value with the path that leads there: an object's before those within them."""
    if not isinstance(value, Mapping | list):
        return
    if len(path) > MOST_LEVELS:
        raise _refused(f"{dotted(path[1:])} is nested more than {MOST_LEVELS} levels deep", path)
    for name, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield (*path, name), item
        yield from _walk(item, (*path, name))


def _accept_one(path: Path, value: Any) -> None:
    _accept_name(path)
    label = dotted(path[1:])
    if isinstance(value, str):
        _accept_text(label, value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _refused(f"{label} is no finite number", path)
    elif isinstance(value, int | float) and not _fits(value):
        raise _refused(f"{label} is a whole number of more than 64 bits", path)
    elif not isinstance(value, _JSON):
        raise _refused(f"{label} is no value of JSON", path)


def _accept_name(path: Path) -> None:
    *within, name = path[1:]
    if isinstance(name, int):
        return
    where = f"a name in {dotted(tuple(within))}"
    if not name or len(name) > NAME_LENGTH:
        raise _refused(f"{where} has {len(name)} characters; it takes 1 to {NAME_LENGTH}", path)
    _accept_text(where, name, path)


def _accept_text(label: str, text: str, path: Path) -> None:
    try:
        free_text(text, label, MOST_BYTES)
    except Invalid as refusal:
        raise _refused(refusal.message, path) from refusal


def _refused(message: str, path: Path) -> Invalid:
    return Invalid(message, [str(part) for part in path])


def _fits(value: float) -> bool:
    """Whether a number fits in 64 bits; a float too large for that is a whole number, be it one that was rounded."""
    return _LEAST <= value <= _MOST
