"""Texts of other systems, cut and cleaned until they can be stored: a long annotation must not cost an alert."""

import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from opsgraph.kernel.text import NAME_LENGTH, TEXT_LENGTH

UNKNOWN_SERVICE = "unknown"
LABELS_LENGTH = 65_536
"""How many characters the labels of an alert may have, names and values; likewise what is kept of its annotations."""

_URL_LENGTH = 2_000
_REPLACEMENT = "\ufffd"


def cut(text: str, limit: int = TEXT_LENGTH) -> str:
    """At most so many characters of a text; an ellipsis stands for the rest."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def first_of(texts: Iterable[str | None]) -> str | None:
    """The first text that says anything, without the space around it; None if none does."""
    for text in texts:
        if text and (said := text.strip()):
            return said
    return None


def service_name(candidates: Iterable[str | None]) -> str:
    """The first candidate that says anything as the name of a service: one line of at most 200 characters."""
    name = first_of(candidates) or UNKNOWN_SERVICE
    if not name.isprintable():
        name = "".join(_REPLACEMENT if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in name)
    return cut(name, NAME_LENGTH)


def length_of(texts: Mapping[str, str]) -> int:
    """How many characters labels or annotations have, names and values."""
    return sum(map(len, texts)) + sum(map(len, texts.values()))


def kept(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Annotations with long values cut; once all have 65,536 characters together, the rest is left out."""
    if length_of(annotations) <= TEXT_LENGTH:
        return annotations
    room, found = LABELS_LENGTH, {}
    for name, value in annotations.items():
        shortened = cut(value)
        room -= len(name) + len(shortened)
        if room < 0:
            break
        found[name] = shortened
    return found


def web_address(text: str | None) -> str | None:
    """An address that a page may link to: http or https, at most 2,000 characters; None for anything else."""
    if not text or len(text) > _URL_LENGTH or not text.isprintable():
        return None
    try:
        return text if urlsplit(text).scheme in {"http", "https"} else None
    except ValueError:
        return None
