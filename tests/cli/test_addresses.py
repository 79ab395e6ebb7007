"""What is told when a server cannot be asked: the address, what is wrong there, and what to do; in our own words."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest

from opsgraph.cli.addresses import base_of, explained
from tests.support.cli import refused

HALF = "the connection to URL ended before there was a whole answer; see that --url is right"
NO_JSON = "URL did not answer as a server of opsgraph: it sent what is not JSON; see that --url is right"


@contextmanager
def saying(said: bytes) -> Iterator[str]:
    """The address of something that hears a request, whole if it is one of HTTP, says this, and hangs up."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if self.rfile.peek(1).startswith(b"POST"):  # type: ignore[attr-defined]  # it is buffered
                head = b"".join(iter(self.rfile.readline, b"\r\n")).lower()
                self.rfile.read(int(head.partition(b"content-length:")[2].split()[0]))
            self.wfile.write(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::1", "http://a b"),
        *("http://127.0.0.1:99999", "http://127.0.0.1:0", "http:///graphql"),
    ],
)
def test_what_is_no_address_of_a_server_is_named(url: str, tmp_path: Path) -> None:
    """Before anything is sent."""
    message = refused(tmp_path, "report", "--url", url)
    assert message == f"{url} is no address of a server; --url takes one such as http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", HALF),
        (b"", HALF),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", HALF),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{", NO_JSON),
    ],
)
def test_what_answers_otherwise_is_told(said: bytes, told: str, tmp_path: Path) -> None:
    """Another protocol, nothing, half an answer, and a whole one of something else."""
    with saying(said) as url:
        assert refused(tmp_path, "report", "--url", url).replace(url, "URL") == told


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_nobody_listens_the_system_says_why(host: str, tmp_path: Path) -> None:
    """However many addresses the name has."""
    url = f"http://{host}:1"
    told = f"no server can be reached at {url}: connection refused; see that it runs and that --url is right"
    assert refused(tmp_path, "report", "--url", url) == told


def test_where_nobody_speaks_tls_the_system_says_why(tmp_path: Path) -> None:
    """As it does of a certificate that it does not trust."""
    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        secure = url.replace("http://", "https://")
        message = refused(tmp_path, "report", "--url", secure)
    assert message.startswith(f"no server can be reached at {secure}: [SSL")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ReadTimeout(""), "http://a/graphql did not answer in time; see how it is at http://a/health/ready"),
        (httpx.ConnectTimeout(""), "no server can be reached at http://a/graphql: it does not answer"),
        (httpx.ReadError("odd"), "the connection to http://a/graphql broke; try again"),
        (httpx.InvalidURL("odd"), "http://a/graphql is no address of a server"),
    ],
)
def test_what_happens_on_the_way_is_told(error: Exception, told: str) -> None:
    """Without what the library says of it."""
    message = explained("http://a/graphql", error)
    assert message.startswith(told)
    assert "odd" not in message


@pytest.mark.parametrize("url", ["http://a", "http://a/", "http://a/graphql", "http://a/graphql/"])
def test_the_address_of_the_api_is_that_of_its_server(url: str) -> None:
    """People copy the one or the other."""
    assert base_of(url) == "http://a"
    assert base_of(f"{url.replace('//a', '//a/behind')}") == "http://a/behind"
