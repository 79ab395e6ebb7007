"""Matchers as Alertmanager's users write them: `severity="high"`, `service=~api|web`, `{a="b", c!="d"}`."""

import re

from opsgraph.domains.alerts.model import Matcher
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

_QUOTED = r'"(?:[^"\\\n]|\\.)*"'
_MATCHER = re.compile(rf'\s*({_QUOTED}|[^\s=!~",{{}}]+)\s*(=~|!~|!=|=)\s*({_QUOTED}|[^",]*?)\s*(?:,|$)', re.DOTALL)
_OPERATORS = {"=": (False, False), "!=": (False, True), "=~": (True, False), "!~": (True, True)}
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


def read_matchers(text: str) -> list[Matcher]:
    """Read a filter: one matcher or several with commas between, in braces or not, values quoted or not.

    Raises:
        Invalid: it is not a filter; shows what cannot be read.
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    found, place = [], 0
    while place < len(inner):
        match = _MATCHER.match(inner, place)
        if match is None:
            raise Invalid(f'the filter {shown(inner[place:])} is not a matcher such as severity="high"', "filter")
        regex, negative = _OPERATORS[match[2]]
        found.append(Matcher(_unquoted(match[1]), _unquoted(match[3]), regex, negative))
        place = match.end()
    return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\.", lambda match: _ESCAPES.get(match[0], match[0]), text[1:-1], flags=re.DOTALL)
