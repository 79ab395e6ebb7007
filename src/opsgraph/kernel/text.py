"""Names and texts that people type: what is accepted, and the key under which two spellings are the same name."""

import re
import unicodedata

from opsgraph.kernel.refusals import Invalid

NAME_LENGTH = 200
TEXT_LENGTH = 10_000
LABEL_LENGTH = 63

_LABEL = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?", re.ASCII)


def shown(value: str, limit: int = 60) -> str:
    """Quote a value for a message: control characters escaped, long values cut."""
    return f'"{printable(value if len(value) <= limit else value[: limit - 1] + "…")}"'


def printable(value: str) -> str:
    """The same with everything escaped that could break a line or steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


def name_key(name: str) -> str:
    """The form under which names are unique: Unicode NFKC, case folded."""
    if name.isascii():
        return name.lower()  # the same, and most names are
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def free_name(value: str, field: str = "name") -> str:
    """Accept a free-text name: 1 to 200 characters without control characters; surrounding spaces are dropped.

    Raises:
        Invalid: empty, too long, or with a control character or a lone surrogate; names the field.
    """
    name = unicodedata.normalize("NFC", value.strip())
    if not name:
        raise Invalid(f"{field} is empty; it takes 1 to {NAME_LENGTH} characters", field)
    if len(name) > NAME_LENGTH:
        raise Invalid(f"{field} has {len(name)} characters; at most {NAME_LENGTH} are accepted", field)
    _refuse_characters(name, field, allowed="")
    return name


def free_text(value: str, field: str, limit: int = TEXT_LENGTH) -> str:
    """Accept free text of at most ``limit`` characters; line breaks and tabs are fine, other controls are not.

    Raises:
        Invalid: too long, or with a control character or a lone surrogate; names the field.
    """
    if len(value) > limit:
        raise Invalid(f"{field} has {len(value)} characters; at most {limit} are accepted", field)
    _refuse_characters(value, field, allowed="\n\r\t")
    return value


def label(value: str, field: str = "name") -> str:
    """Accept an RFC 1123 label: letters, digits and inner hyphens, at most 63, in any case.

    Raises:
        Invalid: anything else; names the field.
    """
    if len(value) > LABEL_LENGTH:
        raise Invalid(f"{field} has {len(value)} characters; an RFC 1123 label has at most {LABEL_LENGTH}", field)
    if not _LABEL.fullmatch(value):
        raise Invalid(
            f"{field} {shown(value)} is not an RFC 1123 label: "
            "letters, digits and hyphens, beginning and ending with a letter or digit",
            field,
        )
    return value


def _refuse_characters(value: str, field: str, allowed: str) -> None:
    for position, character in enumerate(value):
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in allowed:
            raise Invalid(
                f"{field} contains the character U+{ord(character):04X} at position {position}, which is not accepted",
                field,
            )
