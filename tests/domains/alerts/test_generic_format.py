"""The generic webhook: our own format."""

from datetime import datetime
from typing import Any

import pytest

from opsgraph.domains.alerts.formats.generic import read
from opsgraph.domains.alerts.model import Action, AlertReport, Reports, Severity
from opsgraph.domains.alerts.rules.fingerprints import of_content
from opsgraph.kernel.refusals import Invalid
from tests.support.clock import START
from tests.support.inbound import REPORTER, json, only, own, reasons


def of(*members: Any) -> Reports:
    """What is read of an array."""
    return read(json(list(members)), START, REPORTER)


def test_an_alert_is_read_whole() -> None:
    """Alone or in an array."""
    alert = own(
        labels={"zone": "eu", "empty": ""},
        annotations={"runbook": "http://wiki"},
        status="firing",
        startsAt="2024-03-15T11:58:00.123456789Z",
        unknown=[1],
    )
    expected = AlertReport(
        fingerprint=of_content("api", Severity.HIGH, "5xx spike"),
        service="api",
        severity=Severity.HIGH,
        message="5xx spike",
        source="generic",
        reporter=REPORTER,
        source_severity="high",
        labels={"zone": "eu"},
        annotations={"runbook": "http://wiki"},
        starts_at=datetime.fromisoformat("2024-03-15T11:58:00.123456+00:00"),
    )
    assert only(of(alert)) == expected
    assert only(read(json(alert), START, REPORTER)) == expected


def test_the_same_content_is_the_same_alert() -> None:
    """Whatever word the severity has; the start is not known unless it is said."""
    (_, one), (_, other) = of(own(severity="P2"), own(severity="error")).accepted
    assert one.fingerprint == other.fingerprint == of_content("api", Severity.HIGH, "5xx spike")
    assert one.starts_at is None


def test_a_dedup_key_holds_within_its_service() -> None:
    """Whose name is the same in any case; it does not hold in another, nor does the message count."""
    keys = [own(dedupKey="k"), own(dedupKey="k", service="API", message="other"), own(dedupKey="k", service="web")]
    one, same, other = [report.fingerprint for _, report in of(*keys).accepted]
    assert one == same != other


def test_to_resolve_by_key_needs_no_more() -> None:
    """Neither severity nor message."""
    resolved = only(of({"service": "api", "dedupKey": "k", "status": "Resolved"}))
    assert (resolved.action, resolved.fingerprint) == (Action.RESOLVE, only(of(own(dedupKey="k"))).fingerprint)


def test_to_resolve_by_content_needs_the_content() -> None:
    """It is what tells which alert is meant."""
    assert only(of(own(status="resolved"))).fingerprint == only(of(own())).fingerprint
    assert reasons(of({"service": "api", "status": "resolved"})) == {0: "severity is missing or empty"}


def test_a_long_message_is_cut() -> None:
    """Somebody wants to be paged; the beginning is what counts."""
    report = only(of(own(message="x" * 10_001)))
    assert report.message == "x" * 9_999 + "…"
    assert report.fingerprint == of_content("api", Severity.HIGH, "x" * 100)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (5, "an alert is an object, not a number"),
        (None, "an alert is an object, not null"),
        ({}, "service is empty"),
        (own(service=None), "service is empty"),
        (own(service=5), "service is a number, not a text"),
        (own(service="x" * 201), "service has 201 characters"),
        (own(service="a\nb"), "service contains the character U+000A at position 1"),
        (own(severity=None), "severity is missing or empty"),
        (own(severity="sev1"), 'severity "sev1" is not known here'),
        (own(severity=True), "severity is true or false, not a text"),
        (own(message=None), "message is missing or empty"),
        (own(message="  "), "message is missing or empty"),
        (own(message="a\0b"), "message contains the character U+0000 at position 1"),
        (own(labels=[]), "labels is an array, not an object"),
        (own(labels={"port": 80}), 'labels."port" is a number, not a text'),
        (own(labels={"": "x"}), "labels has a member without a name"),
        (own(labels={"a": "\0"}), "labels.a contains the character U+0000"),
        (own(labels={"a": "x" * 65_536}), "labels has 65,537 characters; at most 65,536"),
        (own(dedupKey="k" * 256), "dedupKey has 256 characters; at most 255"),
        (own(dedupKey="a\0"), "dedupKey contains the character U+0000"),
        (own(status="open"), 'status "open" is neither firing nor resolved'),
        (own(startsAt="yesterday"), 'startsAt "yesterday" is not an RFC 3339 instant'),
        (own(startsAt="0001-01-01T00:00:00Z"), "is before 1970"),
        (own(startsAt=1710504000), "startsAt is a number, not a text"),
    ],
)
def test_a_bad_member_is_refused_by_its_place_and_costs_no_other(member: Any, reason: str) -> None:
    """In our own format there is no guessing; each reason names its field."""
    reports = of(own(message="a"), member, own(message="b"))
    assert [(index, report.message) for index, report in reports.accepted] == [(0, "a"), (2, "b")]
    assert list(reasons(reports)) == [1]
    assert reason in reasons(reports)[1]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (rb'"message": "a\ud800b"', "message contains the character U+D800 at position 1, which is not accepted"),
        (b'"message": "m", "message": "n"', 'the alert has the key "message" twice'),
        (b'"message": "m", "labels": {"a": "1", "a": "2"}', 'labels has the key "a" twice'),
    ],
)
def test_what_only_the_sender_can_mean_is_refused(written: bytes, reason: str) -> None:
    """Half a surrogate pair, and a key that comes twice."""
    body = b'[{"service": "api", "severity": "high", %b}, {"service": "a", "severity": "low", "message": "m"}]'
    reports = read(body % written, START, REPORTER)
    assert (reasons(reports), [index for index, _ in reports.accepted]) == ({0: reason}, [1])


@pytest.mark.parametrize("count", [10, 11, 300])
def test_every_alert_of_a_batch_is_kept(count: int) -> None:
    """Not the first ten; messages that differ are different alerts."""
    reports = of(*(own(message=f"m{number}") for number in range(count)))
    assert [index for index, _ in reports.accepted] == list(range(count))
    assert len({report.fingerprint for _, report in reports.accepted}) == count


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON: Expecting value at line 1, column 1"),
        (b'{"service": }', "the body is not JSON: Expecting value at line 1, column 13"),
        (b"7", "the body is a number, not an alert or an array of alerts"),
        (b"null", "the body is null"),
        (b'"x"', "the body is a text"),
        (b"[NaN]", "NaN is no number"),
        (b'"\xff"', "the body is not UTF-8 at byte 1"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b"[" + b"0," * 50_000 + b"0]", "has 50,001 alerts; at most 50,000"),
    ],
)
def test_a_body_that_holds_no_alerts_is_refused(body: bytes, reason: str) -> None:
    """With the place."""
    with pytest.raises(Invalid) as caught:
        read(body, START, REPORTER)
    assert reason in caught.value.message


def test_numbers_of_any_size_are_numbers() -> None:
    """In fields that are not looked at."""
    body = b'{"service": "api", "severity": "low", "message": "m", "x": [%b, 1e999]}' % (b"9" * 5_000)
    assert only(read(body, START, REPORTER)).message == "m"


def test_an_empty_array_is_fine() -> None:
    """There is nothing to do."""
    assert read(b"[]", START, REPORTER) == Reports()
