"""One of two processes that take in the same alerts at the same time.

    python -m tests.support.racer DATABASE_URL FIRST_ALERT

Reads rounds from standard input, one a line: `burst SERVICE`, `again SERVICE`, `anew SERVICE`; answers each with the
outcomes it got, as a line of JSON. `burst` sends 25 alerts of its own from FIRST_ALERT on, and 25 times one that the
other process sends as well; `again` sends that one with the same start, `anew` with a new one.
"""

import asyncio
import json
import sys
from collections import Counter

from opsgraph.app import Core, build_core
from opsgraph.domains.alerts.model import AlertReport, Taken
from opsgraph.settings import Settings
from tests.support.clock import START
from tests.support.intake import report

EACH = 25
SHARED = 0
ANEW = START.replace(minute=1)


def wanted(step: str, service: str, first: int) -> list[AlertReport]:
    """The reports of a step."""
    start = ANEW if step == "anew" else START
    shared = [report(SHARED, service=service, starts_at=start)] * EACH
    own = [report(number, service=service, starts_at=START) for number in range(first, first + EACH)]
    mixed = [each for pair in zip(own, shared, strict=True) for each in pair]
    return mixed if step == "burst" else shared


async def run(core: Core, first: int) -> None:
    """Answer each line until there is none."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        step, service = line.split()
        answers = await asyncio.gather(*(core.intake.submit([each]) for each in wanted(step, service, first)))
        outcomes = Counter(answer.outcome if isinstance(answer, Taken) else "REFUSED" for (answer,) in answers)
        sys.stdout.write(json.dumps(outcomes) + "\n")
        sys.stdout.flush()
    await core.close()


async def main(url: str, first: int) -> None:
    """Take in alerts on the database at this address."""
    await run(build_core(Settings(database_url=url)), first)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
