"""Whatever several actors do about incidents, in whichever order: timelines tell it all, and the end is the end."""

import tempfile
from itertools import count
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from opsgraph.settings import Settings
from tests.support import databases
from tests.support.actors import Cast, enter
from tests.support.clock import TestClock
from tests.support.intake import opened
from tests.support.scale import scaled
from tests.support.stories import assert_final, assert_told, look


@hypothesis_settings(max_examples=scaled(1000, 20), suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False), steps=st.integers(1, 25))
async def test_any_sequence_of_acts(sqlite_template: Path, tmp_path: Path, chance: Random, steps: int) -> None:
    """Sources report and resolve, people open, move, assign, rate and annotate, one or many at once.

    After each act: every incident counts its alerts, its times are in order, its timeline by itself leads to what it
    is, and what was resolved before is as it was. On SQLite, for speed; what PostgreSQL adds is several writers, which
    the races are about.
    """
    clock, cast = TestClock(), Cast(chance, count())
    url = databases.copied(sqlite_template, Path(tempfile.mkdtemp(dir=tmp_path)))
    async with opened(Settings(database_url=url, workers="off"), clock) as desk:
        await enter(desk)
        before = await look(desk)
        for _ in range(steps):
            clock.move(seconds=chance.randrange(0, 120))
            await cast.act([incident.number for incident in before.incidents.values()])(desk)
            after = await look(desk)
            await assert_told(desk, after)
            assert_final(before, after)
            before = after
