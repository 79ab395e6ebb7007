"""Bodies of requests: JSON that is read member by member, so that a bad one never costs the good ones.

What other systems send is taken as far as it can be: characters that no database stores (NUL, halves of surrogate
pairs, bytes that are not UTF-8) become U+FFFD, because an alert with an odd character is better than none.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from opsgraph.domains.alerts.model import AlertReport, Refused, Reports
from opsgraph.kernel.refusals import Invalid

MOST_MEMBERS = 50_000
"""How many alerts a body may hold: more than fit into 8 MiB, but for made-up ones."""

_REPLACEMENT = rb"\ufffd"
_PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNSTORABLE = rb"\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000)"
_ESCAPES = re.compile(rb"(?P<kept>%b|\\[^u])|%b" % (_PAIR, _UNSTORABLE), re.DOTALL)

_MISFIT = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_KINDS = {
    "object": "an object",
    "array": "an array",
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
}

DecodedT = TypeVar("DecodedT")


def storable(body: bytes) -> bytes:
    """The same JSON without what cannot be stored."""
    if not body.isascii():
        body = body.decode("utf-8", "replace").encode()
    body = body.removeprefix(b"\xef\xbb\xbf")
    return _ESCAPES.sub(lambda match: match["kept"] or _REPLACEMENT, body) if b"\\u" in body else body


def decoded(decoder: msgspec.json.Decoder[DecodedT], body: bytes | msgspec.Raw) -> DecodedT:
    """What a decoder makes of a body or a part of one.

    Raises:
        Invalid: it is not JSON, or not of the decoder's type; names the place.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(_misfit(str(error), "it" if isinstance(body, msgspec.Raw) else "the body")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not JSON: {_malformed(str(error))}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error


def read_members(members: Sequence[msgspec.Raw], read: Callable[[msgspec.Raw], AlertReport]) -> Reports:
    """Read each member of a batch; those that ``read`` raises `Invalid` for are refused, with their places.

    Raises:
        Invalid: there are more than 50,000 members.
    """
    if len(members) > MOST_MEMBERS:
        raise Invalid(f"the body has {len(members):,} alerts; at most {MOST_MEMBERS:,} are accepted")
    reports = Reports()
    for index, member in enumerate(members):
        try:
            reports.accepted.append((index, read(member)))
        except Invalid as refusal:
            reports.refused.append(Refused(index, refusal.message))
    return reports


def _misfit(message: str, whole: str) -> str:
    """In our words, what a decoder says of a value of another type: its place, what it is, and what it is not."""
    said, _, path = message.partition(" - at ")
    place = path.strip("`").removeprefix("$").removeprefix(".")
    if missing := _MISSING.fullmatch(said):
        return f"{place}{'.' if place else ''}{missing['name']} is missing"
    subject = f"a value of {place.removesuffix('[...]')}" if place.endswith("[...]") else place or whole
    if misfit := _MISFIT.fullmatch(said):
        wanted = " or ".join(_KINDS.get(kind, kind) for kind in misfit["wanted"].split(" | ") if kind != "null")
        return f"{subject} is {_KINDS.get(misfit['got'], misfit['got'])}, not {wanted}"
    return f"{subject}: {said}"


def _malformed(message: str) -> str:
    """In our words, why a decoder says that something is not JSON."""
    return "it ends too early" if "truncated" in message else message.removeprefix("JSON is malformed: ")
