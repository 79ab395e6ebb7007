"""opsgraph keys: the first one on the database, others on a server, and what a server without any refuses."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from opsgraph.domains.access.rules import looks_like_secret, routing_key_of
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.packaging.environments import run
from tests.support import databases
from tests.support.cli import OPSGRAPH, Server, called, refused, served
from tests.support.keys import make_key, revoke

ANYWHERE = "0.0.0.0"  # noqa: S104 - where other machines can reach it
WHO = {"query": "{ viewer { name roles } }"}


def created(folder: Path, *arguments: str, **settings: str) -> tuple[dict[str, str], str]:
    """What is said of a key that is made, by the first word of each line, and its secret."""
    outcome = called(folder, "keys", "create", *arguments, **settings)
    assert (outcome.exit_code, outcome.errors) == (0, "")
    *lines, secret = outcome.output.splitlines()
    assert looks_like_secret(secret)
    return dict(line.split(" ", 1) for line in lines), secret


def states(folder: Path, **settings: str) -> dict[str, str]:
    """Which keys there are, and whether each is good."""
    outcome = called(folder, "keys", "list", **settings)
    assert outcome.exit_code == 0, outcome
    titles, *lines = outcome.output.splitlines()
    assert titles.split() == ["NAME", "STATE", "ROLES", "SERVICE", "PREFIX", "CREATED", "LAST", "USED", "EXPIRES"]
    return dict(line.split()[:2] for line in lines)


def who(server: Server, secret: str | None) -> httpx.Response:
    """Whom a server takes the holder of a secret for."""
    headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
    return httpx.post(f"http://127.0.0.1:{server.address[1]}/graphql", json=WHO, headers=headers, trust_env=False)


def test_the_first_key_opens_the_server_to_others(tmp_path: Path) -> None:
    """Made on the database by a process of its own; its secret is the last line, and is written nowhere else."""
    made = run([OPSGRAPH, "keys", "create", "ana", "--role", "admin"], tmp_path)
    *_, secret = made.stdout.splitlines()
    with served(tmp_path, ANYWHERE) as server:
        known, nobody = who(server, secret), who(server, None)
        remote = {"OPSGRAPH_URL": f"http://127.0.0.1:{server.address[1]}", "OPSGRAPH_KEY": secret}
        said, other = created(tmp_path, "pipeline", "--role", "ingest", **remote)
        assert called(tmp_path, "keys", "revoke", "PIPELINE", **remote) == (0, "revoked pipeline\n", "")
        assert who(server, other).status_code == 401
        assert states(tmp_path, **remote) == {"pipeline": "REVOKED", "ana": "GOOD"}
        log = server.stop()
    assert known.json()["data"]["viewer"]["name"] == "ana"
    assert nobody.status_code == 401
    assert said == {"key": "pipeline", "roles": "INGEST", "service": "-", "expires": "-"}
    written = log.encode() + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for each in (secret, other, routing_key_of(other)):
        assert each.encode() not in written
    assert secret[:10].encode() in written


def test_keys_that_are_good_no_more_open_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    """A server that nobody could use is not begun, even where it would let nobody in without a key."""
    settings, past = Settings(database_url=databases.copied(sqlite_template, tmp_path)), timedelta(days=1)

    async def make() -> None:
        database = Database(settings)
        now = datetime.now(UTC)
        await make_key(database, now - 2 * past, "expired", expires_at=now - past)
        await make_key(database, now, "revoked")
        await revoke(database, now, "revoked")
        await database.close()

    asyncio.run(make())
    assert states(tmp_path) == {"revoked": "REVOKED", "expired": "EXPIRED"}
    for auth in ("auto", "required"):
        message = refused(tmp_path, "serve", "--host", ANYWHERE, "--port", "0", OPSGRAPH_AUTH=auth)
        assert message.startswith(f"{ANYWHERE} can be reached from other machines")


def test_on_this_machine_a_key_is_not_needed_but_counts(tmp_path: Path) -> None:
    """Without one everybody is `local`; with one, its holder is who it says."""
    _, secret = created(tmp_path, "ana", "--role", "viewer")
    with served(tmp_path) as server:
        names = [who(server, each).json()["data"]["viewer"]["name"] for each in (secret, None)]
    assert names == ["ana", "local"]


def test_a_key_has_every_role_that_is_named(tmp_path: Path) -> None:
    """In any case and order, each once."""
    said, _ = created(tmp_path, "ana", "--role", "APPROVER", "--role", "editor", "--role", "Editor")
    assert said["roles"] == "EDITOR,APPROVER"
    (listed,) = json.loads(called(tmp_path, "keys", "list", "--json").output)
    assert (listed["name"], listed["roles"], listed["createdBy"]) == ("ana", ["EDITOR", "APPROVER"], "local")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
        ("9999w", timedelta(weeks=9_999)),
    ],
)
def test_a_key_may_expire_after_a_while(text: str, after: timedelta, tmp_path: Path) -> None:
    """Counted from now."""
    begun = datetime.now(UTC)
    said, _ = created(tmp_path, "ana", "--role", "viewer", "--expires", text)
    assert begun <= datetime.fromisoformat(said["expires"]) - after <= datetime.now(UTC)


def test_a_key_may_expire_at_an_instant(tmp_path: Path) -> None:
    """Of any zone."""
    said, _ = created(tmp_path, "ana", "--role", "viewer", "--expires", "2999-01-31T12:00:00+02:00")
    assert said["expires"] == "2999-01-31T10:00:00Z"


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5d", "90D", "10000d", "2999-01-31", "soon"])
def test_what_is_no_time_is_a_usage_error(text: str, tmp_path: Path) -> None:
    """Exit code 2, naming the option; nothing is made."""
    outcome = called(tmp_path, "keys", "create", "ana", "--role", "viewer", f"--expires={text}")
    assert (outcome.exit_code, outcome.output) == (2, "")
    assert "--expires" in outcome.errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["ana"], ["ana", "--role", "king"], ["--role", "viewer"]])
def test_a_key_without_a_name_or_a_role_is_a_usage_error(arguments: list[str], tmp_path: Path) -> None:
    """Exit code 2."""
    assert called(tmp_path, "keys", "create", *arguments).exit_code == 2


def test_what_is_refused_is_a_line(tmp_path: Path) -> None:
    """The same as the API's."""
    created(tmp_path, "ana", "--role", "viewer")
    create = ("keys", "create", "--role", "ingest")
    assert refused(tmp_path, *create, "ANA") == 'there is a key "ANA" already'
    assert refused(tmp_path, *create, "system").startswith('name "system" is reserved')
    assert refused(tmp_path, *create, "b", "--service", "api") == 'there is no service called "api"'
    assert refused(tmp_path, *create, "b", "--expires", "2020-01-01T00:00:00Z").endswith("a key expires in the future")
    assert refused(tmp_path, "keys", "revoke", "ben") == 'there is no key "ben"'


def test_postgresql_that_is_behind_is_named_before_its_keys_are(postgres_server: str, tmp_path: Path) -> None:
    """There is no table of keys to look into."""
    with databases.postgres_database(postgres_server, migrate_it=False) as url:
        message = refused(tmp_path, "serve", "--host", ANYWHERE, OPSGRAPH_DATABASE_URL=url)
    assert message == "the database is at revision none: run `opsgraph migrate`"
