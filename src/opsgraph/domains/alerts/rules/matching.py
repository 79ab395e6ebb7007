"""Matchers on labels, as Alertmanager has them: what they accept, and which labels fulfil them.

A label that is absent counts as empty. Regular expressions have RE2's syntax, as in Prometheus and Alertmanager, and
match the whole value. RE2 takes time linear in the length of the value, whatever the expression: people write these
expressions, and each alert is held against them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import re2

from opsgraph.domains.alerts.model import Matcher
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH, free_text, shown

MOST_MATCHERS = 50
VALUE_LENGTH = 4_000
_MEMORY = 256 * 1024  # bounds the compiled expression, and so the work for each character of a value
_REMEMBERED_LENGTH = 200

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]


def matchers(wanted: Sequence[Matcher], field: str = "matchers") -> tuple[Matcher, ...]:
    """Accept at most 50 matchers.

    Raises:
        Invalid: too many, a label without a name, a text that is too long, or a regular expression that RE2 refuses.
    """
    if len(wanted) > MOST_MATCHERS:
        raise Invalid(f"{field} has {len(wanted)} members; at most {MOST_MATCHERS} are accepted", field)
    return tuple(_checked(matcher, field) for matcher in wanted)


def says_something(wanted: Sequence[Matcher]) -> bool:
    """Whether at least one matcher is not fulfilled by an absent label; otherwise almost everything fulfils them."""
    return any(not test_of([matcher])({}) for matcher in wanted)


def test_of(wanted: Sequence[Matcher]) -> Test:
    """A function that tells whether labels fulfil every matcher; made once, it is quick for many alerts."""
    return partial(_all, [_test(matcher) for matcher in wanted])


def _all(tests: Sequence[Test], labels: Labels) -> bool:
    return all(test(labels) for test in tests)


def _test(matcher: Matcher) -> Test:
    label, value, wanted = matcher.label, matcher.value, not matcher.negative
    if matcher.regex:
        return lambda labels: _fits(value, labels.get(label, "")) is wanted
    return lambda labels: (labels.get(label, "") == value) is wanted


def _fits(expression: str, value: str) -> bool:
    return _remembered(expression, value) if len(value) <= _REMEMBERED_LENGTH else _whole(expression, value)


def _whole(expression: str, value: str) -> bool:
    return _compiled(expression).fullmatch(value) is not None


# Services and severities are few, and the same ones come again and again.
_remembered = lru_cache(maxsize=8_192)(_whole)


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return re2.compile(expression, options)


def _checked(matcher: Matcher, field: str) -> Matcher:
    if not matcher.label.strip():
        raise Invalid(f"a matcher in {field} names no label", field)
    free_text(matcher.label, field, NAME_LENGTH)
    free_text(matcher.value, field, VALUE_LENGTH)
    if matcher.regex:
        _refuse_broken(matcher, field)
    return matcher


def _refuse_broken(matcher: Matcher, field: str) -> None:
    try:
        _compiled(matcher.value)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "it is not one"
        raise Invalid(
            f"the regular expression {shown(matcher.value)} for {shown(matcher.label)} is refused: {reason}", field
        ) from error
