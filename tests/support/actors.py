"""Several actors who do things by chance: sources that report alerts, and people who respond to incidents."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from typing import Any

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.alerts.model import Action, Severity
from opsgraph.domains.incidents.commands import assigning, notes, rating
from opsgraph.domains.incidents.model import (
    AssignInput,
    BulkTransitionInput,
    IncidentInput,
    IncidentStatus,
    NoteInput,
    SeverityInput,
    TransitionInput,
)
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.refusals import Refusal
from opsgraph.workflows import responding
from tests.support.catalog import make_service
from tests.support.intake import Desk, report

SERVICES = ("api", "web")
PEOPLE = ("Ana", "Ben", "Cleo")

Act = Callable[[Desk], Awaitable[object]]
"""Something that someone does."""


@dataclass(slots=True)
class Cast:
    """Chooses what happens next.

    Attributes:
        chance: where choices come from.
        texts: numbers the notes, so that each is another one.
    """

    chance: Random
    texts: "count[int]"

    def act(self, numbers: Sequence[int]) -> Act:
        """Something that someone does about one of the incidents with these numbers, or that a source reports."""
        choices: list[Callable[[Sequence[int]], Act]] = [self._report, self._report, self._open]
        if numbers:
            choices += [self._move, self._move, self._move_all, self._assign, self._rate, self._note]
        return self.chance.choice(choices)(numbers)

    def _report(self, _numbers: Sequence[int]) -> Act:
        chance = self.chance
        actions = [Action.FIRE, Action.FIRE, Action.FIRE, Action.RESOLVE, Action.ACKNOWLEDGE]
        severities = [Severity.CRITICAL, Severity.HIGH]
        batch = [
            report(
                chance.randrange(4), chance.choice(severities), chance.choice(SERVICES), action=chance.choice(actions)
            )
            for _ in range(chance.randint(1, 4))
        ]
        return lambda desk: desk.intake.submit(batch)

    def _open(self, _numbers: Sequence[int]) -> Act:
        wanted = IncidentInput(self.chance.choice(SERVICES), "It is slow", self._severity())
        return partial(self._do, responding.create, wanted)

    def _move(self, numbers: Sequence[int]) -> Act:
        version = self.chance.choice([None, None, 1, 2, 3])
        wanted = TransitionInput(self.chance.choice(numbers), self._maybe_text(), version)
        return partial(self._do, responding.move, wanted, self.chance.choice(list(IncidentStatus)))

    def _move_all(self, numbers: Sequence[int]) -> Act:
        some = tuple(self.chance.choices(numbers, k=3))
        wish = self.chance.choice([IncidentStatus.ACKNOWLEDGED, IncidentStatus.RESOLVED])
        return partial(self._do, responding.move_all, BulkTransitionInput(some, self._maybe_text()), wish)

    def _assign(self, numbers: Sequence[int]) -> Act:
        wanted = AssignInput(self.chance.choice(numbers), self.chance.choice([*PEOPLE, None, "nobody"]))
        return partial(self._do, assigning.assign, wanted)

    def _rate(self, numbers: Sequence[int]) -> Act:
        wanted = SeverityInput(self.chance.choice(numbers), self._severity(), self._maybe_text())
        return partial(self._do, rating.set_severity, wanted)

    def _note(self, numbers: Sequence[int]) -> Act:
        return partial(self._do, notes.add_note, NoteInput(self.chance.choice(numbers), self._text()))

    async def _do(self, command: Any, *arguments: Any) -> None:
        """Run a command on behalf of someone; what is refused changes nothing."""
        *rest, desk = arguments
        try:
            async with desk.core.database.transaction(self._someone(), desk.core.clock.now()) as tx:
                await command(tx, *rest)
        except Refusal:
            return

    def _someone(self) -> Actor:
        return Actor(self.chance.choice(PEOPLE), frozenset({Role.RESPONDER}))

    def _severity(self) -> Severity:
        return self.chance.choice([Severity.CRITICAL, Severity.HIGH, Severity.LOW])

    def _text(self) -> str:
        return f"note {next(self.texts)}"

    def _maybe_text(self) -> str | None:
        return self._text() if self.chance.random() < 0.3 else None


async def enter(desk: Desk) -> None:
    """Make the services and the people."""
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        for service in SERVICES:
            await make_service(tx, service)
        for name in PEOPLE:
            await access.save_user(tx, UserInput(name))
