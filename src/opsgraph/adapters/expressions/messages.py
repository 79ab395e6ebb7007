"""What is said of expressions: CEL's words, with the place apart from them and its codes left out."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from opsgraph.adapters.expressions.process import Death
from opsgraph.domains.readiness.model.expressions import LENGTH, Evaluated
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_text, printable, shown

FIELD = "expression"

_TOO_MUCH_MEMORY = "takes too much memory"
_LIMITS = (
    ("Iteration budget exceeded", "takes more than 10,000 steps"),
    ("recursion limit exceeded", "is nested deeper than 32 levels"),
    ("max recursion depth", "is nested deeper than 32 levels"),
    ("MemoryError", _TOO_MUCH_MEMORY),
    ("bad_alloc", _TOO_MUCH_MEMORY),
)
_PLACED = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_CODE = re.compile(r"^[A-Z_]+: (?=\S)|( \[[A-Z_]+\])+$")
_UNKNOWN = re.compile(r"undeclared reference to '(.*?)'")
_OVERLOAD = re.compile(r"found no matching overload for '(.*?)' applied to '(.*)'")
_NO_VALUE = re.compile(r'No value with name "(.*?)" found')
_MIXED = {"(double, int)", "(int, double)"}
_EXPECTING = re.compile(r" expecting \{.*\}")


def refusal_of(text: str) -> str | None:
    """Why a text is no expression to begin with, if so."""
    try:
        accepted(text)
    except Invalid as refusal:
        return refusal.message
    return None


def accepted(text: str) -> str:
    """An expression of at most 2,000 characters without control characters.

    Raises:
        Invalid: it is empty, too long, or has a control character or half a character in it.
    """
    if not text.strip():
        raise Invalid(f"{FIELD} is empty; it takes a condition such as manifest.metrics", FIELD)
    return free_text(text, FIELD, LENGTH)


def not_compiled(said: str, fields: Mapping[str, Any]) -> Invalid:
    """The refusal of an expression by what CEL said of it: the first error, with its place if it has one."""
    limit = _limit(said)
    if limit:
        return broken(limit)
    placed = _PLACED.search(said)
    if not placed:
        return Invalid(f"{FIELD}: {_meant(said, fields)}", FIELD)
    line, column = int(placed[1]), int(placed[2])
    what = _meant(said, fields)
    return Invalid(f"{FIELD}, line {line}, column {column}: {what}", FIELD, {"line": line, "column": column})


def not_bool(kind: str) -> Invalid:
    """The refusal of an expression that comes to something else than true or false."""
    hint = "; compare it with something, as in manifest.custom.region == 'eu'" if kind == "DYN" else ""
    return Invalid(f"{FIELD} comes to {kind.lower()}, and has to come to bool{hint}", FIELD)


def broken(limit: str) -> Invalid:
    """The refusal of an expression that breaks a limit."""
    return Invalid(f"{FIELD} {limit}", FIELD)


def unavailable(death: Death | None) -> str:
    """Why no expression can be evaluated here: the last that was said before a process ended that had begun nothing."""
    said = death.words.splitlines() if death is not None else []
    return f"expressions cannot be evaluated here: {printable(said[-1]) if said else 'no process stays alive'}"


def evaluated(answer: bool | str) -> Evaluated:
    """What an evaluation came to, from the child's answer."""
    if isinstance(answer, bool):
        return Evaluated(value=answer)
    missing = _NO_VALUE.search(answer)
    if missing:
        return Evaluated(error=f"{missing[1]} is not known of this service")
    return Evaluated(error=_limit(answer) or _meant(answer, {}))


def _limit(said: str) -> str | None:
    return next((words for sign, words in _LIMITS if sign in said), None)


def _meant(said: str, fields: Mapping[str, Any]) -> str:
    """The first of what was said, in words, without codes, and with nothing that steers a terminal."""
    placed = _PLACED.search(said)
    first = placed[3] if placed else said.partition("\n")[0]
    unknown, overload = _UNKNOWN.search(first), _OVERLOAD.search(first)
    if unknown:
        return _unknown(unknown[1], fields)
    if overload:
        hint = "; write the number with a point, as 1.0" if overload[2] in _MIXED else ""
        return f"{overload[1].strip('_')} does not take {printable(overload[2])}{hint}"
    return printable(_CODE.sub("", _EXPECTING.sub("", first)).strip()) or "it has no value"


def _unknown(name: str, fields: Mapping[str, Any]) -> str:
    if name == "manifest":
        return "manifest is no value of its own; name one of its fields, as in manifest.metrics"
    near = difflib.get_close_matches(name, fields, n=1, cutoff=0.7)
    return f"{shown(name)} is not known" + (f"; did you mean {near[0]}?" if near else "")
