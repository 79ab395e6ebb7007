"""`opsgraph incidents`."""

import asyncio
from typing import Annotated, Any

import typer

from opsgraph.cli import incident_documents as documents
from opsgraph.cli.asking import Key, Url, ask, asking, unless_refused
from opsgraph.cli.failures import FAILED, CommandError, warn
from opsgraph.cli.filters import Services, Severities, Teams, conditions
from opsgraph.cli.incident_lines import print_incident, print_incidents, print_moved
from opsgraph.cli.printing import print_json
from opsgraph.cli.servers import Ask
from opsgraph.cli.texts import text_or_input
from opsgraph.domains.incidents.model import IncidentOrder, IncidentStatus

app = typer.Typer(
    help="See incidents, and respond to them: on a server with --url, else on the database at hand.",
    epilog="Exit codes: 0 done, 1 refused or not possible; a line on standard error says why. See docs/commands.md.",
    no_args_is_help=True,
)

_LARGEST_NUMBER = 2**31 - 1
_PAGE = 200

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=_LARGEST_NUMBER, help="The incident's number.")]
Numbers = Annotated[
    list[int], typer.Argument(metavar="NUMBER...", min=1, max=_LARGEST_NUMBER, help="The incidents' numbers.")
]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What to write about each of them besides.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in the shape of the API's Incident.")]
Statuses = Annotated[
    list[IncidentStatus] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        case_sensitive=False,
        help="Only those that are open, acknowledged, in_progress or resolved; may be repeated.",
    ),
]
Assignees = Annotated[
    list[str] | None,
    typer.Option("--assignee", metavar="USER", help="Only those that this user works on; may be repeated."),
]
Search = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Only those whose title or service contains this, without case.")
]
Unresolved = Annotated[bool, typer.Option("--unresolved", help="Only those that are not resolved.")]
Order = Annotated[
    IncidentOrder, typer.Option(metavar="ORDER", case_sensitive=False, help="newest, oldest, or severity: worst first.")
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]


@app.command("list")
def list_(
    *,
    status: Statuses = None,
    severity: Severities = None,
    service: Services = None,
    team: Teams = None,
    assignee: Assignees = None,
    search: Search = None,
    unresolved: Unresolved = False,
    order: Order = IncidentOrder.NEWEST,
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List incidents, newest first: a line each.

    All conditions hold; of one that is repeated, any value does. Where no
    person reads, lines are never wrapped nor coloured, and instants are UTC.

    \b
    opsgraph incidents list --unresolved --order severity
    opsgraph incidents list --severity critical --team payments --json
    """
    if unresolved and status:
        raise typer.BadParameter("goes with no --status", param_hint="--unresolved")
    wanted = conditions(
        statuses=_unresolved() if unresolved else status,
        severities=severity,
        services=service,
        teams=team,
        assignees=assignee,
        search=search,
    )
    found, total = asyncio.run(_listed(url, key, wanted, order, limit))
    if as_json:
        print_json(found)
        return
    print_incidents(found)
    if total > len(found):
        warn(f"{len(found)} of {total:,} incidents; --limit shows more")


@app.command()
def show(number: Number, as_json: AsJson = False, url: Url = None, key: Key = None) -> None:
    """Show an incident: its facts, its alerts, what people wrote and what happened.

    Notes and timeline are whole; of the alerts it shows the newest 200.

    \b
    opsgraph incidents show 12
    """
    incident = asyncio.run(_whole(url, key, number))
    if as_json:
        print_json(incident)
    else:
        print_incident(incident)


@app.command()
def ack(numbers: Numbers, note: Note = None, url: Url = None, key: Key = None) -> None:
    """Acknowledge incidents: say that someone has seen them.

    One that is refused stops no other. One that is acknowledged already stays
    as it is, which is no failure.

    \b
    opsgraph incidents ack 12 13 --note "looking into it"
    """
    _move(documents.ACKNOWLEDGE, numbers, note, url, key)


@app.command()
def resolve(numbers: Numbers, note: Note = None, url: Url = None, key: Key = None) -> None:
    """Resolve incidents: say that they are over. Their alerts end with them.

    One that is refused stops no other. A resolved incident stays resolved:
    what happens again later is an incident of its own.

    \b
    opsgraph incidents resolve 12 --note "rolled back to 1.4.2"
    """
    _move(documents.RESOLVE, numbers, note, url, key)


@app.command()
def note(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write; - reads it from standard input.")],
    url: Url = None,
    key: Key = None,
) -> None:
    """Write a note about an incident, resolved or not.

    \b
    opsgraph incidents note 12 "the new index helped"
    kubectl describe pod api-0 | opsgraph incidents note 12 -
    """
    wanted = {"number": number, "content": text_or_input(text)}
    data = asyncio.run(ask(documents.ADD_NOTE, url, key, input=wanted))
    incident = unless_refused(data["addIncidentNote"])
    print_moved([incident])


def _unresolved() -> list[IncidentStatus]:
    return [status for status in IncidentStatus if status is not IncidentStatus.RESOLVED]


async def _listed(
    url: str | None, key: str | None, wanted: dict[str, Any], order: IncidentOrder, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """As many as are wanted, page by page, and how many there are."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    async with asking(url, key) as asked:
        while True:
            first = min(_PAGE, limit - len(found))
            data = await asked(documents.LIST, first=first, after=after, filter=wanted, order=order)
            page = data["incidents"]
            found += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if len(found) >= limit or not page["pageInfo"]["hasNextPage"]:
                return found, page["totalCount"]


async def _whole(url: str | None, key: str | None, number: int) -> dict[str, Any]:
    async with asking(url, key) as asked:
        incident: dict[str, Any] | None = (await asked(documents.SHOW, number=number))["incident"]
        if incident is None:
            raise CommandError(f"there is no incident {number}")
        for member, document in documents.FURTHER.items():
            await _complete(asked, incident, member, document)
    return incident


async def _complete(asked: Ask, incident: dict[str, Any], member: str, document: str) -> None:
    """Add to a list of an incident what stands on its further pages."""
    page = incident[member]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await asked(document, number=incident["number"], after=after))["incident"][member]
        incident[member]["nodes"] += page["nodes"]
    incident[member].pop("pageInfo")


def _move(document: str, numbers: list[int], note: str | None, url: str | None, key: str | None) -> None:
    data = asyncio.run(ask(document, url, key, input={"numbers": numbers, "note": note}))
    result = unless_refused(next(iter(data.values())))
    print_moved(result["changed"])
    for each in result["refused"]:
        warn(each["problem"]["message"])
    if result["refused"]:
        raise typer.Exit(FAILED)
