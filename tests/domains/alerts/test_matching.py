"""Matchers on labels, against a plain reading of what Alertmanager says they mean."""

import re
import string
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import Matcher
from opsgraph.domains.alerts.rules import matching
from opsgraph.kernel.refusals import Invalid

NAMES = st.sampled_from(["service", "severity", "job", "é"])
VALUES = st.sampled_from(["", "a", "b", "ab", "a\nb", "api-1", "API", "日本", "a.b"])
EXPRESSIONS = st.sampled_from(
    ["", ".*", ".+", "a", "a|b", "a.b", "[a-z]+-[0-9]", "^a$", "(?i)api.*", "a?", "日.", "a|"]
)
LABELS = st.dictionaries(NAMES, VALUES)
MATCHERS = st.builds(Matcher, NAMES, VALUES, st.just(value=False), st.booleans()) | st.builds(
    Matcher, NAMES, EXPRESSIONS, st.just(value=True), st.booleans()
)


def plainly(matcher: Matcher, labels: dict[str, str]) -> bool:
    """Whether labels fulfil a matcher, in the most simple-minded way."""
    value = labels.get(matcher.label, "")
    holds = re.fullmatch(matcher.value, value) is not None if matcher.regex else value == matcher.value
    return not holds if matcher.negative else holds


@given(matchers=st.lists(MATCHERS, max_size=4), labels=LABELS)
def test_labels_fulfil_matchers_when_they_fulfil_each(matchers: list[Matcher], labels: dict[str, str]) -> None:
    """An absent label is empty, an expression matches the whole value, negative means not."""
    assert matching.test_of(matchers)(labels) is all(plainly(matcher, labels) for matcher in matchers)


@given(matchers=st.lists(MATCHERS, min_size=1, max_size=4))
def test_matchers_say_something_when_one_asks_for_a_label(matchers: list[Matcher]) -> None:
    """Those that an alert without any label fulfils would keep almost everything quiet."""
    assert matching.says_something(matchers) is not all(plainly(matcher, {}) for matcher in matchers)


@given(text=st.text(string.ascii_lowercase + "().*+?[]{}|\\^$0", max_size=12), value=st.text("ab", max_size=4))
def test_any_expression_is_refused_or_works(text: str, value: str) -> None:
    """Whatever people type is either an `Invalid` or a matcher that answers; never another error."""
    matcher = Matcher("service", text, regex=True)
    with suppress(Invalid):
        accepted = matching.matchers([matcher])
        assert matching.test_of(accepted)({"service": value}) in {True, False}


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a?){500}a{500}b", "(.*)(.*)(.*)(.*)(.*)x"])
def test_a_hostile_expression_does_not_hang(expression: str) -> None:
    """What takes a backtracking engine longer than the universe has existed takes milliseconds."""
    test = matching.test_of(matching.matchers([Matcher("service", expression, regex=True)]))
    started = time.process_time()
    assert not test({"service": "a" * 50_000 + "!"})
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("matcher", "reason"),
    [
        (Matcher("a", "(", regex=True), "missing )"),
        (Matcher("a", "(?=b)", regex=True), "invalid perl operator"),
        (Matcher("a", r"(b)\1", regex=True), "invalid escape sequence"),
        (Matcher("a", "b{2000}", regex=True), "invalid repetition size"),
        (Matcher("a", "((b{100}){100}){10}", regex=True), "invalid repetition size"),
        (Matcher("a", "(.{0,90}){9}x" * 40, regex=True), "too large"),
        (Matcher("", "b"), "names no label"),
        (Matcher("  ", "b"), "names no label"),
        (Matcher("a" * 201, "b"), "201 characters"),
        (Matcher("a", "b" * 4_001), "4001 characters"),
        (Matcher("a\0", "b"), "U+0000"),
        (Matcher("a", "\ud800", regex=True), "U+D800"),
        (Matcher("a", "\x07"), "U+0007"),
    ],
)
def test_what_is_no_matcher_is_refused(matcher: Matcher, reason: str) -> None:
    """The reason says what is wrong, and where."""
    with pytest.raises(Invalid) as refused:
        matching.matchers([matcher], "filter")
    assert reason in refused.value.message
    assert refused.value.field == ("filter",)


def test_there_are_at_most_fifty_matchers() -> None:
    """Each alert is held against all of them."""
    fifty = [Matcher("a", str(number)) for number in range(50)]
    assert matching.matchers(fifty) == tuple(fifty)
    with pytest.raises(Invalid, match="51 members"):
        matching.matchers([*fifty, Matcher("a", "b")])
