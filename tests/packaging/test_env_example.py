""".env.example is the list of settings that a user starts from; it follows the code."""

import re
from dataclasses import fields
from itertools import pairwise

from opsgraph.settings import PREFIX, Settings
from tests.packaging import ROOT

TEXT = (ROOT / ".env.example").read_text()


def test_every_setting_stands_in_it_with_its_default() -> None:
    """Commented out, in the form in which it would be set; nothing is listed that opsgraph does not read."""
    settings, _, compose = TEXT.partition("# compose.yaml")
    assert compose
    listed = dict(re.findall(r"^#(OPSGRAPH_\w+)=(.*)$", settings, re.MULTILINE))
    assert listed == {f"{PREFIX}{field.name.upper()}": str(field.default) for field in fields(Settings)}


def test_every_line_that_could_be_set_is_explained() -> None:
    """The line before each names what it does."""
    lines = TEXT.splitlines()
    unexplained = [
        line for before, line in pairwise(lines) if re.match(r"#?OPSGRAPH_\w+=", line) and not re.match(r"# \w", before)
    ]
    assert unexplained == []


def test_it_sets_nothing_by_itself() -> None:
    """Copied unchanged, it leaves every default alone; the password has to be chosen."""
    assert [line for line in TEXT.splitlines() if line and not line.startswith("#")] == ["OPSGRAPH_POSTGRES_PASSWORD="]


def test_it_lists_what_the_compose_file_takes() -> None:
    """Every variable of compose.yaml can be found here."""
    taken = set(re.findall(r"\$\{(OPSGRAPH_\w+)", (ROOT / "compose.yaml").read_text()))
    assert taken <= set(re.findall(r"^#?(OPSGRAPH_\w+)=", TEXT, re.MULTILINE))
