"""What can be said of an expression by its words alone, before anything compiles it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from opsgraph.domains.readiness.model.expressions import LENGTH
from opsgraph.domains.readiness.rules.manifests import CUSTOM, DECLARED
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_text

_FIELD = "expression"
_REMEMBERED = 1_024
_TOKEN = re.compile(
    r"""//[^\n]*  # a comment
    | [bB]?[rR][bB]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')  # a raw text
    | [bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | `[^`\n]*`  # a quoted name
    | [A-Za-z_][A-Za-z0-9_]* | \S""",
    re.VERBOSE | re.DOTALL,
)
_FIELDS = re.compile(r"(?:^| )manifest((?: \. [^ ]+)+)")
_ASKED = re.compile(r"(?:^| )has (?:\. )?manifest((?: [.\[] [^ ]+)+)")


def accepted(value: str) -> str:
    """An expression that is worth compiling, without space around it.

    Raises:
        Invalid: it is empty or too long, has control characters, or asks `has()` of what is no member of free values.
    """
    text = free_text(value.strip(), _FIELD, LENGTH)
    if not text:
        raise Invalid("expression is empty; it takes CEL over manifest, such as manifest.metrics", _FIELD)
    asked = next(_asked_for(text), None)
    if asked is not None:
        raise Invalid(
            f"has() is asked of {asked}, and works on members of manifest.{CUSTOM} only; what is declared always has "
            "a value, and an expression that needs something measured which is absent comes out as ERROR by itself",
            _FIELD,
        )
    return text


@lru_cache(maxsize=_REMEMBERED)
def named_sections(expression: str) -> frozenset[str]:
    """The sections that an expression reads: what follows `manifest.` in it, texts and comments left out.

    To CEL it makes no difference what stands in parentheses or is quoted: ``(manifest.`cost`).monthly`` is a cost.
    """
    named = {name for name, *_ in _paths(expression, _FIELDS)}
    return frozenset(named - DECLARED.keys())


def _asked_for(expression: str) -> Iterator[str]:
    """The fields of the manifest that `has()` is asked of as a whole; it would give their value, or not compile."""
    for path in _paths(expression, _ASKED):
        if path[0] != CUSTOM or path == [CUSTOM]:
            yield ".".join(("manifest", *path))


def _paths(expression: str, pattern: re.Pattern[str]) -> Iterator[list[str]]:
    """The names after `manifest.` wherever a pattern finds them; what brackets enclose is one more name."""
    tokens = (token.strip("`") for token in _TOKEN.findall(expression) if not token.startswith(("//", "(", ")")))
    code = " ".join("''" if token.endswith(("'", '"')) else token for token in tokens)
    return (re.findall(r"[^ .]+", found[1]) for found in pattern.finditer(code))
