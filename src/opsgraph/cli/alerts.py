"""`opsgraph alerts`."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Annotated, Any

import typer

from opsgraph.cli.alert_lines import print_event
from opsgraph.cli.asking import Key
from opsgraph.cli.failures import CommandError, warn
from opsgraph.cli.filters import Services, Severities, Teams, conditions
from opsgraph.cli.printing import print_json
from opsgraph.cli.servers import Server
from opsgraph.cli.texts import text_or_input
from opsgraph.cli.watching import Watch

app = typer.Typer(
    help="Send alerts to a running server, and watch them live.",
    epilog="Without --url they go to the server on this machine: a server takes alerts in, not its database. "
    "See docs/commands.md.",
    no_args_is_help=True,
)

INTERRUPTED = 130
"""The exit code of what Ctrl-C ended, as shells have it: a loop around the command ends as well."""

TERMINATED = 143
"""The exit code of what SIGTERM ended."""

FEED = """subscription ($after: String, $filter: AlertFilter) {
  alertFeed(after: $after, filter: $filter) {
    cursor at kind
    alert {
      id fingerprint serviceName severity status message labels source occurrences startsAt resolvedAt silenced
      incident { number }
    }
  }
}"""

ServerUrl = Annotated[str, typer.Option("--url", envvar="OPSGRAPH_URL", help="The running server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="NAME=VALUE", help="What silences match; may be repeated."),
]
Annotations = Annotated[
    list[str] | None,
    typer.Option("--annotation", metavar="NAME=VALUE", help="A further text for people; may be repeated."),
]
ServiceName = Annotated[
    str, typer.Option("--service", metavar="NAME", help="What is affected; it need not be registered.")
]
SeverityWord = Annotated[
    str | None,
    typer.Option(
        "--severity", metavar="SEVERITY", help="critical, high, medium, low or info; or a word such as page or P1."
    ),
]
Message = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What is the matter; - reads it from standard input.")
]
DedupKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="The alert's identity within the service; else service, severity and message are."
    ),
]
Resolve = Annotated[bool, typer.Option("--resolve", help="It is over: end the alert of this identity.")]
StartsAt = Annotated[str | None, typer.Option(metavar="INSTANT", help="When it began, such as 2026-01-31T12:00:00Z.")]
Search = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Only those whose message contains this, without case.")
]
After = Annotated[
    str | None,
    typer.Option(metavar="CURSOR", help="First everything since this cursor; without it, only what comes."),
]
Count = Annotated[int | None, typer.Option(min=1, help="End after so many events.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print each event as JSON, a line each.")]
_HERE = "http://127.0.0.1:8000"


@app.command()
def send(
    *,
    service: ServiceName,
    severity: SeverityWord = None,
    message: Message = None,
    label: Labels = None,
    annotation: Annotations = None,
    dedup_key: DedupKey = None,
    resolve: Resolve = False,
    starts_at: StartsAt = None,
    as_json: AsJson = False,
    url: ServerUrl = _HERE,
    key: Key = None,
) -> None:
    """Send an alert; prints what it led to once that is committed.

    The same again, while it fires, is counted. To end it, send it again with
    --resolve; with a --dedup-key, that and the service are enough.

    \b
    opsgraph alerts send --service api --severity high --message "5xx spike"
    opsgraph alerts send --service backup --dedup-key nightly --resolve
    tail -1 backup.log | opsgraph alerts send --service backup \\
        --severity page --dedup-key nightly --message -
    """
    alert = {
        "service": service,
        "severity": severity,
        "message": message and text_or_input(message),
        "labels": _pairs(label, "--label"),
        "annotations": _pairs(annotation, "--annotation"),
        "dedupKey": dedup_key,
        "status": "resolved" if resolve else "firing",
        "startsAt": starts_at,
    }
    result = asyncio.run(_sent(Server(url, key), alert))
    if as_json:
        print_json(result)
        return
    typer.echo(f"outcome {result['outcome']}")
    typer.echo(f"alert {result['alertId'] or '-'}")
    typer.echo(f"incident {result['incidentNumber'] or '-'}")


@app.command()
def watch(
    *,
    service: Services = None,
    severity: Severities = None,
    team: Teams = None,
    search: Search = None,
    after: After = None,
    count: Count = None,
    as_json: AsJsonLines = False,
    url: ServerUrl = _HERE,
    key: Key = None,
) -> None:
    """Watch alerts as they fire and end, until Ctrl-C.

    It outlives restarts of the server: it connects again and goes on where it
    was, so that no event is lost and none comes twice. When it ends it prints
    the cursor from which --after goes on.

    Where no person reads, a line has instant, kind, severity, service,
    incident and message, with tabs between them.

    \b
    opsgraph alerts watch --severity critical --severity high
    opsgraph alerts watch --json | jq -r .alert.message
    """
    wanted = conditions(services=service, severities=severity, teams=team, search=search)
    following = Watch(Server(url, key), FEED, {"filter": wanted}, after, warn)
    try:
        asyncio.run(_watch(following, count, as_json=as_json))
    except (KeyboardInterrupt, asyncio.CancelledError) as end:
        _say_where(following)
        raise typer.Exit(INTERRUPTED if isinstance(end, KeyboardInterrupt) else TERMINATED) from None
    except CommandError:
        if following.has_moved:  # where it was given one, that may be what is refused
            _say_where(following)
        raise


async def _sent(server: Server, alert: dict[str, Any]) -> dict[str, Any]:
    """What an alert led to.

    Raises:
        CommandError: the server cannot be reached, or does not take the alert; says why.
    """
    status, answer = await server.post("/webhooks/alerts", alert)
    match answer:
        case {"results": [{"outcome": str(_), "alertId": _, "incidentNumber": _} as result]}:
            return {name: result[name] for name in ("outcome", "alertId", "incidentNumber")}
        case {"refused": [{"reason": str(reason)}]} | {"error": str(reason)}:
            raise CommandError(reason)
    raise server.stranger(f"status {status}")


async def _watch(following: Watch, count: int | None, *, as_json: bool) -> None:
    showing = asyncio.ensure_future(_show(following, count, as_json=as_json))
    with suppress(RuntimeError):  # where there are no such signals, and in a thread, which hears of none
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, showing.cancel)
    await showing


async def _show(following: Watch, count: int | None, *, as_json: bool) -> None:
    shown = 0
    async with aclosing(following.events()) as events:
        async for event in events:
            if as_json:
                print_json(event, indent=None)
            else:
                print_event(event)
            shown += 1
            if shown == count:
                return


def _say_where(following: Watch) -> None:
    if following.cursor:
        warn(f"to go on from here: opsgraph alerts watch --after {following.cursor}")


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """Names and values from NAME=VALUE.

    Raises:
        BadParameter: one is not of that form, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"{name!r} comes twice", param_hint=option)
        found[name] = value
    return found
