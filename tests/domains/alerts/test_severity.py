"""Which words mean how bad it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.alerts.rules.severity import own_severity, severity_of
from opsgraph.kernel.refusals import Invalid

KNOWN = {
    Severity.CRITICAL: ["critical", "page", "fatal", "emergency", "P1"],
    Severity.HIGH: ["high", "error", "major", "P2"],
    Severity.MEDIUM: ["medium", "warning", "minor", "P3"],
    Severity.LOW: ["low", "P4"],
    Severity.INFO: ["info", "notice", "P5"],
}


@pytest.mark.parametrize(
    ("severity", "word"), [(severity, word) for severity, words in KNOWN.items() for word in words]
)
def test_a_known_word_is_understood_in_any_case(severity: Severity, word: str) -> None:
    """With or without space around it."""
    for written in (word, word.upper(), word.title(), f" {word}\t"):
        assert severity_of(written) == (severity, True)
        assert own_severity(written) is severity


@pytest.mark.parametrize("word", ["none", "sev1", "P0", "P6", "warn", "crit", "kritisch", "", "  ", None])
def test_any_other_word_means_medium_and_is_flagged(word: str | None) -> None:
    """So is no word at all: an alert is not lost for it."""
    assert severity_of(word) == (Severity.MEDIUM, False)


@given(st.text())
def test_every_text_means_something(word: str) -> None:
    """And what is not known is never worse or better than MEDIUM."""
    severity, recognised = severity_of(word)
    assert recognised == (word.strip().lower() in {known.lower() for words in KNOWN.values() for known in words})
    assert recognised or severity is Severity.MEDIUM


@pytest.mark.parametrize("word", ["none", "sev1", "", "critical!"])
def test_our_own_formats_refuse_other_words(word: str) -> None:
    """With the field, and what would do."""
    with pytest.raises(Invalid, match="is not known here; use critical, high, medium, low, info") as caught:
        own_severity(word, "severity")
    assert caught.value.field == ("severity",)
