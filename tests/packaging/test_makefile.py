"""What the Makefile runs is what it says."""

import shlex
import subprocess

from tests.packaging import ROOT


def test_coverage_is_measured_of_the_package() -> None:
    """Not of whatever comes next on the command line, which an option with an optional value takes for its own."""
    printed = subprocess.run(
        ["make", "--just-print", "--silent", "test", "COVERAGE=--cov"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = shlex.split(next(line for line in printed.splitlines() if "pytest" in line))
    assert words[words.index("--cov") + 1].startswith("-")
