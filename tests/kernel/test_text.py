"""Names and texts in every script: what is accepted, when two spellings are one name, and how values are shown."""

import re
import string
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_name, free_text, label, name_key, printable, shown

ANYTHING = st.text(st.characters(exclude_categories=[]))
ACCEPTED = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60).filter(str.strip)
LABELS = st.from_regex(r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?", fullmatch=True)

SCRIPTS = [
    "Zahlungen für Österreich",
    "Τιμολόγηση",
    "Платежи",
    "支払いチーム",
    "결제 팀",
    "支付团队",
    "ทีมชำระเงิน",
    "भुगतान टीम",
    "فريق الدفع",
    "צוות תשלומים",
    "ቡድን",
    "👩‍💻 on call 🔥",
    "🏳️‍🌈",
    "\U0001d4ab\U0001d4b6\U0001d4ce",
    "a/b c.d_e:f",
    "<script>alert(1)</script>",
    "'; DROP TABLE team; --",
]


def outcome(accept: Callable[..., str], *values: Any) -> str | Invalid:
    """What is made of values, or why they are refused."""
    try:
        return accept(*values)
    except Invalid as refusal:
        return refusal


@pytest.mark.parametrize("name", SCRIPTS)
def test_names_in_every_script_are_taken_as_they_are(name: str) -> None:
    """Right to left, with emoji and with whatever means something elsewhere."""
    assert free_name(name) == unicodedata.normalize("NFC", name)
    assert free_text(name, "description") == name


@given(ANYTHING)
def test_a_name_is_accepted_or_refused_by_its_field(text: str) -> None:
    """What is accepted has 1 to 200 characters, none of them a control; a refusal says which field it is about."""
    name = outcome(free_name, text, "team")
    if isinstance(name, Invalid):
        assert name.field == ("team",)
        assert name.message.startswith("team ")
        return
    assert 1 <= len(name) <= 200
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cs"}
    name.encode()


@given(ACCEPTED)
def test_an_accepted_name_is_accepted_again_as_it_is(text: str) -> None:
    """Reading a name back and saving it changes nothing."""
    name = free_name(text)
    assert free_name(name) == name


@given(ACCEPTED, st.text(" \t\n\u3000", max_size=3), st.text(" \t\n\u3000", max_size=3))
def test_spaces_around_a_name_are_dropped(text: str, before: str, after: str) -> None:
    """Those of every script; spaces within stay."""
    assert free_name(before + text + after) == free_name(text)


@pytest.mark.parametrize("composed", ["é", "Å", "각", "ệ"])
def test_a_name_is_kept_composed(composed: str) -> None:
    """However it was typed, the same letters are the same text."""
    assert free_name(unicodedata.normalize("NFD", composed)) == composed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "team is empty; it takes 1 to 200 characters"),
        (" \t\u2003", "team is empty; it takes 1 to 200 characters"),
        ("x" * 201, "team has 201 characters; at most 200 are accepted"),
        ("a\0b", "team contains the character U+0000 at position 1, which is not accepted"),
        ("a\nb", "team contains the character U+000A at position 1, which is not accepted"),
        ("ab\x1b[2J", "team contains the character U+001B at position 2, which is not accepted"),
        ("\ud800", "team contains the character U+D800 at position 0, which is not accepted"),
        ("a\x85b", "team contains the character U+0085 at position 1, which is not accepted"),
    ],
)
def test_what_is_no_name_is_refused_with_the_place(text: str, reason: str) -> None:
    """So that it can be found in a long file."""
    with pytest.raises(Invalid, match=re.escape(reason)):
        free_name(text, "team")


def test_200_characters_are_a_name_of_characters_and_not_of_bytes() -> None:
    """In any script."""
    assert free_name("長" * 200) == "長" * 200


@given(ANYTHING, st.integers(0, 50))
def test_a_text_is_taken_whole_or_refused(text: str, limit: int) -> None:
    """Line breaks and tabs are fine; nothing is cut or changed."""
    taken = outcome(free_text, text, "description", limit)
    if isinstance(taken, Invalid):
        assert taken.field == ("description",)
        assert len(text) > limit or {unicodedata.category(c) for c in text} & {"Cc", "Cs"}
    else:
        assert taken == text
        assert len(text) <= limit


def test_line_breaks_belong_in_a_text() -> None:
    """And tabs."""
    assert free_text("one\r\n\ttwo\n", "description") == "one\r\n\ttwo\n"


@given(ANYTHING)
@example("\u1fb4\u0345")
@example("\u0345\u0301")
def test_the_key_of_a_key_is_itself(text: str) -> None:
    """Keys can be compared, stored and made again."""
    assert name_key(name_key(text)) == name_key(text)


def test_every_character_has_a_stable_key() -> None:
    """All of Unicode, one by one."""
    assert [c for c in map(chr, range(sys.maxunicode + 1)) if name_key(name_key(c)) != name_key(c)] == []


@given(ACCEPTED)
def test_spelling_in_another_case_or_form_is_the_same_name(text: str) -> None:
    """Composed or decomposed, and in whatever case it folds to."""
    assert name_key(unicodedata.normalize("NFD", text)) == name_key(text)
    assert name_key(text.casefold()) == name_key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Payments", "PAYMENTS"),
        ("STRASSE", "straße"),
        ("\uff30\uff41\uff59", "pay"),
        ("ﬁntech", "FINTECH"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\U0001d4ab\U0001d4b6\U0001d4ce", "pay"),
        ("K", "\u212a"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    """Case, width, ligatures and compatibility forms make no other name."""
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("resume", "résumé"), ("a b", "ab"), ("ops", "\u043e\u0440s"), ("1", "l")])
def test_names_that_differ(one: str, other: str) -> None:
    """Accents, spaces and letters of another script do."""
    assert name_key(one) != name_key(other)


@given(LABELS)
def test_labels_are_taken_as_they_are(text: str) -> None:
    """In any case; RFC 1123."""
    assert label(text) == text


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "-._ é\n"), max_size=70))
def test_what_is_accepted_as_a_label_is_one(text: str) -> None:
    """It could be part of a host's name; anything else is refused with what a label is."""
    accepted = outcome(label, text, "service")
    if isinstance(accepted, Invalid):
        assert accepted.field == ("service",)
        assert "RFC 1123" in accepted.message
    else:
        assert set(accepted) <= set(string.ascii_letters + string.digits + "-")
        assert 1 <= len(accepted) <= 63
        assert not accepted.startswith("-")
        assert not accepted.endswith("-")


@pytest.mark.parametrize(
    "text", ["", "-a", "a-", "a.b", "a_b", "a b", "ä", "a\n", "\u0661", "x" * 64, "payments\u200b"]
)
def test_what_is_no_label_is_refused(text: str) -> None:
    """Among it what looks like one."""
    with pytest.raises(Invalid, match="RFC 1123"):
        label(text)


@given(ANYTHING, st.integers(1, 100))
def test_what_is_shown_is_short_and_harmless(text: str, limit: int) -> None:
    """A message stays on its line, leaves a terminal alone and can be encoded."""
    value = shown(text, limit)
    assert value.isprintable()
    assert value[0] == value[-1] == '"'
    value.encode()
    cut = value.removesuffix('"').endswith("…")
    assert cut or len(text) <= limit
    assert len(value) <= 2 + limit * len("\\U0010ffff")


@given(st.text(st.characters(categories=["L", "N"], min_codepoint=32), max_size=60))
def test_letters_are_shown_as_they_are(text: str) -> None:
    """In every script."""
    assert shown(text) == f'"{text}"'


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("\udce4.yaml", "\\udce4.yaml"),
        ("\u2028", "\\u2028"),
        ("支払い 🔥", "支払い 🔥"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text: str, safe: str) -> None:
    """And nothing else."""
    assert printable(text) == safe
