"""opsgraph alerts watch: what it shows, and how it takes what happens to its connection."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.cli import watching
from opsgraph.cli.watching import pause_seconds
from tests.support.cli import Outcome, called
from tests.support.scripted import Answer, data, end, following, result, stream

NOW = data(feedCursor="now")
HTML = "<html>bad gateway</html>"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before the next attempt."""
    monkeypatch.setattr(watching, "pause_seconds", lambda *_: 0)


def happened(name: str, **alert: Any) -> dict[str, Any]:
    """What a subscription tells of an alert; its name is its cursor, too."""
    told = {"severity": "HIGH", "serviceName": "api", "message": name, "incident": {"number": 7}, **alert}
    return {"cursor": name, "at": "2024-03-15T12:00:00Z", "kind": "FIRED", "alert": told}


def fired(name: str, **alert: Any) -> str:
    """It as it travels."""
    return result(name, {"data": {"alertFeed": happened(name, **alert)}})


def watched(folder: Path, answers: Sequence[Answer], *arguments: str) -> tuple[Outcome, list[Any]]:
    """How the command ends on a server with a script, and where each of its subscriptions began."""
    with following(answers) as script:
        outcome = called(folder, "alerts", "watch", "--url", script.url, *arguments, OPSGRAPH_KEY="k-1")
    assert set(script.keys) == {"Bearer k-1"}
    assert set(script.paths) == {"/graphql"}
    told = outcome.errors.replace(script.url, "URL")
    began = [body["variables"]["after"] for body in script.asked if "after" in body["variables"]]
    return outcome._replace(errors=told), began


def messages(outcome: Outcome) -> list[str]:
    """The messages of the alerts that were shown."""
    return [line.split("\t")[-1] for line in outcome.output.splitlines()]


def test_an_event_is_a_line_of_fields(tmp_path: Path) -> None:
    """Between tabs, so that scripts can cut it; what a message brings cannot break it."""
    odd = fired("two", severity="INFO", serviceName="a\tb", incident=None, message="x\ty\nz\u2028\x85\x1b[2J 支払い")
    outcome, _ = watched(tmp_path, [NOW, stream(fired("one"), odd, held=True)], "--count", "2")
    assert (outcome.exit_code, outcome.errors) == (0, "opsgraph: watching URL; Ctrl-C ends it\n")
    assert outcome.output.split("\n") == [
        "2024-03-15T12:00:00Z\tFIRED\tHIGH\tapi\t7\tone",
        "2024-03-15T12:00:00Z\tFIRED\tINFO\ta\\tb\t-\tx\\ty\\nz\\u2028\\x85\\x1b[2J 支払い",
        "",
    ]


def test_json_is_what_the_api_says_a_line_each(tmp_path: Path) -> None:
    """With the cursor; nothing in it ends a line or steers a terminal."""
    told = {"message": "a\nb\u2028c\x85\x9b支", "incident": None}
    outcome, _ = watched(tmp_path, [NOW, stream(fired("one", **told), held=True)], "--count", "1", "--json")
    assert json.loads(outcome.output) == happened("one", **told)
    assert len(outcome.output.splitlines()) == 1
    assert "支" in outcome.output


def test_it_asks_for_what_is_wanted(tmp_path: Path) -> None:
    """By the filter of the API, after the cursor that it was given."""
    arguments = ("--service", "a", "--service", "b", "--severity", "high", "--team", "t", "--search", "x")
    with following([NOW, stream(fired("one"), held=True)]) as script:
        called(tmp_path, "alerts", "watch", "--url", script.url, "--count", "1", "--after", "then", *arguments)
    assert script.asked[1]["variables"] == {
        "filter": {"services": ["a", "b"], "severities": ["HIGH"], "teams": ["t"], "search": "x"},
        "after": "then",
    }


def test_whatever_happens_to_the_connection_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """Cut before the first event, in the middle of one, a proxy's page, an error that passes, a server that stops."""
    answers = [
        NOW,
        stream(cut=True),
        stream(fired("one"), fired("two")[:-9], cut=True),
        Answer(HTML, 502, "text/html"),
        Answer("{}", 503),
        Answer(HTML, 200, "text/html"),
        stream(end("INTERNAL")),
        Answer(json.dumps({"errors": [{"message": "full", "extensions": {"code": "LIMIT_EXCEEDED"}}]}), 503),
        stream(fired("two"), end()),
        stream(),
        stream("event: next\ndata: no JSON\n\n"),
        stream("event: next\ndata: {}\n\n"),
        stream(fired("three"), held=True),
    ]
    outcome, began = watched(tmp_path, answers, "--count", "3")
    assert (outcome.exit_code, messages(outcome)) == (0, ["one", "two", "three"])
    assert began == ["now", "now", *["one"] * 6, *["two"] * 4]


def test_it_says_once_that_the_connection_is_lost_and_once_that_it_is_back(tmp_path: Path) -> None:
    """However often it has tried in between."""
    answers = [NOW, stream(fired("one")), *[Answer(HTML, 502)] * 5, stream(fired("two"), held=True)]
    outcome, _ = watched(tmp_path, answers, "--count", "2")
    assert outcome.errors.splitlines() == [
        "opsgraph: watching URL; Ctrl-C ends it",
        "opsgraph: not connected any more, trying again: the server ended it",
        "opsgraph: connected again",
    ]


def test_when_the_cursor_has_expired_it_says_so_and_goes_on_from_now(tmp_path: Path) -> None:
    """From a cursor of its own, so that from there on nothing is lost again."""
    answers = [
        NOW,
        stream(end("CURSOR_EXPIRED", "read again")),
        data(feedCursor="later"),
        stream(cut=True),
        stream(fired("one"), held=True),
    ]
    outcome, began = watched(tmp_path, answers, "--count", "1", "--after", "old")
    assert (outcome.exit_code, messages(outcome)) == (0, ["one"])
    assert began == ["old", "later", "later"]
    assert "events may be missing: read again; going on from now" in outcome.errors


def test_an_event_that_cannot_be_shown_keeps_no_other_from_it(tmp_path: Path) -> None:
    """It is said, and not asked for again."""
    broken = result("two", {"errors": [{"message": "a bug", "extensions": {"code": "INTERNAL"}}], "data": None})
    partly = {"errors": [{"message": "incident"}], "data": {"alertFeed": happened("three", incident=None)}}
    answers = [NOW, stream(fired("one"), broken), stream(result("three", partly), held=True)]
    outcome, began = watched(tmp_path, answers, "--count", "2")
    assert (messages(outcome), began) == (["one", "three"], ["now", "two"])
    assert "an event cannot be shown: a bug" in outcome.errors


def errors(status: int, code: str) -> Answer:
    """An answer that refuses."""
    return Answer(json.dumps({"errors": [{"message": "no way", "extensions": {"code": code}}]}), status)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([errors(401, "UNAUTHENTICATED")], "no way"),
        ([Answer(HTML, 200, "text/html")], "URL did not answer as a server of opsgraph: "),
        ([Answer("{}", 404)], "URL did not answer as a server of opsgraph: status 404"),
    ],
)
def test_what_is_wrong_from_the_start_ends_it(tmp_path: Path, answers: Sequence[Answer], said: str) -> None:
    """An address that is mistyped, or a key, does not get better by waiting."""
    outcome, began = watched(tmp_path, answers)
    assert (outcome.exit_code, outcome.output, began) == (1, "", [])
    assert outcome.errors.startswith(f"opsgraph: {said}")
    assert len(outcome.errors.splitlines()) == 1


@pytest.mark.parametrize(
    "refusal",
    [errors(401, "UNAUTHENTICATED"), stream(end("FORBIDDEN", "no way")), stream(end("BAD_INPUT", "no way"))],
)
def test_what_is_refused_later_ends_it_with_the_place(tmp_path: Path, refusal: Answer) -> None:
    """A key that was revoked, say: with another one it can go on from there."""
    outcome, _ = watched(tmp_path, [NOW, stream(fired("one")), refusal])
    assert (outcome.exit_code, messages(outcome)) == (1, ["one"])
    assert outcome.errors.splitlines()[-2:] == [
        "opsgraph: to go on from here: opsgraph alerts watch --after one",
        "opsgraph: no way",
    ]


@pytest.mark.parametrize("code", ["BAD_INPUT", "FORBIDDEN"])
def test_a_cursor_that_is_refused_is_not_recommended(tmp_path: Path, code: str) -> None:
    """Whoever typed it knows it, and it may be what is wrong."""
    outcome, _ = watched(tmp_path, [NOW, stream(end(code, "no way"))], "--after", "zzz")
    assert outcome.exit_code == 1
    assert outcome.errors.splitlines() == ["opsgraph: watching URL; Ctrl-C ends it", "opsgraph: no way"]


def of_another() -> str:
    """The end of a subscription because its cursor is of another log."""
    extensions = {"code": "CURSOR_EXPIRED", "details": {"log": "ANOTHER"}}
    failed = {"errors": [{"message": "of another log", "extensions": extensions}]}
    return f"event: next\ndata: {json.dumps(failed)}\n\nevent: complete\ndata:\n\n"


def test_a_cursor_of_another_server_is_refused(tmp_path: Path) -> None:
    """Rather than taken for one that has expired: the person meant another server, whose events would be missing."""
    outcome, began = watched(tmp_path, [NOW, stream(of_another())], "--after", "theirs")
    assert (outcome.exit_code, began) == (1, ["theirs"])
    assert outcome.errors.splitlines()[1:] == ["opsgraph: of another log"]


def test_when_the_server_has_another_database_it_says_so_and_goes_on_from_now(tmp_path: Path) -> None:
    """It had come along before: there is nothing that a person could mend."""
    answers = [NOW, stream(fired("one")), stream(of_another()), data(feedCursor="later")]
    outcome, began = watched(tmp_path, [*answers, stream(fired("two"), held=True)], "--count", "2")
    assert (outcome.exit_code, messages(outcome)) == (0, ["one", "two"])
    assert began == ["now", "one", "later"]
    assert "not connected any more" in outcome.errors


@given(failures=st.integers(1, 10_000), share=st.floats(0, 1))
def test_the_pause_grows_and_has_an_end(failures: int, share: float) -> None:
    """No two clients come back at the same moment, none waits for more than 15 seconds, none asks without a pause."""
    pause = pause_seconds(failures, share)
    assert 0.25 <= pause <= min(0.5 * 2 ** min(failures - 1, 5), 15)
    assert pause_seconds(failures + 1, share) >= pause
    assert pause_seconds(failures, 1) == 2 * pause_seconds(failures, 0)
