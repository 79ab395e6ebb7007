"""A running `opsgraph serve` for tests that look at it from outside."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.packaging.environments import surroundings

READY_WITHIN_SECONDS = 30
STOPPED_WITHIN_SECONDS = 20
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A TCP port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(executable: Path, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve on loopback from `folder` until the block ends; gives the address once the server says that it is ready."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "serve.log"
    command = [str(executable), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env=surroundings(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _await_ready(process, url, log)
            yield url
        finally:
            _stop(process)


def query(url: str, document: str) -> Any:
    """The answer of `/graphql` to one operation, decoded."""
    request = urllib.request.Request(  # noqa: S310 - the scheme is http, from `serving`
        f"{url}/graphql",
        data=json.dumps({"query": document}).encode(),
        headers={"content-type": "application/json", "accept": "application/graphql-response+json"},
    )
    with _DIRECT.open(request, timeout=READY_WITHIN_SECONDS) as response:
        return json.load(response)


def get(url: str) -> bytes:
    """The body of an address; raises `urllib.error.HTTPError` unless it answers with success."""
    with _DIRECT.open(url, timeout=READY_WITHIN_SECONDS) as response:
        body: bytes = response.read()
    return body


def _await_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _is_ready(url):
        assert time.monotonic() < deadline, f"not ready after {READY_WITHIN_SECONDS} s:\n{log.read_text()}"
        assert not _ended_within(process, 0.05), f"serve ended with {process.returncode}:\n{log.read_text()}"


def _is_ready(url: str) -> bool:
    try:
        get(f"{url}/health/ready")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _ended_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    if not _ended_within(process, STOPPED_WITHIN_SECONDS):
        process.kill()
