"""What formats are made of: instants, matchers, and what Alertmanager's clients are shown and send."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.formats.alertmanager_silences import read_silence
from opsgraph.domains.alerts.formats.alertmanager_views import alert_view, group_views, silence_view, status_view
from opsgraph.domains.alerts.formats.instants import guessed, instant, stated
from opsgraph.domains.alerts.formats.matchers import read_matchers
from opsgraph.domains.alerts.model import Matcher, Severity, Silence
from opsgraph.kernel.refusals import Invalid
from tests.support.alerts import an_alert
from tests.support.clock import START
from tests.support.inbound import ZERO, json

HOUR = timedelta(hours=1)
ID = UUID("01234567-89ab-7def-8123-456789abcdef")
ResultT = TypeVar("ResultT")
SILENCE = Silence(ID, (Matcher("service", "api"),), "why", "alice", START, START + HOUR)


def outcome(act: Callable[[], ResultT]) -> ResultT | Invalid:
    """What something gives, or that it refuses."""
    try:
        return act()
    except Invalid as refusal:
        return refusal


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)), st.integers(0, 999))  # noqa: DTZ001 - hypothesis adds the zone
def test_instants_are_cut_to_the_microsecond(when: datetime, nanoseconds: int) -> None:
    """Never rounded: the next second has not come."""
    text = f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06}{nanoseconds:03}Z".rjust(30, "0")
    assert instant(text, "startsAt") == stated(text, "startsAt") == guessed(text) == when


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    """With its field."""
    read = outcome(lambda: instant(text, "startsAt"))
    assert read.field == ("startsAt",) if isinstance(read, Invalid) else read.tzinfo is UTC
    assert stated(ZERO, "startsAt") is stated("", "startsAt") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-15T12:00:00+0000", START),
        ("2024-03-15T12:00:00", START),
        ("2024-03-15T14:00+02:00", START),
        ("20240315T120000Z", START),
        ("15 March 2024", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_other_forms_are_guessed_where_a_format_allows_them(text: str, expected: datetime | None) -> None:
    """In UTC, where no zone is said."""
    assert guessed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="high"', [Matcher("severity", "high")]),
        ("severity=high", [Matcher("severity", "high")]),
        ("severity!=high", [Matcher("severity", "high", negative=True)]),
        ('service=~"api|web"', [Matcher("service", "api|web", regex=True)]),
        ("service!~api.*", [Matcher("service", "api.*", regex=True, negative=True)]),
        ('{a="b", c!="d"}', [Matcher("a", "b"), Matcher("c", "d", negative=True)]),
        ('a="b",c=d,', [Matcher("a", "b"), Matcher("c", "d")]),
        ('a = "b"', [Matcher("a", "b")]),
        ('a="x, y=\\"z\\" \\\\ \\n"', [Matcher("a", 'x, y="z" \\ \n')]),
        ('"odd name"="v"', [Matcher("odd name", "v")]),
        ('a=""', [Matcher("a", "")]),
        ("a=", [Matcher("a", "")]),
        ("a=b=c", [Matcher("a", "b=c")]),
        ("", []),
        ("{}", []),
    ],
)
def test_matchers_are_read_as_people_write_them(text: str, expected: list[Matcher]) -> None:
    """Quoted or not, in braces or not, one or several."""
    assert read_matchers(text) == expected


@pytest.mark.parametrize("text", ["bad", "=x", 'a="b', 'a="b" c="d"', "{", 'a=b}c"', ",", '{a="b"'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """With what cannot be read."""
    with pytest.raises(Invalid, match="is not a matcher"):
        read_matchers(text)


@given(st.text(max_size=30))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    """Nothing else happens, and not slowly."""
    found = outcome(lambda: read_matchers(text))
    assert found.field == ("filter",) if isinstance(found, Invalid) else all(matcher.label for matcher in found)


def test_an_alert_is_shown_as_it_was_sent() -> None:
    """With its labels, its own fingerprint, and the zero time where it has no end."""
    labels = {"alertname": "Down", "job": "api"}
    alert = an_alert(labels=labels, annotations={"summary": "s"}, fingerprint="8d0eaf1e24f7d0a5", source_url="http://p")
    assert alert_view(alert, []) == {
        "annotations": {"summary": "s"},
        "endsAt": ZERO,
        "fingerprint": "8d0eaf1e24f7d0a5",  # pragma: allowlist secret
        "receivers": [{"name": "opsgraph"}],
        "startsAt": "2024-03-15T12:00:00Z",
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2024-03-15T12:00:00Z",
        "generatorURL": "http://p",
        "labels": labels,
    }


def test_what_keeps_an_alert_quiet_is_shown() -> None:
    """By the ids of the silences."""
    status = alert_view(an_alert(ends_at=START + HOUR), [SILENCE])["status"]
    assert (status["state"], status["silencedBy"]) == ("suppressed", [str(ID)])


def test_alerts_of_other_sources_are_given_a_name() -> None:
    """And the labels that matchers see, so that they can be found and silenced."""
    view = alert_view(an_alert("web", Severity.LOW, message="slow", labels={"zone": "eu"}), [])
    assert view["labels"] == {"alertname": "slow", "service": "web", "severity": "low", "zone": "eu"}
    assert view["annotations"] == {"summary": "slow"}


def test_groups_are_those_that_make_incidents() -> None:
    """Service and severity; each alert is in one."""
    alerts = [an_alert("b"), an_alert("a"), an_alert("b"), an_alert("b", Severity.LOW)]
    groups = group_views([(alert, {"n": number}) for number, alert in enumerate(alerts)])
    assert [(group["labels"], group["alerts"]) for group in groups] == [
        ({"service": "a", "severity": "high"}, [{"n": 1}]),
        ({"service": "b", "severity": "high"}, [{"n": 0}, {"n": 2}]),
        ({"service": "b", "severity": "low"}, [{"n": 3}]),
    ]


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (START - HOUR, "pending"),
        (START, "active"),
        (START + HOUR - timedelta(seconds=1), "active"),
        (START + HOUR, "expired"),
    ],
)
def test_a_silence_is_to_come_in_force_or_over(now: datetime, state: str) -> None:
    """Its end does not belong to it."""
    view = silence_view(SILENCE, now)
    assert (view["id"], view["status"], view["createdBy"], view["comment"]) == (
        str(ID),
        {"state": state},
        "alice",
        "why",
    )
    assert view["matchers"] == [{"isEqual": True, "isRegex": False, "name": "service", "value": "api"}]


def test_the_status_has_what_clients_insist_on() -> None:
    """Each member that Alertmanager's OpenAPI file requires."""
    status = status_view("1.2.3", START)
    assert status.keys() == {"cluster", "config", "uptime", "versionInfo"}
    assert status["versionInfo"].keys() == {"branch", "buildDate", "buildUser", "goVersion", "revision", "version"}
    assert (status["cluster"]["status"], status["uptime"]) == ("disabled", "2024-03-15T12:00:00Z")


POSTED = {
    "matchers": [{"name": "service", "value": "a|b", "isRegex": True, "isEqual": False}, {"name": "x", "value": "y"}],
    "startsAt": "2024-03-15T12:00:00.123456789Z",
    "endsAt": "2024-03-15T13:00:00Z",
    "createdBy": "alice",
    "comment": "why",
}


def test_a_silence_of_amtool_is_read() -> None:
    """Older clients do not say whether values are to be equal: they are."""
    posted = read_silence(json({**POSTED, "id": str(ID)}))
    assert (posted.id, posted.created_by, posted.wanted.reason) == (ID, "alice", "why")
    assert posted.wanted.matchers == (Matcher("service", "a|b", regex=True, negative=True), Matcher("x", "y"))
    assert (posted.wanted.ends_at, posted.wanted.starts_at) == (START + HOUR, START + timedelta(microseconds=123_456))


def test_a_silence_may_leave_out_what_can_be_told_without_it() -> None:
    """Who, why, from when; an empty id is none."""
    posted = read_silence(json({"matchers": POSTED["matchers"], "endsAt": POSTED["endsAt"], "id": "", "comment": " "}))
    assert (posted.id, posted.created_by, posted.wanted.reason) == (None, None, "(no comment)")
    assert posted.wanted.starts_at is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"endsAt": ZERO}, "endsAt is missing"),
        ({"endsAt": "soon"}, "is not an RFC 3339 instant"),
        ({"endsAt": None}, "endsAt is null, not a text"),
        ({"matchers": None}, "matchers is null, not an array"),
        ({"matchers": [{"name": "a"}]}, "matchers[0].value is missing"),
        ({"id": "7"}, 'silence id "7" is not a UUID'),
        ({"matchers": [{"name": "a", "value": "b", "isRegex": "no"}]}, "isRegex is a text, not true or false"),
        ({"comment": 7}, "comment is a number, not a text"),
    ],
)
def test_what_is_no_silence_is_refused(values: dict[str, object], reason: str) -> None:
    """With the place."""
    with pytest.raises(Invalid) as caught:
        read_silence(json({**POSTED, **values}))
    assert reason in caught.value.message
