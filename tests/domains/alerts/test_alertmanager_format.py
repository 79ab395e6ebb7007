"""What Prometheus and amtool post to Alertmanager's API."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from opsgraph.domains.alerts.formats.alertmanager import read
from opsgraph.domains.alerts.model import Action, AlertReport, Reports, Severity
from opsgraph.domains.alerts.rules.fingerprints import of_labels
from opsgraph.kernel.refusals import Invalid
from tests.support.clock import START
from tests.support.inbound import REPORTER, ZERO, json, labelled, only, reasons

MINUTE = timedelta(minutes=1)


def batch(*members: Any) -> Reports:
    """What is read of a batch at START."""
    return read(json(list(members)), START, REPORTER)


def at(instant: datetime) -> str:
    """An instant as Go writes it."""
    return instant.isoformat().replace("+00:00", "Z")


def test_an_alert_of_prometheus_is_read_whole() -> None:
    """Every field, as Prometheus sends it: nanoseconds are cut, and the end is in the future while it fires."""
    alert = labelled(
        startsAt="2024-03-15T11:58:00.123456789Z",
        endsAt="2024-03-15T12:04:00.9999999Z",
        generatorURL="http://prometheus:9090/graph?g0.expr=up",
    )
    assert only(batch(alert)) == AlertReport(
        fingerprint=of_labels(alert["labels"]),
        service="api",
        severity=Severity.CRITICAL,
        message="HighErrorRate of api",
        source="alertmanager",
        reporter=REPORTER,
        action=Action.FIRE,
        source_severity="critical",
        severity_recognised=True,
        labels=alert["labels"],
        annotations=alert["annotations"],
        starts_at=datetime.fromisoformat("2024-03-15T11:58:00.123456+00:00"),
        ends_at=datetime.fromisoformat("2024-03-15T12:04:00.999999+00:00"),
        source_url="http://prometheus:9090/graph?g0.expr=up",
    )


def test_what_amtool_sends_has_the_zero_time_twice() -> None:
    """Which means that neither is said: it fires from now on, without an end."""
    report = only(batch(labelled(startsAt=ZERO, endsAt=ZERO, generatorURL="")))
    assert (report.action, report.starts_at, report.ends_at, report.source_url) == (Action.FIRE, START, None, None)


@pytest.mark.parametrize("zero", [ZERO, "0001-01-01T00:00:00.000Z", "", None])
def test_every_way_of_saying_no_time_is_known(zero: str | None) -> None:
    """The zero time in milliseconds, an empty text and null as well."""
    report = only(batch(labelled(startsAt=zero, endsAt=zero)))
    assert (report.starts_at, report.ends_at) == (START, None)


@pytest.mark.parametrize(
    ("end", "action"),
    [
        (START + timedelta(microseconds=1), Action.FIRE),
        (START, Action.RESOLVE),
        (START - MINUTE, Action.RESOLVE),
    ],
)
def test_it_fires_until_its_end(end: datetime, action: Action) -> None:
    """An end that has come resolves; without a start it began when it ended, if that was before now."""
    report = only(batch(labelled(endsAt=at(end))))
    assert (report.action, report.ends_at, report.starts_at) == (action, end, min(START, end))


def test_zones_are_read() -> None:
    """Whatever the offset."""
    report = only(batch(labelled(startsAt="2024-03-15T13:30:00+02:00")))
    assert report.starts_at == datetime.fromisoformat("2024-03-15T11:30:00+00:00")


def test_empty_labels_are_dropped_before_the_fingerprint() -> None:
    """Empty and null mean absent, as to an Alertmanager."""
    labels = {"alertname": "a", "job": "", "zone": None}
    report = only(batch({"labels": labels, "annotations": {"summary": "", "runbook": None}}))
    assert (report.labels, report.annotations) == ({"alertname": "a"}, {})
    assert report.fingerprint == of_labels({"alertname": "a"})


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "api", "service_name": "b", "job": "c"}, "api"),
        ({"service_name": "b", "job": "c"}, "b"),
        ({"job": "c"}, "c"),
        ({"service": " ", "job": "c"}, "c"),
        ({"alertname": "a"}, "unknown"),
        ({"service": "Not A Label / 例"}, "Not A Label / 例"),
        ({"service": "a\x1b[31m\nb"}, "a\ufffd[31m\ufffdb"),
        ({"service": "x" * 201}, "x" * 199 + "…"),
    ],
)
def test_the_service_is_found(labels: dict[str, str], service: str) -> None:
    """By its own label, else by those that are used for it; as sent, but for what steers terminals."""
    assert only(batch({"labels": labels})).service == service


@pytest.mark.parametrize(
    ("labels", "severity", "recognised", "word"),
    [
        ({"severity": "page"}, Severity.CRITICAL, True, "page"),
        ({"severity": "Warning", "priority": "P1"}, Severity.MEDIUM, True, "Warning"),
        ({"priority": "P2"}, Severity.HIGH, True, "P2"),
        ({"severity": "none"}, Severity.MEDIUM, False, "none"),
        ({"alertname": "a"}, Severity.MEDIUM, False, None),
    ],
)
def test_the_severity_is_found(labels: dict[str, str], severity: Severity, recognised: bool, word: str | None) -> None:
    """By its label, else by the priority; other words are flagged, and kept."""
    report = only(batch({"labels": labels}))
    assert (report.severity, report.severity_recognised, report.source_severity) == (severity, recognised, word)


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"summary": "s", "description": "d", "message": "m"}, "s"),
        ({"summary": " ", "description": "d", "message": "m"}, "d"),
        ({"message": "m"}, "m"),
        ({}, "Down"),
        (None, "Down"),
        ({"summary": "x" * 10_001}, "x" * 9_999 + "…"),
    ],
)
def test_the_message_is_found(annotations: dict[str, str] | None, message: str) -> None:
    """In the annotations, else it is the alert's name; a long one is cut, because somebody wants to be paged."""
    assert only(batch({"labels": {"alertname": "Down"}, "annotations": annotations})).message == message


def test_an_alert_without_a_name_is_told_by_its_labels() -> None:
    """There is always something to read."""
    assert only(batch({"labels": {"job": "node", "zone": "a"}})).message == "job=node, zone=a"


BAD: list[tuple[Any, str]] = [
    (1, "it is a number, not an object"),
    (None, "it is null, not an object"),
    ([], "it is an array, not an object"),
    ({}, "labels is missing"),
    ({"labels": None}, "labels is null, not an object"),
    ({"labels": {}}, "labels has no label with a value"),
    ({"labels": {"a": ""}}, "labels has no label with a value"),
    ({"labels": {"": "b"}}, "labels has a label without a name"),
    ({"labels": {"a": 3}}, "a value of labels is a number, not a text"),
    ({"labels": {"a": "x" * 65_536}}, "labels has 65,537 characters; at most 65,536 are accepted"),
    (labelled(annotations=[]), "annotations is an array, not an object"),
    (labelled(startsAt=5), "startsAt is a number, not a text"),
    (labelled(startsAt="yesterday"), 'startsAt "yesterday" is not an RFC 3339 instant'),
    (labelled(startsAt="2024-03-15T12:00:00"), "is not an RFC 3339 instant with a zone"),
    (labelled(startsAt="2024-02-30T12:00:00Z"), "is not an RFC 3339 instant"),
    (labelled(startsAt="2024-03-15T24:00:00Z"), "is not an RFC 3339 instant"),
    (labelled(endsAt="9999-12-31T23:59:59-01:00"), "is not an RFC 3339 instant"),
    (labelled(startsAt="1969-12-31T23:59:59Z"), "is before 1970"),
    (labelled(startsAt=at(START), endsAt=at(START - MINUTE)), "endsAt is before startsAt"),
]


@pytest.mark.parametrize(("member", "reason"), BAD)
def test_a_bad_member_is_refused_by_its_place_and_costs_no_other(member: Any, reason: str) -> None:
    """Before, between and behind good ones."""
    reports = batch(labelled("a"), member, labelled("b"))
    assert [(index, report.labels["alertname"]) for index, report in reports.accepted] == [(0, "a"), (2, "b")]
    assert reasons(reports).keys() == {1}
    assert reason in reasons(reports)[1]


@pytest.mark.parametrize("count", [1, 10, 11, 256, 1_000])
def test_every_alert_of_a_batch_is_kept(count: int) -> None:
    """Not the first ten: Prometheus sends up to 256 at a time."""
    reports = batch(*(labelled(f"a{number}") for number in range(count)))
    assert [index for index, _ in reports.accepted] == list(range(count))
    assert len({report.fingerprint for _, report in reports.accepted}) == count


def test_alerts_are_not_merged_by_their_summary() -> None:
    """What tells them apart are their labels."""
    same = {"summary": "the disk is full"}
    hosts = [{"labels": {"alertname": "Disk", "instance": f"db-{n}"}, "annotations": same} for n in range(3)]
    reports = batch(*hosts)
    assert {report.message for _, report in reports.accepted} == {"the disk is full"}
    assert len({report.fingerprint for _, report in reports.accepted}) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON: it ends too early"),
        (b"[", "the body is not JSON: it ends too early"),
        (b"[{]", "the body is not JSON: expected '\"' .byte 2."),
        (b"[NaN]", "the body is not JSON: invalid character .byte 1."),
        (b"{}", "the body is an object, not an array"),
        (b"null", "the body is null, not an array"),
        (b'"x"', "the body is a text, not an array"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"{}," * 50_000 + b"{}]", "has 50,001 alerts; at most 50,000"),
    ],
)
def test_a_body_that_is_no_array_is_refused(body: bytes, reason: str) -> None:
    """As a whole: there are no good members to store."""
    with pytest.raises(Invalid, match=reason):
        read(body, START, REPORTER)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b'"a\\u0000b"', "a\ufffdb"),
        (b'"a\\ud800b"', "a\ufffdb"),
        (b'"a\\uDFFF\\ud83db"', "a\ufffd\ufffdb"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\\\u0000"', "\\\ufffd"),
        (b'"a\xffb"', "a\ufffdb"),
        ('"größer 例"'.encode(), "größer 例"),
    ],
)
def test_what_no_database_stores_is_replaced(written: bytes, kept: str) -> None:
    """An alert with an odd character is better than none."""
    body = b'[{"labels": {"alertname": %b}, "annotations": {"summary": "s"}}]' % written
    assert only(read(body, START, REPORTER)).labels == {"alertname": kept}


def test_long_annotations_are_cut_and_never_cost_the_alert() -> None:
    """Each to 10,000 characters; all together to 65,536."""
    annotations = {"summary": "s", **{f"log{number}": "x" * 20_000 for number in range(10)}}
    report = only(batch(labelled(annotations=annotations)))
    assert report.annotations["log0"] == "x" * 9_999 + "…"
    assert sum(len(n) + len(v) for n, v in report.annotations.items()) <= 65_536
    assert (report.message, "log9" in report.annotations) == ("s", False)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x", "x", "http://" + "x" * 2_000, "http://[", "http://a\n"]
)
def test_an_address_that_no_page_should_link_to_is_left_out(url: str) -> None:
    """The alert is taken all the same."""
    assert only(batch(labelled(generatorURL=url))).source_url is None


def test_fields_that_are_not_known_are_passed_over() -> None:
    """Whatever they hold, in the alert and beside it."""
    assert only(batch(labelled(status={"state": "active"}, receivers=[1], fingerprint=7))).service == "api"
