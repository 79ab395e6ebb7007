"""How bad an alert is, in one word for the many that monitoring tools use."""

from opsgraph.domains.alerts.model import Severity
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

WORDS = {
    Severity.CRITICAL: ("critical", "page", "fatal", "emergency", "p1"),
    Severity.HIGH: ("high", "error", "major", "p2"),
    Severity.MEDIUM: ("medium", "warning", "minor", "p3"),
    Severity.LOW: ("low", "p4"),
    Severity.INFO: ("info", "notice", "p5"),
}
"""The words that are known here, in lower case; the first is our own."""

_SEVERITIES = {word: severity for severity, words in WORDS.items() for word in words}
_UNKNOWN = (Severity.MEDIUM, False)
_KNOWN = {word: (severity, True) for word, severity in _SEVERITIES.items()}


def severity_of(word: str | None) -> tuple[Severity, bool]:
    """Read a source's word in any case: the severity, and whether the word is known. MEDIUM if it is not, or absent."""
    if not word:
        return _UNKNOWN
    return _KNOWN.get(word) or _KNOWN.get(word.strip().lower(), _UNKNOWN)


def own_severity(word: str, field: str = "severity") -> Severity:
    """Read a severity in a format of our own, which has to be one of the words that are known.

    Raises:
        Invalid: another word; names the field.
    """
    severity, recognised = severity_of(word)
    if not recognised:
        accepted = ", ".join(severity.value.lower() for severity in Severity)
        raise Invalid(f"{field} {shown(word)} is not known here; use {accepted}", field)
    return severity
