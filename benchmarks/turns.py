"""Taking turns, so that what drifts on a machine drifts for both: ours, the peer, ours, the peer."""

import os
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


def in_turns(
    ours: Callable[[], ResultT], peer: Callable[[], ResultT] | None, turns: int
) -> tuple[list[ResultT], list[ResultT]]:
    """Run ours and the peer so many times each, one after the other; nothing of a peer that is not there."""
    own, theirs = [], []
    for _ in range(turns):
        own.append(ours())
        if peer is not None:
            theirs.append(peer())
    return own, theirs


def heading(first: str, peer: str) -> str:
    """The line above a table of `line`."""
    return f"{first:<34} {'opsgraph':>12} {peer:>14} {'ratio':>8}"


def line(
    name: str, ours: Sequence[Any], theirs: Sequence[Any], figure: Callable[[Any], float], form: str = ",.0f"
) -> str:
    """The medians of a figure over the turns of both, and their ratio."""
    own = median(map(figure, ours))
    if not theirs:
        return f"{name:<34} {own:>12{form}} {'-':>14} {'-':>8}"
    other = median(map(figure, theirs))
    return f"{name:<34} {own:>12{form}} {other:>14{form}} {own / other:>7.2f}x"


def machine_load() -> str:
    """What else the machine is doing, to judge figures by."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
