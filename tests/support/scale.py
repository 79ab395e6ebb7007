"""How much of a long test is run: OPSGRAPH_TEST_SCALE, 0.02 by default, 1 for the full counts."""

import os


def scaled(full: int, least: int = 1) -> int:
    """So many of `full` examples or steps as the scale asks for, at least `least`."""
    return max(least, round(full * float(os.environ.get("OPSGRAPH_TEST_SCALE", "0.02"))))
