"""A server that answers as a test has written down, one request after the other: what a real one does on a bad day."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from tests.support.waiting import LONG_ENOUGH_SECONDS

EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one request.

    Attributes:
        body: what it says.
        status: its status.
        kind: its content type.
        cut: whether the connection breaks before the answer is whole.
        held: whether the connection stays open until the script is over.
    """

    body: str
    status: int = 200
    kind: str = "application/json"
    cut: bool = False
    held: bool = False


@dataclass(slots=True)
class Script:
    """A server that follows a script.

    Attributes:
        url: where it listens.
        asked: the bodies of the requests, in order.
        keys: what came in `Authorization`.
        paths: where to.
    """

    url: str = ""
    asked: list[Any] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def data(**fields: Any) -> Answer:
    """The data of an operation."""
    return Answer(json.dumps({"data": fields}))


def stream(*events: str, cut: bool = False, held: bool = False) -> Answer:
    """A subscription that says that it is alive, and then this."""
    return Answer("".join([":\n\n", *events]), kind=EVENT_STREAM, cut=cut, held=held)


def result(cursor: str, body: Any) -> str:
    """A result of a subscription, with its place."""
    return f"id: {cursor}\nevent: next\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"


def end(code: str | None = None, message: str = "why") -> str:
    """The end of a subscription, because of an error if that has a code."""
    failed = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return ("" if code is None else f"event: next\ndata: {json.dumps(failed)}\n\n") + "event: complete\ndata:\n\n"


@contextmanager
def following(answers: Sequence[Answer]) -> Iterator[Script]:
    """A server that gives these answers, in this order; after the last one it is silent."""
    script, over = Script(), Event()
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.paths.append(self.path)
            script.keys.append(self.headers["authorization"])
            script.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = next(left, stream(held=True))
            self.send_response(answer.status)
            self.send_header("content-type", answer.kind)
            if answer.cut:
                self.send_header("content-length", str(len(answer.body.encode()) + 1))
            self.end_headers()
            self.wfile.write(answer.body.encode())
            if answer.held:
                over.wait(LONG_ENOUGH_SECONDS)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield script
        finally:
            over.set()
            server.shutdown()
