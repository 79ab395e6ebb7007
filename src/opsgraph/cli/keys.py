"""`opsgraph keys`."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from opsgraph.cli.asking import Key, Url, ask, asking, unless_refused
from opsgraph.cli.failures import CommandError
from opsgraph.cli.printing import instant, print_json, print_table
from opsgraph.cli.servers import Ask
from opsgraph.kernel.actor import Role
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.text import name_key, printable, shown

app = typer.Typer(
    help="Make, list and revoke keys: on a server with --url, else on the database at hand.",
    epilog="The first key is made on the database; see docs/access.md.",
    no_args_is_help=True,
)

_KEY = "id name roles service prefix createdAt createdBy lastUsedAt expiresAt revokedAt"
_PROBLEM = "... on Problem { message }"
_PAGE = 200

CREATE = f"""mutation ($input: CreateApiKeyInput!) {{
  createApiKey(input: $input) {{
    __typename ... on CreatedApiKey {{ secret key {{ {_KEY} }} }} {_PROBLEM}
  }}
}}"""
LIST = f"""query ($first: Int, $after: String) {{
  apiKeys(first: $first, after: $after) {{ nodes {{ {_KEY} }} pageInfo {{ hasNextPage endCursor }} }}
}}"""
REVOKE = f"""mutation ($id: ID!) {{
  revokeApiKey(id: $id) {{ __typename ... on ApiKey {{ {_KEY} }} {_PROBLEM} }}
}}"""

_DURATION = re.compile(r"([1-9][0-9]{0,3})([mhdw])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_TITLES = ("NAME", "STATE", "ROLES", "SERVICE", "PREFIX", "CREATED", "LAST USED", "EXPIRES")
_NOTHING = "-"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, under which its holder acts.")]
Roles = Annotated[
    list[Role],
    typer.Option(
        "--role",
        metavar="ROLE",
        case_sensitive=False,
        help="What it may do: viewer, responder, editor, approver, admin or ingest; may be repeated.",
    ),
]
ServiceName = Annotated[
    str | None,
    typer.Option("--service", metavar="NAME", help="The one service about which a key with the role ingest may post."),
]
Expires = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="When it expires: after 30m, 12h, 90d or 2w, or at an instant such as 2027-01-31T12:00:00Z.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in the shape of the API's ApiKey.")]


@app.command()
def create(
    name: Name,
    *,
    role: Roles,
    service: ServiceName = None,
    expires: Expires = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Make a key; its secret is the last line that is printed, and is shown this once.

    Whoever has the secret acts under the key's name. Without --expires it is
    good until it is revoked.

    \b
    opsgraph keys create ana --role editor --role approver --expires 90d
    opsgraph keys create prometheus --role ingest | tail -1 > secret
    """
    expires_at = None if expires is None else _instant(expires)
    wanted = {"name": name, "roles": role, "service": service, "expiresAt": expires_at}
    data = asyncio.run(ask(CREATE, url, key, input=wanted))
    created = unless_refused(data["createApiKey"])
    made = created["key"]
    typer.echo(printable(f"key {made['name']}"))
    typer.echo(f"roles {_roles(made)}")
    typer.echo(printable(f"service {made['service'] or _NOTHING}"))
    typer.echo(f"expires {_when(made['expiresAt'])}")
    typer.echo(created["secret"])


@app.command("list")
def list_(*, as_json: AsJson = False, url: Url = None, key: Key = None) -> None:
    """List all keys, newest first: a line each. Secrets are kept nowhere.

    \b
    opsgraph keys list
    """
    found = asyncio.run(_listed(url, key))
    if as_json:
        print_json(found)
        return
    print_table(_TITLES, [_row(each, datetime.now(UTC)) for each in found])


@app.command()
def revoke(name: Name, url: Url = None, key: Key = None) -> None:
    """Revoke a key: it is refused from now on, for good.

    One that is revoked already stays as it is, which is no failure.

    \b
    opsgraph keys revoke prometheus
    """
    revoked = asyncio.run(_revoked(url, key, name))
    typer.echo(printable(f"revoked {revoked['name']}"))


async def _listed(url: str | None, key: str | None) -> list[dict[str, Any]]:
    async with asking(url, key) as asked:
        return await _all(asked)


async def _all(asked: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = (await asked(LIST, first=_PAGE, after=after))["apiKeys"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def _revoked(url: str | None, key: str | None, name: str) -> dict[str, Any]:
    async with asking(url, key) as asked:
        wanted = name_key(name.strip())
        ids = [each["id"] for each in await _all(asked) if name_key(each["name"]) == wanted]
        if not ids:
            raise CommandError(f"there is no key {shown(name)}")
        return unless_refused((await asked(REVOKE, id=ids[0]))["revokeApiKey"])


def _instant(text: str) -> str:
    """The instant that a duration from now, or an instant, means.

    Raises:
        BadParameter: it is neither.
    """
    if found := _DURATION.fullmatch(text):
        return rfc3339(datetime.now(UTC) + int(found[1]) * _UNITS[found[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is neither a duration such as 90d nor an instant such as 2027-01-31T12:00:00Z",
            param_hint="--expires",
        )
    return rfc3339(at)


def _row(each: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    return (
        each["name"],
        _state(each, now),
        _roles(each),
        each["service"] or _NOTHING,
        each["prefix"],
        instant(each["createdAt"], seconds=False),
        _when(each["lastUsedAt"]),
        _when(each["expiresAt"]),
    )


def _state(each: Mapping[str, Any], now: datetime) -> str:
    if each["revokedAt"] is not None:
        return "REVOKED"
    return "EXPIRED" if each["expiresAt"] and datetime.fromisoformat(each["expiresAt"]) <= now else "GOOD"


def _roles(each: Mapping[str, Any]) -> str:
    return ",".join(each["roles"])


def _when(text: str | None) -> str:
    return instant(text, seconds=False) if text else _NOTHING
