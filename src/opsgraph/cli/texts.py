"""Texts that are given to a command, or piped into it."""

import re

import typer

STANDARD_INPUT = "-"

_CONTROLS = re.compile(r"[^\n\r\t\x20-\x7e\xa0-\U0010ffff]")


def text_or_input(text: str) -> str:
    """A text as it was given; if that is ``-``, what standard input has, without line breaks at its end.

    Programs that are piped in write colours and bells. They are escaped, because the API would refuse the whole text.
    """
    if text != STANDARD_INPUT:
        return text
    piped = typer.get_text_stream("stdin", encoding="utf-8", errors="replace").read().rstrip("\r\n")
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", piped)
