"""Media types: what a client sends, and what it can read."""

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
EVENT_STREAM = "text/event-stream"

_OFFERED = (PLAIN_JSON, RESPONSE_JSON)
_WILDCARDS = ("application/*", "*/*")
_UTF8 = frozenset({"utf-8", "utf8"})


def negotiated(accept: str | None) -> str | None:
    """The media type of the answer; None if the client takes neither of the two that there are.

    The higher quality wins, then what Accept names first (RFC 9110, section 12.5.1). Without Accept, and for a
    wildcard, it is ``application/json``: who does not name the newer type may not know it.
    """
    if accept is None or not accept.strip():
        return PLAIN_JSON
    ranges: dict[str, tuple[float, int]] = {}
    for place, part in enumerate(accept.split(",")):
        kind, parameters = _read(part)
        ranges.setdefault(kind, (_quality(parameters.get("q", "1")), -place))
    matches = [(_match(offered, ranges), offered) for offered in _OFFERED]
    (quality, _), best = max(matches, key=lambda match: match[0])
    return best if quality > 0 else None


def takes_streams(accept: str | None) -> bool:
    """Whether a client reads server-sent events: it says so by name, for a wildcard means nothing."""
    ranges = [_read(part) for part in (accept or "").split(",")]
    return any(kind == EVENT_STREAM and _quality(parameters.get("q", "1")) > 0 for kind, parameters in ranges)


def is_json(content_type: str) -> bool:
    """Whether a body of this type is read: ``application/json``, whatever its parameters."""
    return _read(content_type)[0] == PLAIN_JSON


def is_utf8(content_type: str) -> bool:
    """Whether a body of this type is said to be in UTF-8, which it is taken to be if nothing is said."""
    return _read(content_type)[1].get("charset", "utf-8") in _UTF8


def _match(offered: str, ranges: dict[str, tuple[float, int]]) -> tuple[float, int]:
    """Quality and (negative) place of the most specific range that a type falls under; quality 0 if under none."""
    return next((ranges[pattern] for pattern in (offered, *_WILDCARDS) if pattern in ranges), (0.0, 0))


def _read(text: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = text.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return kind.strip().lower(), {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}


def _quality(text: str) -> float:
    """A quality from 0 to 1; what is not one counts as 1, as if it had been left out."""
    try:
        quality = float(text)
    except ValueError:
        return 1.0
    return quality if 0 <= quality <= 1 else 1.0
